import { spawn, type ChildProcess } from 'node:child_process';

const STOP_GRACE_MS = 5_000;

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Resolves when `child` has ended; at once when it already has. */
export function ended(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

/** Ends `child` with SIGTERM, and with SIGKILL when that is not enough within `graceMs`. Safe to call twice. */
export async function stopChild(child: ChildProcess, graceMs: number = STOP_GRACE_MS): Promise<void> {
  if (hasEnded(child)) return;
  const kill = setTimeout(() => child.kill('SIGKILL'), graceMs);
  child.kill('SIGTERM');
  await ended(child);
  clearTimeout(kill);
}

/**
 * Makes `child` die with this process, even when this process is killed with SIGKILL: a shell waits on a pipe whose other
 * end only this process holds, and kills the child when the pipe closes. It ends by itself when the child does.
 *
 * What it does not cover: a shell that is itself killed first.
 */
export function dieWithParent(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const watcher = spawn('/bin/sh', ['-c', 'read -r _ || kill -9 "$0"', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // In a session of its own: a Ctrl-C in the terminal must not end the watcher before what it watches.
    detached: true,
  });
  watcher.on('error', () => undefined);
  watcher.unref();
  (watcher.stdin as unknown as { unref?(): void }).unref?.();
  child.once('exit', () => watcher.kill('SIGKILL'));
}
