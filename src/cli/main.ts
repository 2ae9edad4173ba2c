#!/usr/bin/env node
import { standardError, standardOutput } from '../platform/observability/terminal';
import { ExitCode, type CliIo } from './io';
import { run } from './run';
import { tellUnexpected } from './unexpected';

/** Aborted by Ctrl-C or SIGTERM, which from here on do not end the process by themselves. */
function takeSignals(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(name));
  return stop.signal;
}

let isCut = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that went away (`gate list | head -1`) is no fault of the command's; a disk that is full is told once.
  if (isCut || error.code === 'EPIPE') return;
  isCut = true;
  process.exitCode = 2;
  standardError().write(`gate: cannot write to standard output: ${error.message}\n`);
});

const { stdout, stderr, env } = process;
let taken: AbortSignal | undefined;
const io: CliIo = {
  stdout,
  stderr,
  env,
  cwd: process.cwd(),
  // Only a command that asks for it ends by itself; any other one ends as processes do, at the first Ctrl-C.
  get signal() {
    return (taken ??= takeSignals());
  },
};
/** What was called off, or never came up, may still hold a connection or a timer, and signals end nothing any more. */
function end(): void {
  // What was printed is written first.
  stdout.write('', () => process.exit());
}

const argv = process.argv.slice(2);
let isUnexpected = false;
/** What no command foresaw. It is told once: what is left of the command may fail as well. */
function endUnexpected(error: unknown): void {
  if (isUnexpected) return;
  isUnexpected = true;
  tellUnexpected(error, argv, { stdout: standardOutput(), stderr: standardError() });
  process.exitCode = ExitCode.usage;
  end();
}
// Also for a rejection that nothing awaits. Node would print a stack, and end with the exit code of a denial.
process.on('uncaughtException', endUnexpected);

run(argv, io).then((code) => {
  if (isUnexpected) return;
  if (!isCut) process.exitCode = code;
  if (taken !== undefined) end();
}, endUnexpected);
