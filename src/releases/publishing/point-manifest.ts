import { FailureType, GateError } from '../../kernel/failures';
import { ObjectStoreError, PreconditionFailedError } from '../../platform/objects/object-store';
import { isSameManifest, wasInForceSince } from './in-force';
import { manifestBytes, readCurrent, urlOf, type ManifestPlace, type CurrentManifest } from './published-release';
import { signatureKey } from '../signing/manifest-signature';
import { putOnce } from './put-once';
import { historyKey, readHistory, type HistoryEntry } from './release-history';

/** Whether the manifest names a release now is not known: the store did not answer, and does not say. */
export class NotConfirmedError extends Error {
  override readonly name = 'NotConfirmedError';
}

/** Signs a manifest's bytes; the content of the signature's file. @throws GateError ConfigInvalid for a key that cannot sign */
export type SignManifest = (manifest: Uint8Array) => Promise<Uint8Array>;

/**
 * Points a manifest at the release of `entry`, on condition that it is still the one that was read: of two at once one
 * wins. Everything that the release names must be there already.
 *
 * @param current what was read before; undefined when there was none
 * @param sign the signature is in its place before the manifest is, and is taken back where the manifest was not written
 * @throws GateError RevisionConflict when somebody else was faster; then nothing has changed. Also when somebody else has
 *   replaced the release before the lost answer to its write was asked for again: it was in force then, and its entry stays
 * @throws ObjectStoreError when the store refused; then nothing has changed either
 * @throws NotConfirmedError when the store gave no answer to the write. Its entry stays in the history then: the write may
 *   still take effect, and a release in force must be found there
 */
export async function pointManifest(
  place: ManifestPlace,
  current: CurrentManifest | undefined,
  act: Omit<HistoryEntry, 'replaces'>,
  sign?: SignManifest,
): Promise<void> {
  const { store, key } = place;
  const entry: HistoryEntry = { ...act, ...(current ? { replaces: current.manifest } : {}) };
  const history = historyKey(key, entry);
  const bytes = manifestBytes(entry.manifest);
  const signature = sign && { key: signatureKey(bytes), bytes: await sign(bytes) };
  await putOnce(store, history, new TextEncoder().encode(`${JSON.stringify(entry, null, 2)}\n`));
  if (signature) {
    // Of one digest any signature by the key is as good as another.
    await store.put(signature.key, signature.bytes).catch(async (error: unknown) => {
      await store.delete(history).catch(() => undefined);
      throw error;
    });
  }
  try {
    await store.put(key, bytes, current ? { ifMatch: current.etag } : { ifAbsent: true });
  } catch (error) {
    // The answer may have been lost, and a repeated request then lost against itself.
    const now = await readCurrent(place).catch(() => 'unknown' as const);
    if (now !== 'unknown' && isSameManifest(now?.manifest, entry.manifest)) return;
    if (now === 'unknown' || !isRefusal(error)) throw notConfirmed(place, entry, error);
    if (await replacedSince(place, current, entry, now)) throw conflict(place, entry, now, true);
    await store.delete(history).catch(() => undefined);
    // Whoever may write the manifest could put this one in force later.
    if (signature) await store.delete(signature.key).catch(() => undefined);
    if (error instanceof PreconditionFailedError) throw conflict(place, entry, now);
    throw error;
  }
}

/** A history that cannot be read leaves the question open, and so the entry. */
async function replacedSince(
  place: ManifestPlace,
  before: CurrentManifest | undefined,
  { manifest }: HistoryEntry,
  now: CurrentManifest | undefined,
): Promise<boolean> {
  if (isSameManifest(now?.manifest, before?.manifest)) return false;
  const entries = await readHistory(place, () => undefined).catch(() => undefined);
  return entries === undefined || wasInForceSince(before?.manifest, manifest, now, entries);
}

/** The server has read the request and will not do it, now or later. */
function isRefusal(error: unknown): boolean {
  if (error instanceof PreconditionFailedError) return true;
  return error instanceof ObjectStoreError && error.status !== undefined && error.status >= 400 && error.status < 500;
}

function conflict(
  place: ManifestPlace,
  entry: HistoryEntry,
  now: CurrentManifest | undefined,
  wasThere = false,
): GateError {
  const { version, publishedBy, publishedAt } = now?.manifest ?? {};
  const found = now
    ? `it names ${version}${publishedBy === undefined ? '' : `, published by ${publishedBy}`}${publishedAt === undefined ? '' : ` at ${publishedAt}`}`
    : 'it is gone';
  const outcome = wasThere
    ? `It may have named ${entry.manifest.version} before that, which the history holds`
    : `It was not pointed at ${entry.manifest.version}; its files stay there and change nothing`;
  const message = `${urlOf(place)} was changed by somebody else meanwhile: ${found}. ${outcome}. Look at what is in force, and try again`;
  return new GateError(FailureType.RevisionConflict, message);
}

function notConfirmed(place: ManifestPlace, entry: HistoryEntry, cause: unknown): NotConfirmedError {
  const message = `Not confirmed: ${urlOf(place)} may name ${entry.manifest.version} now, or may come to (${(cause as Error).message}); look with gate policy history`;
  return new NotConfirmedError(message, { cause });
}
