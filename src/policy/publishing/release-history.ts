import { isJsonObject } from '../../json';
import type { Manifest } from '../manifest';
import { MAX_MANIFEST_BYTES, parseManifest, type ManifestPlace } from './published-release';

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
  /** where a promoted release came from */
  from?: string;
}

/** An entry is written before its manifest: one whose writer died in between was never in force. */
export interface ListedEntry extends HistoryEntry {
  key: string;
}

/** Entries of one manifest stand beside it, by time: `latest.history/20261123T101500.000Z-v2.json`. */
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
  const keys = await place.store.list(historyPrefix(place.key));
  const entries: ListedEntry[] = [];
  for (const key of keys.reverse()) {
    const found = await place.store.get(key, { maxBytes: MAX_MANIFEST_BYTES });
    if (!found) continue;
    try {
      entries.push({ key, ...(await parseEntry(`${place.store.url}${key}`, found.bytes)) });
    } catch (error) {
      onUnreadable(`${place.store.url}${key}`, (error as Error).message);
    }
  }
  return entries;
}

function historyPrefix(manifestKey: string): string {
  return `${manifestKey.replace(/\.json$/, '')}.history/`;
}

async function parseEntry(where: string, bytes: Uint8Array): Promise<HistoryEntry> {
  const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  if (!isJsonObject(value)) throw new Error('expected an object');
  const { action, by, at, manifest, from } = value;
  const known = Object.values(ReleaseAct).find((act) => act === action);
  if (known === undefined || typeof by !== 'string' || typeof at !== 'string' || Number.isNaN(Date.parse(at))) {
    throw new Error('expected action, by and at');
  }
  return {
    action: known,
    by,
    at,
    manifest: await parseManifest(where, new TextEncoder().encode(JSON.stringify(manifest ?? null))),
    ...(typeof from === 'string' ? { from } : {}),
  };
}
