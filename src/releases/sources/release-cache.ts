import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FailureType, GateError } from '../../kernel/failures';
import { isJsonObject } from '../../kernel/json';
import type { Manifest } from '../manifest';
import { userCacheFolder } from '../../platform/files/user-folders';
import { replaceDurably } from '../../platform/files/write-durably';
import { sha256 } from '../../kernel/digest';

/** The folder of the settings (relative to the settings file), else `$XDG_CACHE_HOME/planning-engine/releases`. */
export function cacheFolder(configured: string | undefined, baseDir: string, env: NodeJS.ProcessEnv): string {
  if (configured !== undefined) return resolve(baseDir, configured);
  return userCacheFolder('releases', env);
}

/** A release as it was kept: the manifest as it was read, and the digests of the blobs beside it. */
export interface KeptRelease {
  manifest: Manifest;
  policySha: string;
  configSha: string;
  /** absent where no signature was asked for */
  signed?: SignedManifest;
}

/** The manifest's own bytes, which were signed, and the content of its signature's file. */
export interface SignedManifest {
  bytes: Uint8Array;
  signature: Uint8Array;
}

/** A release that is in force. */
export interface ReleaseToKeep {
  manifest: Manifest;
  policy: Uint8Array;
  config: Uint8Array;
  signed?: SignedManifest;
}

/** As it is in the list: bytes in base64. */
interface ListedRelease extends Pick<KeptRelease, 'manifest' | 'policySha' | 'configSha'> {
  signed?: { bytes: string; signature: string };
}

/** Releases on disk that were in force, so that a worker can start while their source is out of reach. */
export interface ReleaseCache {
  /** the bytes with this digest; undefined when they are not there, or are others by now. Throws nothing */
  blob(sha: string): Promise<Uint8Array | undefined>;
  /** durable when it resolves; rejects with the file system's error (a full disk, a folder that may not be written) */
  keep(release: ReleaseToKeep): Promise<void>;
  /**
   * The release that was kept last; undefined when there is none.
   *
   * @throws GateError PolicyUnavailable when the list was altered or half written
   */
  last(): Promise<KeptRelease | undefined>;
}

const FORMAT = 1;
/** As many as a worker holds: going back to one of them asks the source for its manifest only. */
const RELEASES_KEPT = 4;
/** Another worker on this machine may have written a file that its list does not name yet. */
const SPARED_MS = 10 * 60_000;
const DIGEST = /^[0-9a-f]{64}$/;

/** The folder in `folder` for what is kept of one manifest, whose URL is `url`. */
export function manifestFolder(folder: string, url: string): string {
  return join(folder, sha256(url).slice(0, 32));
}

/**
 * A folder in `folder` for the releases of one manifest: `releases.json`, newest first, and blobs under their digests.
 * Every file is written beside its place and renamed into it. For this user's eyes only.
 *
 * @param url the manifest's: what another one named is never found
 */
export function createReleaseCache(folder: string, url: string, nowMs: () => number = Date.now): ReleaseCache {
  const place = manifestFolder(folder, url);
  const list = join(place, 'releases.json');
  const blobs = join(place, 'blobs');

  const blob = async (sha: string): Promise<Uint8Array | undefined> => {
    const bytes = await readFile(join(blobs, sha)).catch(() => undefined);
    return bytes !== undefined && sha256(bytes) === sha ? new Uint8Array(bytes) : undefined;
  };

  /** The parts are among the blobs, which are swept: a process that is killed here leaves one. */
  const replace = (path: string, content: string | Uint8Array): Promise<void> =>
    replaceDurably(path, content, { part: join(blobs, randomUUID()), mode: 0o600 });

  /** @throws GateError when it is there and is no such list */
  const read = async (): Promise<ListedRelease[]> => {
    const text = await readFile(list, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw refuse(list, `could not be read (${error.code ?? error.message})`, error);
    });
    if (text === undefined) return [];
    const document = parse(text);
    const isList =
      isJsonObject(document) &&
      document.format === FORMAT &&
      document.url === url &&
      Array.isArray(document.releases) &&
      document.releases.every(isKept);
    if (!isList) throw refuse(list, `is no list of releases of ${url} in format ${FORMAT}`);
    return document.releases as unknown as ListedRelease[];
  };

  const sweep = async (kept: readonly ListedRelease[]): Promise<void> => {
    const named = new Set(kept.flatMap(({ policySha, configSha }) => [policySha, configSha]));
    for (const name of await readdir(blobs)) {
      if (named.has(name)) continue;
      // Another worker sweeps here too, and renames what it has written.
      const found = await stat(join(blobs, name)).catch(ignoreAbsence);
      if (found && nowMs() - found.mtimeMs > SPARED_MS) await rm(join(blobs, name), { force: true });
    }
  };

  return {
    blob,
    keep: async ({ manifest, policy, config, signed }) => {
      await mkdir(blobs, { recursive: true, mode: 0o700 });
      const release: ListedRelease = {
        manifest,
        policySha: sha256(policy),
        configSha: sha256(config),
        ...(signed && { signed: { bytes: toBase64(signed.bytes), signature: toBase64(signed.signature) } }),
      };
      for (const [sha, bytes] of [
        [release.policySha, policy],
        [release.configSha, config],
      ] as const) {
        const path = join(blobs, sha);
        if ((await blob(sha)) === undefined) await replace(path, bytes);
        // As new, so that a worker whose list does not name it yet spares it.
        else await utimes(path, nowMs() / 1000, nowMs() / 1000);
      }
      // An unreadable list is of no use: the new one replaces it.
      const before = await read().catch(() => []);
      const others = before.filter((kept) => JSON.stringify(kept) !== JSON.stringify(release));
      const releases = [release, ...others].slice(0, RELEASES_KEPT);
      await replace(list, `${JSON.stringify({ format: FORMAT, url, releases }, null, 2)}\n`);
      await sweep(releases);
    },
    last: async () => {
      const [newest] = await read();
      if (newest === undefined) return undefined;
      const { signed, ...kept } = newest;
      if (signed === undefined) return kept;
      return { ...kept, signed: { bytes: fromBase64(signed.bytes), signature: fromBase64(signed.signature) } };
    },
  };
}

function ignoreAbsence(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isKept(value: unknown): boolean {
  if (!isJsonObject(value) || !isJsonObject(value.manifest)) return false;
  const { signed } = value;
  const isSigned = isJsonObject(signed) && typeof signed.bytes === 'string' && typeof signed.signature === 'string';
  if (signed !== undefined && !isSigned) return false;
  return [value.policySha, value.configSha].every((sha) => typeof sha === 'string' && DIGEST.test(sha));
}

function refuse(where: string, what: string, cause?: unknown): GateError {
  const message = `The release kept on disk is not used: ${where} ${what}`;
  return new GateError(
    FailureType.PolicyUnavailable,
    message,
    [{ type: FailureType.PolicyUnavailable, message, where }],
    {
      cause,
    },
  );
}
