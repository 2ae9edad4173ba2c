import { Command } from 'commander';
import { examples, withSettings, type CommonOptions } from '../options';
import type { CommandContext } from '../io';
import { awaitStore } from './await-store';

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
    const { env, signal } = io;
    const worker = await awaitStore(() => startWorker(loaded, { env, makeCurrent: options.makeCurrent }), {
      say: (line) => void io.stderr.write(`gate: ${line}\n`),
      signal,
      close: (late) => late.stop(),
    });
    if (worker === undefined) return;
    const reload = (): void => void worker.reload();
    process.on('SIGHUP', reload);
    io.stderr.write(`Worker runs; health and metrics at ${worker.httpUrl}\n`);
    // The first line that a parent process waits for.
    if (io.env.GATE_READY_LINE === '1') io.stdout.write(`${JSON.stringify({ ready: true, http: worker.httpUrl })}\n`);
    const stop = (): void => void worker.stop().catch(() => undefined);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      await worker.stopped;
    } finally {
      process.off('SIGHUP', reload);
    }
  });
}
