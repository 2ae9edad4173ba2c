import { Command } from 'commander';
import { examples, withSettings, type CommonOptions } from '../options';
import type { CommandContext } from '../io';
import { runUntilStopped } from './run-until-stopped';

export function workerCommand({ io }: CommandContext): Command {
  const command = new Command('worker')
    .summary('run a worker')
    .description(
      'Runs a worker until it is stopped by SIGTERM or Ctrl-C. SIGHUP makes it check for a new release. While PostgreSQL cannot be reached it waits, and says so; what waiting cannot mend, such as a wrong password, ends it with exit code 2. Audit copies go to stdout, logs to stderr.',
    );
  withSettings(command).option(
    '--make-current',
    'make the build of this worker the current one after its first poll, where no other worker is to run beside it',
  );
  examples(command, ['gate worker --settings settings.pkl', 'gate worker --make-current']);
  return command.action(async (options: CommonOptions & { makeCurrent?: true }) => {
    const [{ startWorker }, { openLoadedSettings }] = await Promise.all([
      import('../../worker.js'),
      import('../open-settings.js'),
    ]);
    const loaded = await openLoadedSettings(io, options.settings);
    const start = () => startWorker(loaded, { env: io.env, makeCurrent: options.makeCurrent });
    await runUntilStopped(io, start, ({ httpUrl }) => ({
      lines: [`Worker runs; health and metrics at ${httpUrl}`],
      addresses: { http: httpUrl },
    }));
  });
}
