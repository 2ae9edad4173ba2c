import { Command } from 'commander';
import { examples, withSettings, type CommonOptions } from '../options';
import type { CommandContext } from '../io';
import { runUntilStopped } from './run-until-stopped';

export function serverCommand({ io }: CommandContext): Command {
  const command = new Command('server')
    .summary('run the server of rule policies and plans, with a worker')
    .description(
      'Serves rule policies over gRPC and HTTP and PlanSpec objects over HTTP, on one port (settings: server, access), and runs a worker beside it over the same store, until it is stopped by SIGTERM or Ctrl-C; what is under way is answered first. SIGHUP makes the worker check for a new release. Audit copies go to stdout, logs to stderr.',
    );
  withSettings(command).option(
    '--no-worker',
    'only the API: workers are processes of their own, over the same PostgreSQL',
  );
  examples(command, ['gate server --settings settings.pkl', 'gate server --no-worker']);
  return command.action(async (options: CommonOptions & { worker: boolean }) => {
    const [{ startServer }, { openLoadedSettings }] = await Promise.all([
      import('../../server.js'),
      import('../open-settings.js'),
    ]);
    const loaded = await openLoadedSettings(io, options.settings);
    const start = () => startServer(loaded, { env: io.env, worker: options.worker });
    await runUntilStopped(io, start, ({ url, workerUrl }) => ({
      lines: [
        `Rule policies and plans are served at ${url}`,
        ...(workerUrl === undefined ? [] : [`Worker runs; health and metrics at ${workerUrl}`]),
      ],
      addresses: { url, ...(workerUrl === undefined ? {} : { http: workerUrl }) },
    }));
  });
}
