import { sha256 } from '../../kernel/digest';
import type { ManifestPlace } from './published-release';
import type { PlannedRelease } from './publish';
import { isTaken, takenError } from './put-once';
import { historyPrefix } from './release-history';

/** As much of a digest as tells two contents of one version apart. */
const SHOWN_DIGITS = 12;

/**
 * The planned release with names that are free for its files. A publish that failed may have left files under its version's
 * names: other content gets a name with its digest then, so that nothing which another publisher may still name is
 * replaced.
 *
 * @throws GateError RevisionConflict where another manifest of the place was pointed at that version; ObjectStoreError
 */
export async function settleNames(place: ManifestPlace, planned: PlannedRelease): Promise<PlannedRelease> {
  let { manifest } = planned;
  const files: PlannedRelease['files'] = [];
  for (const { key, bytes } of planned.files) {
    if (!(await isTaken(place.store, key, bytes))) {
      files.push({ key, bytes });
      continue;
    }
    if (await isNamedElsewhere(place, manifest.version)) throw takenError(place.store, key);
    const free = withDigest(key, bytes);
    files.push({ key: free, bytes });
    if (manifest.policy === key) manifest = { ...manifest, policy: free };
    if (manifest.config === key) manifest = { ...manifest, config: free };
  }
  return { ...planned, manifest, files };
}

function withDigest(key: string, bytes: Uint8Array): string {
  const [, name, extension] = /^(.*?)(\.tar\.gz|\.[a-z]+)$/i.exec(key) ?? [undefined, key, ''];
  return `${name}-${sha256(bytes).slice(0, SHOWN_DIGITS)}${extension}`;
}

/** Several manifests beside each other share the names of files; what cannot be listed may name the version. */
async function isNamedElsewhere(place: ManifestPlace, version: string): Promise<boolean> {
  const keys = await place.store.list('').catch(() => undefined);
  if (keys === undefined) return true;
  const own = historyPrefix(place.key);
  return keys.some((key) => key.includes('.history/') && !key.startsWith(own) && key.endsWith(`-${version}.json`));
}
