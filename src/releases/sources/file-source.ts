import { watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from '../../kernel/digest';
import { FailureType, GateError, namedFaults } from '../../kernel/failures';
import { checkConfigDigest, checkPolicyDigest } from '../manifest-digests';
import { loadPolicy } from './load-policy';
import { readFileManifest, type FileManifestOptions } from './read-file-manifest';
import type { LoadedConfig, NamedRelease, PolicyReader, ReleaseSource } from './release-source';

export interface FileSourceOptions extends FileManifestOptions {
  policies: PolicyReader;
  /** how configuration files are read: another feature's adapter, which whoever puts the parts together hands over */
  loadReleaseConfig(path: string): Promise<LoadedConfig>;
}

/**
 * A release named by a manifest file; `policy` may be a bundle or a folder (which needs the `opa` binary to build).
 *
 * @param manifest a `file:` URL or a path; anything else fails when it is read
 */
export function createFileSource(manifest: string, options: FileSourceOptions): ReleaseSource {
  const path = pathOf(manifest);
  const where = path ?? manifest;
  const source: ReleaseSource & { configFolder: string } = {
    where,
    configFolder: dirname(where),
    read: async () => {
      if (path === undefined) {
        const message = `release.manifest: expected a path or a file:// URL, got ${JSON.stringify(manifest)}`;
        throw new GateError(FailureType.ConfigInvalid, message);
      }
      const named = await readNamed(path, options);
      source.configFolder = dirname(resolve(dirname(path), named.manifest.config));
      return named;
    },
    watch: (onChange) => watchFolder(dirname(where), onChange),
  };
  return source;
}

function pathOf(manifest: string): string | undefined {
  // One letter before a colon would be a drive.
  if (!/^[a-z][a-z0-9+.-]+:/i.test(manifest)) return resolve(manifest);
  try {
    return fileURLToPath(manifest);
  } catch {
    return undefined;
  }
}

/** The folder, not the file: a file that is replaced by renaming another one over it would no longer be watched. */
function watchFolder(folder: string, onChange: () => void): () => void {
  try {
    const watcher = watch(folder, () => onChange());
    watcher.on('error', () => watcher.close());
    watcher.unref();
    return () => watcher.close();
  } catch {
    // No such folder yet, or no watches left: the checks at intervals find what comes.
    return () => undefined;
  }
}

async function readNamed(path: string, options: FileSourceOptions): Promise<NamedRelease> {
  const folder = dirname(path);
  const { trust } = options;
  const { manifest, signature } = await readFileManifest(path, options);
  const policyPath = resolve(folder, manifest.policy);
  const configPath = resolve(folder, manifest.config);
  const fingerprint = sha256(
    JSON.stringify([manifest, await fingerprintOf(policyPath), await fingerprintOf(configPath)]),
  );
  return {
    manifest,
    fingerprint,
    ...(signature && { signature, accept: async () => trust?.accept(manifest) }),
    loadPolicy: async () => {
      const policy = await loadPolicy(policyPath, options.policies).catch((error: unknown) => {
        // Its faults name files in it.
        throw namedFaults(policyPath, error);
      });
      checkPolicyDigest(policy.sha, manifest.policySHA256, policyPath);
      return policy;
    },
    loadConfig: async () => {
      const loaded = await options.loadReleaseConfig(configPath);
      checkConfigDigest(loaded.configRev, manifest.configSHA256, configPath);
      return loaded;
    },
  };
}

/** Sizes, times and identities of a file, or of all files of a folder; a missing file has one of its own. */
async function fingerprintOf(path: string): Promise<unknown> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return 'missing';
  if (!found.isDirectory()) return identityOf(found);
  const names = (await readdir(path, { recursive: true })).sort();
  return Promise.all(
    names.map(async (name) => {
      const file = await stat(join(path, name)).catch(() => undefined);
      return [name, file?.isFile() ? identityOf(file) : 'no file'];
    }),
  );
}

/** The time of the last change of the inode too: a copy may keep the size and the time of the contents. */
function identityOf({ size, mtimeMs, ctimeMs, ino }: Awaited<ReturnType<typeof stat>>): unknown {
  return [Number(size), Number(mtimeMs), Number(ctimeMs), Number(ino)];
}
