import { BoundedMap } from '../../kernel/bounded-map';
import { FailureType, GateError, namedFaults } from '../../kernel/failures';
import { ObjectStoreError, type ObjectReader, type StoredObject } from '../../platform/objects/object-store';
import { DEFAULT_ARCHIVE_LIMITS } from '../../rego/bundle/archive/read-archive';
import type { JsonValue } from '../../kernel/json';
import type { Manifest } from '../manifest';
import { sha256 } from '../../kernel/digest';
import { checkConfigDigest, checkPolicyDigest, requireDigests, type DigestRule } from '../manifest-digests';
import { MAX_SIGNATURE_BYTES, signatureKey } from '../signing/manifest-signature';
import type { ManifestTrust } from '../signing/manifest-trust';
import type { VerifiedSignature } from '../signing/verified-signature';
import { readManifest, type ManifestDocument } from './read-manifest';
import type { ReleaseCache, ReleaseToKeep, SignedManifest } from './release-cache';
import type { LoadedConfig, NamedRelease, PolicyReader, ReleaseSource } from './release-source';

export interface ObjectSourceOptions {
  /** the manifest's, for people: `s3://bucket/prefix/latest.json` */
  url: string;
  /** opens the store at the manifest's place and tells the manifest's key; called until it succeeds once */
  open(): Promise<{ store: ObjectReader; key: string }>;
  digests: DigestRule;
  /** what the configuration's own relative paths (secrets' files, providers' modules) start from: a folder of the worker */
  configFolder: string;
  policies: PolicyReader;
  /** takes signed manifests only; absent, whoever may write the manifest is trusted */
  trust?: ManifestTrust;
  /** another feature's adapters, which whoever puts the parts together hands over; `where` is the object's URL */
  parseDocument(bytes: Uint8Array, where: string): Promise<ManifestDocument>;
  readReleaseConfig(bytes: Uint8Array, where: string): Promise<LoadedConfig>;
  cache?: ReleaseCache;
  /** a release could not be kept on disk, which costs nothing until the store is out of reach */
  onNotKept?(error: unknown): void;
}

const MAX_BYTES = {
  manifest: 64 * 1024,
  signature: MAX_SIGNATURE_BYTES,
  policy: DEFAULT_ARCHIVE_LIMITS.maxArchiveBytes,
  config: 1024 * 1024,
} as const;
/** Policy and configuration of the release in force and of the next one. */
const BLOBS_HELD = 4;

/** The manifest's content at one moment, and what it came to. */
interface Seen {
  etag: string;
  bytes: Uint8Array;
  /** one that is wrong is not asked for again either */
  manifest?: Promise<Manifest>;
  /** the one that was found good, so that an unchanged manifest costs one request */
  signature?: Uint8Array;
}

/** A manifest, with who signed it where a signature is asked for. */
interface Current {
  manifest: Manifest;
  signed?: SignedManifest & { by: VerifiedSignature };
}

/** A blob that a manifest names. */
interface Part {
  /** changes when its content does */
  mark: string;
  bytes(): Promise<Uint8Array>;
}

/**
 * A release named by a manifest in an object store. While the manifest is the same it costs one conditional request, and
 * nothing else where it holds digests; a blob without a digest is asked for, on condition that it changed, each time.
 */
