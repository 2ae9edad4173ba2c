import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../kernel/digest';
import { isJsonObject, type JsonValue } from '../../kernel/json';
import { parseJsonText } from '../../platform/documents/json-text';
import { replaceDurably } from '../../platform/files/write-durably';
import type { AlertMemory, StandingAlert } from '../standing-alerts';

const EXTENSION = '.json';
/** As the store of records: for this user's eyes only. */
const MODE = 0o600;

/**
 * Standing alerts in a folder, a file each, which is in its place whole or not at all. Workers of one machine may share it:
 * what is the same alert is the same file. A file that cannot be read is as none.
 */
export function createAlertMemory(folder: string): AlertMemory {
  const place = (fingerprint: string): string => join(folder, `${sha256(fingerprint).slice(0, 32)}${EXTENSION}`);
  return {
    async load() {
      const names = (await readdir(folder).catch(noneThere)).filter((name) => name.endsWith(EXTENSION));
      const read = await Promise.all(names.map((name) => readStanding(join(folder, name))));
      return read.filter((standing) => standing !== undefined);
    },
    async put(standing) {
      const path = place(standing.alert.fingerprint);
      await mkdir(folder, { recursive: true });
      await replaceDurably(path, JSON.stringify(standing), { part: `${path}.${process.pid}`, mode: MODE });
    },
    remove: (fingerprint) => rm(place(fingerprint), { force: true }),
  };
}

async function readStanding(path: string): Promise<StandingAlert | undefined> {
  try {
    const value = parseJsonText(await readFile(path, 'utf8'));
    return isStanding(value) ? (value as unknown as StandingAlert) : undefined;
  } catch {
    return undefined;
  }
}

/** What the next message needs; the rest is repeated as it was sent. */
function isStanding(value: JsonValue): boolean {
  if (!isJsonObject(value) || !isJsonObject(value.alert)) return false;
  const { alert, messagesSent, nextMessageAtMs } = value;
  const texts = [alert.fingerprint, alert.name, alert.summary, alert.description];
  const numbers = [alert.startsAtMs, messagesSent, nextMessageAtMs];
  const isKnown = alert.status === 'firing' || alert.status === 'resolved';
  return (
    isKnown && texts.every((text) => typeof text === 'string') && numbers.every((number) => typeof number === 'number')
  );
}

function noneThere(error: unknown): string[] {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
  throw error;
}

/** A worker that has something firing writes its folder at each reminder, and these are a day apart at most. */
const KEPT_MS = 30 * 86_400_000;

/**
 * Removes the folders of releases and task queues that no worker of this machine has fired for in 30 days, such as those of a
 * manifest that is gone.
 *
 * @param root the folder of all memories
 * @param own the one in use, which stays
 */
export async function forgetVanished(root: string, own: string, nowMs: number): Promise<void> {
  for (const name of await readdir(root).catch(noneThere)) {
    const folder = join(root, name);
    if (folder === own || !/^[0-9a-f]{32}$/.test(name)) continue;
    const files = await readdir(folder).catch(() => undefined);
    if (files === undefined) continue;
    const times = await Promise.all([folder, ...files.map((file) => join(folder, file))].map(changedMs));
    if (nowMs - Math.max(...times) > KEPT_MS) await rm(folder, { recursive: true, force: true });
  }
}

/** What is gone meanwhile was changed just now. */
async function changedMs(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => Infinity,
  );
}
