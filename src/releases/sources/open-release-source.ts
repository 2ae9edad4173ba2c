import { loadDocument, parseDocument } from '../../platform/documents/loaders/document';
import { loadReleaseConfig, readReleaseConfig } from './load-release-config';
import { readSecret } from '../../platform/files/read-secret';
import type { LoadedSettings } from '../../settings/load-settings';
import { openObjectStore } from '../../platform/objects/stores/open-object-store';
import { createFileSource } from './file-source';
import { createObjectSource } from './object-source';
import { cacheFolder, createReleaseCache } from './release-cache';
import type { PolicyReader, ReleaseSource } from './release-source';

export interface ReleaseSourceOptions {
  env: NodeJS.ProcessEnv;
  /** a release could not be kept on disk for a start without its source */
  onNotKept?(error: unknown): void;
}

/**
 * Where the releases come from that the settings name. Nothing is opened before the first read.
 *
 * An `s3://` manifest must hold digests unless `release.digests` says otherwise, and what was in force is kept on disk; its
 * configuration's own relative paths start from the settings' folder, those of a file from the file's.
 */
export function openReleaseSource({ settings, baseDir }: LoadedSettings, options: ReleaseSourceOptions): ReleaseSource {
  const { manifest, digests, s3 } = settings.release;
  const policies = policyReader({ settings, baseDir }, options.env);
  if (!manifest.startsWith('s3://')) {
    return createFileSource(manifest, { digests: digests ?? 'optional', policies, loadDocument, loadReleaseConfig });
  }
  const folder = cacheFolder(settings.release.cacheFolder, baseDir, options.env);
  return createObjectSource({
    url: manifest,
    open: () => openObjectStore(manifest, s3),
    digests: digests ?? 'required',
    configFolder: baseDir,
    policies,
    parseDocument,
    readReleaseConfig,
    cache: createReleaseCache(folder, manifest),
    onNotKept: options.onNotKept,
  });
}

/** The key is read for each bundle, so that a rotated one is taken up. */
function policyReader({ settings, baseDir }: LoadedSettings, env: NodeJS.ProcessEnv): PolicyReader {
  const key = settings.release.verificationKey;
  return {
    verifies: key !== undefined,
    read: async (bytes) => {
      const { readBundle } = await import('../../rego/bundle/bundle.js');
      if (key === undefined) return readBundle(bytes);
      const { key: secret, keyID: keyId, algorithm, scope } = key;
      const verificationKey = {
        key: await readSecret(secret, { env, configFolder: baseDir }),
        keyId,
        algorithm,
        ...(scope === undefined ? {} : { scope }),
      };
      return readBundle(bytes, { verificationKey });
    },
  };
}