export function createObjectSource(options: ObjectSourceOptions): ReleaseSource {
  const { url, cache, trust } = options;
  const folder = url.slice(0, url.lastIndexOf('/') + 1);
  let opened: { store: ObjectReader; key: string } | undefined;
  let seen: Seen | undefined;
  let isAbsent = false;
  /** by digest */
  const held = new BoundedMap<string, Uint8Array>(BLOBS_HELD);
  /** blobs without a digest in the manifest, by key */
  const tagged = new Map<string, StoredObject>();

  const ask = async <T>(
    name: keyof typeof MAX_BYTES,
    where: string,
    request: (store: ObjectReader, key: string) => Promise<T>,
  ): Promise<T> => {
    try {
      opened ??= await options.open();
      return await request(opened.store, opened.key);
    } catch (error) {
      if (!(error instanceof ObjectStoreError)) throw error;
      if (error.isTooLarge) throw refused(name, where, `expected at most ${MAX_BYTES[name]} bytes, found more`, error);
      throw unavailable(`${where} cannot be read: ${error.message}`, where, error);
    }
  };

  const currentManifest = async (): Promise<Current> => {
    const limit = { maxBytes: MAX_BYTES.manifest };
    isAbsent = false;
    const found = await ask('manifest', url, (store, key) =>
      seen === undefined ? store.get(key, limit) : store.getUnlessSame(key, seen.etag, limit),
    );
    if (found === undefined) {
      isAbsent = true;
      seen = undefined;
      throw unavailable(`${url}: expected a manifest, but there is none`, url);
    }
    if (found !== 'unchanged') seen = { etag: found.etag, bytes: found.bytes };
    return readSeen(seen!);
  };

  /** Nothing of a manifest is interpreted before its signature is verified, by the key as it is now. */
  const readSeen = async (content: Seen): Promise<Current> => {
    const parsed = (): Promise<Manifest> => (content.manifest ??= parseManifest(content.bytes));
    if (trust === undefined) return { manifest: await parsed() };
    const key = signatureKey(content.bytes);
    const signature =
      content.signature ??
      (await ask('signature', folder + key, (store) => store.get(key, { maxBytes: MAX_SIGNATURE_BYTES })))?.bytes;
    const by = await trust.verify(content.bytes, signature, url);
    content.signature = signature;
    const manifest = await parsed();
    await trust.checkOrder(manifest, url);
    return { manifest, signed: { bytes: content.bytes, signature: signature!, by } };
  };

  const parseManifest = async (bytes: Uint8Array): Promise<Manifest> => {
    const manifest = await readManifest(url, () => options.parseDocument(bytes, url));
    requireDigests(manifest, options.digests, url);
    for (const name of ['policy', 'config'] as const) keyOf(manifest, name, url);
    return manifest;
  };

  const hold = (sha: string, bytes: Uint8Array): Uint8Array => {
    held.set(sha, bytes);
    return bytes;
  };

  const partOf = async (manifest: Manifest, name: 'policy' | 'config'): Promise<Part> => {
    const key = keyOf(manifest, name, url);
    const where = folder + key;
    const sha = name === 'policy' ? manifest.policySHA256 : manifest.configSHA256;
    const limit = { maxBytes: MAX_BYTES[name] };
    if (sha !== undefined) {
      let isThere: boolean | undefined;
      const bytes = async (): Promise<Uint8Array> => {
        const known = held.get(sha) ?? (await cache?.blob(sha));
        if (known !== undefined) {
          // A worker that starts has only the store: a release is whole for all workers or for none.
          isThere ??= await ask(name, where, (store) => store.has(key));
          if (!isThere) throw absent(name, where);
          return hold(sha, known);
        }
        const found = await ask(name, where, (store) => store.get(key, limit));
        if (found === undefined) throw absent(name, where);
        isThere = true;
        (name === 'policy' ? checkPolicyDigest : checkConfigDigest)(sha256(found.bytes), sha, where);
        return hold(sha, found.bytes);
      };
      return { mark: sha, bytes };
    }
    const before = tagged.get(key);
    const answer = await ask(name, where, (store) =>
      before === undefined ? store.get(key, limit) : store.getUnlessSame(key, before.etag, limit),
    );
    const found = answer === 'unchanged' ? before : answer;
    if (found === undefined) {
      tagged.delete(key);
      return { mark: 'absent', bytes: () => Promise.reject(absent(name, where)) };
    }
    tagged.set(key, found);
    return { mark: found.etag, bytes: async () => found.bytes };
  };

  return {
    where: url,
    configFolder: options.configFolder,
    read: async () => {
      const current = await currentManifest();
      const { manifest } = current;
      const [policy, config] = await Promise.all([partOf(manifest, 'policy'), partOf(manifest, 'config')]);
      for (const key of tagged.keys()) {
        if (![manifest.policy, manifest.config].map(plainKey).includes(key)) tagged.delete(key);
      }
      return toNamed(current, policy, config, cache && (async (release) => cache.keep(release)));
    },
    readKept: async () => {
      const kept = isAbsent ? undefined : await cache?.last();
      if (cache === undefined || kept === undefined) return undefined;
      const current = trust ? await verifyKept(trust, kept.signed) : { manifest: await readDocument(kept.manifest) };
      const part = (sha: string): Part => ({
        mark: sha,
        bytes: async () => {
          const bytes = await cache.blob(sha);
          if (bytes === undefined)
            throw unavailable(`The release kept on disk is not used: ${sha} is missing or altered`, url);
          return hold(sha, bytes);
        },
      });
      return toNamed(current, part(kept.policySha), part(kept.configSha));
    },
  };

  async function readDocument(document: JsonValue): Promise<Manifest> {
    const manifest = await readManifest(url, async () => ({ document }));
    requireDigests(manifest, options.digests, url);
    return manifest;
  }

  async function verifyKept(checked: ManifestTrust, signed: SignedManifest | undefined): Promise<Current> {
    if (signed === undefined)
      throw unavailable('The release kept on disk is not used: its manifest is not signed', url);
    const by = await checked.verify(signed.bytes, signed.signature, url);
    const manifest = await parseManifest(signed.bytes);
    await checked.checkOrder(manifest, url);
    return { manifest, signed: { ...signed, by } };
  }

  function toNamed(
    { manifest, signed }: Current,
    policy: Part,
    config: Part,
    keep?: (release: ReleaseToKeep) => Promise<void>,
  ): NamedRelease {
    return {
      manifest,
      ...(signed && { signature: signed.by, accept: async () => trust?.accept(manifest) }),
      fingerprint: sha256(JSON.stringify([manifest, policy.mark, config.mark])),
      loadPolicy: async () => {
        const bytes = await policy.bytes();
        const bundle = await options.policies.read(bytes).catch((error: unknown) => {
          // Its faults name files in it.
          throw namedFaults(folder + plainKey(manifest.policy), error);
        });
        checkPolicyDigest(bundle.sha, manifest.policySHA256, folder + manifest.policy);
        return bundle;
      },
      loadConfig: async () => {
        const loaded = await options.readReleaseConfig(await config.bytes(), folder + plainKey(manifest.config));
        checkConfigDigest(loaded.configRev, manifest.configSHA256, folder + manifest.config);
        return loaded;
      },
      ...(keep === undefined
        ? {}
        : {
            keep: async () => {
              try {
                await keep({
                  manifest,
                  policy: await policy.bytes(),
                  config: await config.bytes(),
                  ...(signed && { signed: { bytes: signed.bytes, signature: signed.signature } }),
                });
              } catch (error) {
                options.onNotKept?.(error);
              }
            },
          }),
    };
  }
}

