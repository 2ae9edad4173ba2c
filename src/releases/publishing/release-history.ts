import { isJsonObject, type JsonValue } from '../../kernel/json';
import { parseJsonBytes } from '../../platform/documents/loaders/document';
import { parseTime } from '../../kernel/time';
import type { Manifest } from '../manifest';
import { MAX_MANIFEST_BYTES, parseManifest, type ManifestPlace } from './published-release';

/** Entries are small and many: one after the other, a history of years would take a minute to read. */
const AT_ONCE = 16;

export const ReleaseAct = { publish: 'publish', rollback: 'rollback', promote: 'promote' } as const;
export type ReleaseAct = (typeof ReleaseAct)[keyof typeof ReleaseAct];

/** One time that a manifest was pointed at a release. */
export interface HistoryEntry {
  action: ReleaseAct;
  /** who did it, as declared */
  by: string;
  /** RFC 3339 in UTC, with milliseconds */
  at: string;
  manifest: Manifest;
  /** what the manifest named before; absent when there was none. It tells which entries were in force: see releasesInForce */
  replaces?: Manifest;
  /** where a promoted release came from */
  from?: string;
}

/** An entry is written before its manifest: one whose writer died in between was never in force. */
export interface ListedEntry extends HistoryEntry {
  key: string;
}

/** Entries of one manifest are beside it, by time: `latest.history/20261123T101500.000Z-v2.json`. */
export function historyKey(manifestKey: string, { at, manifest }: HistoryEntry): string {
  return `${historyPrefix(manifestKey)}${at.replace(/[-:]/g, '')}-${manifest.version}.json`;
}

/**
 * What was done to a manifest, newest first. An entry that cannot be read is left out and told to `onUnreadable`: it must
 * not keep people from rolling back.
 *
 * @throws ObjectStoreError
 */
export async function readHistory(
  place: ManifestPlace,
  onUnreadable: (key: string, why: string) => void,
): Promise<ListedEntry[]> {
  const keys = (await place.store.list(historyPrefix(place.key))).reverse();
  const entries: (ListedEntry | undefined)[] = [];
  for (let from = 0; from < keys.length; from += AT_ONCE) {
    entries.push(
      ...(await Promise.all(keys.slice(from, from + AT_ONCE).map((key) => readEntry(place, key, onUnreadable)))),
    );
  }
  return entries.filter((entry) => entry !== undefined);
}

async function readEntry(
  { store }: ManifestPlace,
  key: string,
  onUnreadable: (key: string, why: string) => void,
): Promise<ListedEntry | undefined> {
  const found = await store.get(key, { maxBytes: MAX_MANIFEST_BYTES });
  if (!found) return undefined;
  try {
    return { key, ...(await parseEntry(`${store.url}${key}`, found.bytes)) };
  } catch (error) {
    onUnreadable(`${store.url}${key}`, (error as Error).message);
    return undefined;
  }
}

/** What the keys of a manifest's entries begin with. */
export function historyPrefix(manifestKey: string): string {
  return `${manifestKey.replace(/\.json$/, '')}.history/`;
}

async function parseEntry(where: string, bytes: Uint8Array): Promise<HistoryEntry> {
  const value = await parseJsonBytes(where, bytes);
  if (!isJsonObject(value)) throw new Error('expected an object');
  const { action, by, at, manifest, replaces, from } = value;
  const known = Object.values(ReleaseAct).find((act) => act === action);
  if (known === undefined || typeof by !== 'string' || typeof at !== 'string' || parseTime(at) === undefined) {
    throw new Error('expected action, by and at');
  }
  return {
    action: known,
    by,
    at,
    manifest: await toManifest(where, manifest),
    ...(replaces === undefined ? {} : { replaces: await toManifest(where, replaces) }),
    ...(typeof from === 'string' ? { from } : {}),
  };
}

function toManifest(where: string, value: JsonValue | undefined): Promise<Manifest> {
  return parseManifest(where, new TextEncoder().encode(JSON.stringify(value ?? null)));
}
