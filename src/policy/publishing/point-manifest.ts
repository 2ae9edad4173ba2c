import { FailureType, GateError } from '../../failures';
import { PreconditionFailedError } from '../../objects/object-store';
import { manifestBytes, readStanding, urlOf, type ManifestPlace, type StandingManifest } from './published-release';
import { historyKey, type HistoryEntry } from './release-history';

/** Whether the manifest names a release now is not known: the store did not answer, and does not say. */
export class NotConfirmedError extends Error {
  override readonly name = 'NotConfirmedError';
}

/**
 * Points a manifest at the release of `entry`, on condition that it is still the one that was read: of two at once one
 * wins. Everything that the release names must be there already.
 *
 * @param standing what was read before; undefined when there was none
 * @throws GateError RevisionConflict when somebody else was faster; then nothing has changed
 * @throws NotConfirmedError when the store gave no answer to the write, nor to the question what stands there
 */
export async function pointManifest(
  place: ManifestPlace,
  standing: StandingManifest | undefined,
  entry: HistoryEntry,
): Promise<void> {
  const { store, key } = place;
  const history = historyKey(key, entry);
  await store.put(history, new TextEncoder().encode(`${JSON.stringify(entry, null, 2)}\n`), { ifAbsent: true });
  try {
    await store.put(key, manifestBytes(entry.manifest), standing ? { ifMatch: standing.etag } : { ifAbsent: true });
  } catch (error) {
    // The answer may have been lost, and a repeated request then lost against itself.
    const now = await readStanding(place).catch(() => 'unknown' as const);
    if (now === 'unknown') throw notConfirmed(place, entry, error);
    if (JSON.stringify(now?.manifest) === JSON.stringify(entry.manifest)) return;
    await store.delete(history).catch(() => undefined);
    if (error instanceof PreconditionFailedError) throw conflict(place, entry, now);
    throw error;
  }
}

function conflict(place: ManifestPlace, entry: HistoryEntry, now: StandingManifest | undefined): GateError {
  const { version, publishedBy, publishedAt } = now?.manifest ?? {};
  const found = now
    ? `it names ${version}${publishedBy === undefined ? '' : `, published by ${publishedBy}`}${publishedAt === undefined ? '' : ` at ${publishedAt}`}`
    : 'it is gone';
  const message = `${urlOf(place)} was changed by somebody else meanwhile: ${found}. It was not pointed at ${entry.manifest.version}; look at it, and try again`;
  return new GateError(FailureType.RevisionConflict, message);
}

function notConfirmed(place: ManifestPlace, entry: HistoryEntry, cause: unknown): NotConfirmedError {
  const message = `Not confirmed: ${urlOf(place)} may name ${entry.manifest.version} now, or may come to (${(cause as Error).message}); look with gate policy history`;
  return new NotConfirmedError(message, { cause });
}
