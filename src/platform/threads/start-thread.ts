import { join } from 'node:path';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a thread. Compiled, its entry is a JavaScript file. Run from the TypeScript sources (jest transforms only what it
 * loads itself, and a thread is not) it is loaded through the hook with which the tests' child processes load TypeScript;
 * that hook is not part of the published package, and neither is any `.ts` file.
 *
 * @param entry the file's path without its extension
 */
export function startThread(entry: string, options: WorkerOptions): Worker {
  if (!__filename.endsWith('.ts')) return new Worker(`${entry}.js`, options);
  const hook = join(__dirname, '../../../test/support/ts-require.cjs');
  return new Worker(`require(${JSON.stringify(hook)}); require(${JSON.stringify(`${entry}.ts`)});`, {
    ...options,
    eval: true,
  });
}
