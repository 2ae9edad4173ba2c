import { Command } from 'commander';
import { examples, withSettings, type CommonOptions } from '../options';
import type { CommandContext } from '../io';
import { awaitStore } from './await-store';

export function serverCommand({ io }: CommandContext): Command {
  const command = new Command('server')
    .summary('run the server of rule policies, with a worker')
    .description(
      'Serves rule policies over gRPC and HTTP on one port (settings: server, access), and runs a worker beside it over the same store, until it is stopped by SIGTERM or Ctrl-C; what is under way is answered first. SIGHUP makes the worker check for a new release. Audit copies go to stdout, logs to stderr.',
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
    const { env, signal } = io;
    const server = await awaitStore(() => startServer(loaded, { env, worker: options.worker }), {
      say: (line) => void io.stderr.write(`gate: ${line}\n`),
      signal,
      close: (late) => late.stop(),
    });
    if (server === undefined) return;
    const reload = (): void => void server.reload().catch(() => undefined);
    process.on('SIGHUP', reload);
    io.stderr.write(`Rule policies are served at ${server.url}\n`);
    const { url, workerUrl } = server;
    if (workerUrl !== undefined) io.stderr.write(`Worker runs; health and metrics at ${workerUrl}\n`);
    // The first line that a parent process waits for.
    if (io.env.GATE_READY_LINE === '1') {
      io.stdout.write(`${JSON.stringify({ ready: true, url, ...(workerUrl && { http: workerUrl }) })}\n`);
    }
    const stop = (): void => void server.stop().catch(() => undefined);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      await server.stopped;
    } finally {
      process.off('SIGHUP', reload);
    }
  });
}
