import { createHash } from 'node:crypto';
import { watch } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadDocument } from '../../config/loaders/document';
import { loadReleaseConfig } from '../../config/loaders/release-config';
import { validate } from '../../config/validate';
import { FailureType, GateError } from '../../failures';
import { Manifest } from '../manifest';
import type { PolicyBundle } from '../release';
import type { NamedRelease, ReleaseSource } from './release-source';

/** A release named by a manifest file; `policy` may be a bundle or a folder (which needs the `opa` binary to build). */
export function createFileSource(manifestUrl: string): ReleaseSource {
  const path = manifestUrl.startsWith('file:') ? fileURLToPath(manifestUrl) : resolve(manifestUrl);
  const folder = dirname(path);
  const source: ReleaseSource & { configFolder: string } = {
    where: path,
    configFolder: folder,
    read: async () => {
      const named = await readNamed(path, folder);
      source.configFolder = dirname(resolve(folder, named.manifest.config));
      return named;
    },
    watch: (onChange) => {
      // The folder, not the file: a file that is replaced by renaming another one over it would no longer be watched.
      const watcher = watch(folder, () => onChange());
      watcher.on('error', () => watcher.close());
      watcher.unref();
      return () => watcher.close();
    },
  };
  return source;
}

async function readNamed(path: string, folder: string): Promise<NamedRelease> {
  const manifest = await readManifest(path);
  const policyPath = resolve(folder, manifest.policy);
  const configPath = resolve(folder, manifest.config);
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([manifest, await fingerprintOf(policyPath), await fingerprintOf(configPath)]))
    .digest('hex');
  return {
    manifest,
    fingerprint,
    loadPolicy: () => loadPolicy(policyPath),
    loadConfig: () => loadReleaseConfig(configPath),
  };
}

async function readManifest(path: string): Promise<Manifest> {
  try {
    const { document, lineOf } = await loadDocument(path);
    return validate<Manifest>(Manifest, document, { file: path, lineOf });
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    const faults = error.faults.map((fault) => ({ ...fault, type: FailureType.ManifestInvalid }));
    throw new GateError(FailureType.ManifestInvalid, error.message, faults, { cause: error });
  }
}

/** A policy folder is built on the spot; a bundle is read as it is. */
export async function loadPolicy(path: string): Promise<PolicyBundle> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const message = `Expected the policy at ${path}, but it could not be read (${error.code ?? error.message})`;
    throw new GateError(FailureType.PolicyUnavailable, message, undefined, { cause: error });
  });
  if (found.isDirectory()) {
    const { buildPolicy } = await import('../toolchain/build-policy.js');
    return (await buildPolicy(path)).bundle;
  }
  const { readBundle } = await import('../bundle.js');
  return readBundle(await readFile(path));
}

/** Sizes and times of a file, or of all files of a folder; a missing file has one of its own. */
async function fingerprintOf(path: string): Promise<unknown> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return 'missing';
  if (!found.isDirectory()) return [found.size, found.mtimeMs, found.ino];
  const names = (await readdir(path, { recursive: true })).sort();
  return Promise.all(
    names.map(async (name) => {
      const file = await stat(join(path, name)).catch(() => undefined);
      return [name, file?.size, file?.isFile() ? file.mtimeMs : 0];
    }),
  );
}
