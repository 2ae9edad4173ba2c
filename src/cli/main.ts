#!/usr/bin/env node
import { run } from './run';

let stop: AbortController | undefined;
/** Only a command that asks for it ends by itself; any other one ends as processes do, at the first Ctrl-C. */
function signal(): AbortSignal {
  if (stop === undefined) {
    const controller = (stop = new AbortController());
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort(name));
  }
  return stop.signal;
}

let isCut = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that went away (`gate list | head -1`) is no fault of the command's; a disk that is full is told once.
  if (isCut || error.code === 'EPIPE') return;
  isCut = true;
  process.exitCode = 2;
  process.stderr.write(`gate: cannot write to standard output: ${error.message}\n`);
});

const { stdout, stderr, env } = process;
const io = {
  ...{ stdout, stderr, env, cwd: process.cwd() },
  get signal() {
    return signal();
  },
};
run(process.argv.slice(2), io).then(
  (code) => {
    if (!isCut) process.exitCode = code;
  },
  (error: unknown) => {
    stderr.write(`gate: unexpected failure: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);
