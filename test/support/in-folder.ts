import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GateError, type Fault } from '../../src/kernel/failures';

/** Calls `use` with the path of a file of that name and content in a folder of its own, which is gone afterwards. */
export async function withFile<T>(
  name: string,
  content: string | Uint8Array,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'config-'));
  try {
    await writeFile(join(folder, name), content);
    return await use(join(folder, name));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The faults of the GateError ConfigInvalid that `call` throws. */
export async function faultsOf(call: () => unknown): Promise<readonly Fault[]> {
  try {
    await call();
  } catch (error) {
    if (error instanceof GateError && error.type === 'ConfigInvalid') return error.faults;
    throw error;
  }
  throw new Error('Expected ConfigInvalid, but nothing was thrown');
}

/** Their messages, without the folder of the file. */
export async function messagesOf(call: () => unknown): Promise<string[]> {
  return (await faultsOf(call)).map(({ message }) => message.replaceAll(/\S*\/config-\w+\//g, ''));
}
