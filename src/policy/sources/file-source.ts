import { createHash } from 'node:crypto';
import { watch } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FailureType, GateError } from '../../failures';
import type { JsonValue } from '../../json';
import type { Manifest } from '../manifest';
import type { PolicyBundle } from '../release';
import type { LoadedConfig, NamedRelease, ReleaseSource } from './release-source';

/** How configuration files are read: another feature's adapters, which whoever puts the parts together hands over. */
export interface ConfigLoaders {
  loadDocument(path: string): Promise<{ document: JsonValue; lineOf?(pointer: string): number | undefined }>;
  loadReleaseConfig(path: string): Promise<LoadedConfig>;
}

/**
 * A release named by a manifest file; `policy` may be a bundle or a folder (which needs the `opa` binary to build).
 *
 * @param manifest a `file:` URL or a path; anything else fails when it is read
 */
export function createFileSource(manifest: string, loaders: ConfigLoaders): ReleaseSource {
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
      const named = await readNamed(path, loaders);
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

async function readNamed(path: string, loaders: ConfigLoaders): Promise<NamedRelease> {
  const folder = dirname(path);
  const manifest = await readManifest(path, loaders);
  const policyPath = resolve(folder, manifest.policy);
  const configPath = resolve(folder, manifest.config);
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([manifest, await fingerprintOf(policyPath), await fingerprintOf(configPath)]))
    .digest('hex');
  return {
    manifest,
    fingerprint,
    loadPolicy: () => loadPolicy(policyPath),
    loadConfig: () => loaders.loadReleaseConfig(configPath),
  };
}

async function readManifest(path: string, { loadDocument }: ConfigLoaders): Promise<Manifest> {
  try {
    const { document, lineOf } = await loadDocument(path);
    // A command that loads a bundle alone needs neither: its start is short.
    const [{ Manifest: schema }, { validate }] = await Promise.all([
      import('../manifest.js'),
      import('../../config/validate.js'),
    ]);
    return validate<Manifest>(schema, document, { file: path, lineOf });
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    const faults = error.faults.map((fault) => ({ ...fault, type: FailureType.ManifestInvalid }));
    throw new GateError(FailureType.ManifestInvalid, error.message, faults, { cause: error });
  }
}

/** A policy folder is built on the spot; a bundle is read as it is. */
export async function loadPolicy(path: string): Promise<PolicyBundle> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(path, `could not be read (${error.code ?? error.message})`, error);
  });
  if (found.isDirectory()) {
    const { buildPolicy } = await import('../toolchain/build-policy.js');
    return (await buildPolicy(path)).bundle;
  }
  // A pipe or a device could be read for ever.
  if (!found.isFile()) throw unreadable(path, 'is a device or a pipe');
  const { readBundle } = await import('../bundle.js');
  return readBundle(await readFile(path));
}

function unreadable(path: string, reason: string, cause?: unknown): GateError {
  const message = `Expected the policy at ${path}, but it ${reason}`;
  return new GateError(FailureType.PolicyUnavailable, message, undefined, { cause });
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
