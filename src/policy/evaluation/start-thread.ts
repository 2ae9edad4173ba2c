import { join } from 'node:path';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts `thread-entry`. Compiled, it is the JavaScript file beside this one. Run from the TypeScript sources (jest
 * transforms only what it loads itself, and a thread is not) it is loaded through the hook with which the tests' child
 * processes load TypeScript; that hook is not part of the published package, and neither is any `.ts` file.
 */
export function startThread(options: WorkerOptions): Worker {
  if (!__filename.endsWith('.ts')) return new Worker(join(__dirname, 'thread-entry.js'), options);
  const hook = join(__dirname, '../../../test/support/ts-require.cjs');
  const entry = join(__dirname, 'thread-entry.ts');
  return new Worker(`require(${JSON.stringify(hook)}); require(${JSON.stringify(entry)});`, { ...options, eval: true });
}
