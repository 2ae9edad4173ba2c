import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureType, GateError } from '../../kernel/failures';
import { lockFolder, type FolderLock } from '../../platform/database/lock';
import { replaceDurably } from '../../platform/files/write-durably';

/** One text that waits, under the number in whose order it came. */
export interface SpooledItem {
  key: string;
  text: string;
}

/** Texts that wait on disk, across restarts, in the order in which they came. */
export interface Spool {
  /** bytes that wait */
  readonly bytes: number;
  /** the file of the one that waits longest */
  oldestFile(): string | undefined;
  /**
   * Durable when it resolves.
   *
   * @throws GateError AuditWriteFailed when so much waits already, or the disk does not take it; then nothing was added
   */
  append(text: string): Promise<void>;
  /** the oldest that wait, up to `maxItems` and `maxBytes` of them, at least one when any waits */
  oldest(maxItems: number, maxBytes: number): Promise<SpooledItem[]>;
  /** These need not wait any more. One whose file an operator took away needs not, either. */
  remove(items: readonly SpooledItem[]): Promise<void>;
  close(): Promise<void>;
}

const ITEM = /^\d{16}\.json$/;
const PART = '.part';

/**
 * A file for each text: whole or not there, whatever dies when. Of one owner at a time.
 *
 * @throws GateError ConfigInvalid when the folder cannot be used, or another process holds it
 */
export async function openSpool(folder: string, maxBytes: number): Promise<Spool> {
  const lock = await hold(folder);
  /** sizes by key, and the keys in the order of their numbers */
  const waiting = new Map<string, number>();
  let order: string[] = [];
  let bytes = 0;
  let last = 0;
  for (const name of (await readdir(folder)).sort()) {
    if (name.endsWith(PART)) await rm(join(folder, name), { force: true });
    if (!ITEM.test(name)) continue;
    const { size } = await stat(join(folder, name));
    add(name, size);
    bytes += size;
    last = Number.parseInt(name, 10);
  }

  async function append(text: string): Promise<void> {
    const size = Buffer.byteLength(text);
    if (bytes + size > maxBytes) {
      throw refused(folder, `${bytes} of at most ${maxBytes} bytes wait for their server already`);
    }
    last += 1;
    const key = `${String(last).padStart(16, '0')}.json`;
    // Counted before it is written: two at a time must not both find the last bit of room.
    bytes += size;
    try {
      await writeDurably(folder, key, text);
    } catch (error) {
      bytes -= size;
      throw refused(folder, (error as NodeJS.ErrnoException).code ?? (error as Error).message, error);
    }
    add(key, size);
  }

  /** Appends end in any order, but not far from it. */
  function add(key: string, size: number): void {
    waiting.set(key, size);
    let at = order.length;
    while (at > 0 && order[at - 1]! > key) at -= 1;
    order.splice(at, 0, key);
  }

  async function oldest(maxItems: number, most: number): Promise<SpooledItem[]> {
    const items: SpooledItem[] = [];
    let taken = 0;
    // Of a copy: what is added meanwhile moves its places.
    for (const key of order.slice()) {
      const size = waiting.get(key) ?? 0;
      if (items.length === maxItems || (items.length > 0 && taken + size > most)) break;
      const text = await readFile(join(folder, key), 'utf8').catch(ifGone);
      if (text === undefined) {
        forget([key]);
        continue;
      }
      items.push({ key, text });
      taken += size;
    }
    return items;
  }

  function forget(keys: readonly string[]): void {
    for (const key of keys) {
      bytes -= waiting.get(key) ?? 0;
      waiting.delete(key);
    }
    order = order.filter((key) => waiting.has(key));
  }

  return {
    get bytes() {
      return bytes;
    },
    oldestFile: () => {
      const [key] = order;
      return key === undefined ? undefined : join(folder, key);
    },
    append,
    oldest,
    remove: async (items) => {
      for (const { key } of items) await rm(join(folder, key), { force: true });
      forget(items.map(({ key }) => key));
    },
    close: () => lock.release(),
  };
}

/** Taken away by somebody who knows that its server will never take it. */
function ifGone(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

async function hold(folder: string): Promise<FolderLock> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return await lockFolder(folder);
  } catch (error) {
    const isHeld = error instanceof GateError;
    const why = isHeld
      ? 'another process holds it'
      : ((error as NodeJS.ErrnoException).code ?? (error as Error).message);
    const message = `Expected a folder of this worker’s own in audit.upload.folder, but ${folder} cannot be used: ${why}`;
    throw new GateError(FailureType.ConfigInvalid, message, undefined, { cause: error });
  }
}

async function writeDurably(folder: string, key: string, text: string): Promise<void> {
  const path = join(folder, key);
  try {
    await replaceDurably(path, text, { part: `${path}${PART}`, mode: 0o600 });
  } catch (error) {
    // It may have its name already, and the next start must not find it: a refused caller comes again.
    await rm(path, { force: true }).catch(() => undefined);
    throw error;
  }
}

function refused(folder: string, why: string, cause?: unknown): GateError {
  const message = `Cannot keep a decision for its upload in ${folder}: ${why}`;
  return new GateError(FailureType.AuditWriteFailed, message, undefined, { cause });
}