/** Relative to the manifest and below it: another place of the bucket is another one's to write. */
function keyOf(manifest: Manifest, name: 'policy' | 'config', url: string): string {
  const key = plainKey(manifest[name]);
  const isBelow = !/[\\\0]/.test(key) && key.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (isBelow) return key;
  const message = `${url}: expected ${name} to be a path below the manifest's own, got ${JSON.stringify(manifest[name])}`;
  throw new GateError(FailureType.ManifestInvalid, message, [
    { type: FailureType.ManifestInvalid, message, where: url },
  ]);
}

const plainKey = (path: string): string => path.replace(/^(\.\/)+/, '');

const absent = (name: 'policy' | 'config', where: string): GateError =>
  refused(name, where, 'the manifest names it, but there is none');

const REFUSALS = {
  manifest: FailureType.ManifestInvalid,
  signature: FailureType.ManifestInvalid,
  policy: FailureType.PolicyInvalid,
  config: FailureType.ConfigInvalid,
} as const;

/** What was found and is wrong in itself, so that no later try will mend it. */
function refused(name: keyof typeof MAX_BYTES, where: string, what: string, cause?: unknown): GateError {
  const type = REFUSALS[name];
  const message = `${where}: ${what}`;
  return new GateError(type, message, [{ type, message, where }], { cause });
}

function unavailable(message: string, where: string, cause?: unknown): GateError {
  const type = FailureType.PolicyUnavailable;
  return new GateError(type, message, [{ type, message, where }], { cause });
}
