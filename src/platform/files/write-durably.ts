import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file that is being written beside its place. */
export interface UnfinishedFile {
  write(content: string | Uint8Array): Promise<void>;
  /** has the disk confirm the content and only then renames the file into its place */
  finish(): Promise<void>;
  /** removes what was written; what is in the file's place stays */
  discard(): Promise<void>;
}

export interface BeginOptions {
  /** where it is written: a path on the same disk, that no other process writes to */
  part: string;
  /** @default 0o666, less the umask */
  mode?: number;
}

/** Begins a file that is in its place whole or not at all. A part that a process left there when it died is removed. */
export async function beginFile(path: string, { part, mode }: BeginOptions): Promise<UnfinishedFile> {
  await rm(part, { force: true });
  const file = await open(part, 'wx', mode);
  return {
    write: (content) => file.writeFile(content),
    async finish() {
      await file.sync();
      await file.close();
      await rename(part, path);
    },
    async discard() {
      await file.close().catch(() => undefined);
      await rm(part, { force: true }).catch(() => undefined);
    },
  };
}

/**
 * Writes a file whole or not at all, also after a power failure. When it rejects, the part is gone; the file may be in its
 * place if only the folder could not be flushed.
 */
export async function replaceDurably(path: string, content: string | Uint8Array, options: BeginOptions): Promise<void> {
  const file = await beginFile(path, options);
  try {
    await file.write(content);
    await file.finish();
  } catch (error) {
    await file.discard();
    throw error;
  }
  await syncFolder(dirname(path));
}

/** A new file, confirmed by the disk; its name is durable once its folder is (`syncFolder`). */
export async function createDurably(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
