import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256 } from '../../../kernel/digest';
import { GateError } from '../../../kernel/failures';
import { lockFolder, type FolderLock } from '../../database/lock';
import { createDurably, syncFolder } from '../../files/write-durably';
import { ObjectStoreError, PreconditionFailedError, type ObjectStore, type StoredObject } from '../object-store';
import { checkKey, placeUrl } from '../object-url';

/** Ours, beside the objects: no key begins so. */
const HIDDEN = '.objects-';
const LOCK_FOLDER = `${HIDDEN}lock`;
const LOCK_WITHIN_MS = 10_000;
const LOCK_POLL_MS = 20;
const DEFAULT_MAX_BYTES = 256 * 2 ** 20;

/**
 * Objects as files of a folder; a tag is the SHA-256 of the content. Writes are whole and durable: a file that is complete
 * and synchronised takes the name at once. Two processes that replace the same object take turns.
 */
export function createFileObjects(
  folder: string,
  { lockWithinMs = LOCK_WITHIN_MS }: { lockWithinMs?: number } = {},
): ObjectStore {
  const root = resolve(folder);
  const url = placeUrl({ kind: 'file', folder: root, key: '' });
  const pathOf = (key: string): string => {
    checkKey(key);
    if (key.split('/').some((part) => part.startsWith(HIDDEN))) throw new TypeError(`No key begins with ${HIDDEN}`);
    return join(root, key);
  };

  async function get(key: string, options?: { maxBytes?: number }): Promise<StoredObject | undefined> {
    const path = pathOf(key);
    try {
      return await readWhole(path, options?.maxBytes ?? DEFAULT_MAX_BYTES);
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
      throw toStoreError(`read ${path}`, error);
    }
  }

  async function replace(key: string, part: string, ifMatch: string | undefined): Promise<void> {
    const lock = await lockWithin(join(root, LOCK_FOLDER), lockWithinMs);
    try {
      if (ifMatch !== undefined && (await get(key))?.etag !== ifMatch) throw new PreconditionFailedError(key);
      await rename(part, pathOf(key));
    } finally {
      await lock.release();
    }
  }

  return {
    url,
    get,
    getUnlessSame: async (key, etag, options) => {
      const found = await get(key, options);
      return found?.etag === etag ? 'unchanged' : found;
    },
    put: async (key, bytes, condition) => {
      const path = pathOf(key);
      const part = join(root, `${HIDDEN}part-${randomUUID()}`);
      try {
        const made = await mkdir(dirname(path), { recursive: true });
        await createDurably(part, bytes, 0o644);
        // A second name for the complete file: the file system gives it to one only.
        if (condition !== undefined && 'ifAbsent' in condition) await link(part, path);
        else await replace(key, part, condition?.ifMatch);
        await syncFolders(dirname(path), made);
        return { etag: sha256(bytes) };
      } catch (error) {
        if (error instanceof PreconditionFailedError) throw error;
        if (condition !== undefined && 'ifAbsent' in condition && codeOf(error) === 'EEXIST') {
          throw new PreconditionFailedError(key);
        }
        throw toStoreError(`write ${path}`, error);
      } finally {
        await rm(part, { force: true }).catch(() => undefined);
      }
    },
    delete: async (key) => {
      const path = pathOf(key);
      try {
        await rm(path, { force: true });
      } catch (error) {
        throw toStoreError(`delete ${path}`, error);
      }
    },
    has: async (key) => {
      const path = pathOf(key);
      try {
        return (await stat(path)).isFile();
      } catch (error) {
        if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
        throw toStoreError(`look for ${path}`, error);
      }
    },
    list: async (wanted) => {
      // Other folders beside the objects are not ours to read: one may be closed to us, or vanish meanwhile.
      const folder = wanted.slice(0, wanted.lastIndexOf('/') + 1);
      if (folder !== '') checkKey(folder.slice(0, -1));
      try {
        return (await keysIn(root, folder)).filter((key) => key.startsWith(wanted)).sort();
      } catch (error) {
        throw toStoreError(`list ${join(root, folder)}`, error);
      }
    },
  };
}

/** @param folder a key's, with a `/` at its end; empty for the root. One that is not there, or no longer, holds none */
async function keysIn(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT' || (folder !== '' && codeOf(error) === 'ENOTDIR')) return [];
    throw error;
  });
  const keys: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith(HIDDEN)) continue;
    if (entry.isFile()) keys.push(`${folder}${entry.name}`);
    if (entry.isDirectory()) keys.push(...(await keysIn(root, `${folder}${entry.name}/`)));
  }
  return keys;
}

async function readWhole(path: string, maxBytes: number): Promise<StoredObject> {
  const file = await open(path, 'r');
  try {
    const found = await file.stat();
    // A pipe or a device could be read for ever.
    if (!found.isFile()) throw new ObjectStoreError(`Cannot read ${path}: expected a file`);
    if (found.size > maxBytes) {
      throw new ObjectStoreError(
        `Cannot read ${path}: expected at most ${maxBytes} bytes, found ${found.size}`,
        undefined,
        {
          isTooLarge: true,
        },
      );
    }
    const bytes = await file.readFile();
    return { bytes: new Uint8Array(bytes), etag: sha256(bytes) };
  } finally {
    await file.close();
  }
}

/** A name is durable when its folder is: so is each folder's that was made for it, `made` the first of them. */
async function syncFolders(folder: string, made: string | undefined): Promise<void> {
  await syncFolder(folder);
  if (made !== undefined && folder.length >= made.length) await syncFolders(dirname(folder), made);
}

async function lockWithin(folder: string, withinMs: number): Promise<FolderLock> {
  await mkdir(folder, { recursive: true });
  const deadlineMs = Date.now() + withinMs;
  for (;;) {
    try {
      return await lockFolder(folder);
    } catch (error) {
      if (!(error instanceof GateError)) throw error;
      if (Date.now() > deadlineMs) {
        const message = `Cannot take the turn to write: another process has held ${folder} for ${withinMs} ms`;
        throw new ObjectStoreError(message, undefined, { cause: error });
      }
      await sleep(LOCK_POLL_MS);
    }
  }
}

function toStoreError(doing: string, error: unknown): ObjectStoreError {
  if (error instanceof ObjectStoreError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new ObjectStoreError(`Cannot ${doing}: ${code ?? message}`, undefined, { cause: error });
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
