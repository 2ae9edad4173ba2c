#!/usr/bin/env node
import { messageOf } from '../kernel/message-of';
import { standardError } from '../platform/observability/terminal';
import type { CliIo } from './io';
import { run } from './run';

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
  if (taken !== undefined) stdout.write('', () => process.exit());
}

run(process.argv.slice(2), io)
  .then(
    (code) => {
      if (!isCut) process.exitCode = code;
    },
    (error: unknown) => {
      standardError().write(`gate: unexpected failure: ${messageOf(error)}\n`);
      process.exitCode = 2;
    },
  )
  .finally(end);
