import { loadDocument, parseDocument } from '../../platform/documents/loaders/document';
import { loadReleaseConfig, readReleaseConfig } from './load-release-config';
import { join } from 'node:path';
import type { LoadedSettings } from '../../settings/load-settings';
import type { ObjectReader } from '../../platform/objects/object-store';
import { openObjectStore } from '../../platform/objects/stores/open-object-store';
import { createFileSource } from './file-source';
import { createObjectSource } from './object-source';
import { createAcceptedTimes } from '../signing/accepted-times';
import { createManifestTrust, type ManifestTrust } from '../signing/manifest-trust';
import { verificationKeyOf } from '../signing/verification-key';
import { cacheFolder, createReleaseCache, manifestFolder } from './release-cache';
import type { PolicyReader, ReleaseSource } from './release-source';

export interface ReleaseSourceOptions {
  env: NodeJS.ProcessEnv;
  /** a release, or when the last accepted one was published, could not be kept on disk */
  onNotKept?(error: unknown): void;
  /** where the manifest and what it names are, in place of the store that its URL names */
  objects?: ObjectReader;
}

/**
 * Where the releases come from that the settings name. Nothing is opened before the first read.
 *
 * An `s3://` manifest must hold digests unless `release.digests` says otherwise, and what was in force is kept on disk; its
 * configuration's own relative paths start from the settings' folder, those of a file from the file's. With a verification
 * key every manifest must hold digests and be signed.
 */
export function openReleaseSource({ settings, baseDir }: LoadedSettings, options: ReleaseSourceOptions): ReleaseSource {
  const { manifest, digests, s3 } = settings.release;
  const policies = policyReader({ settings, baseDir }, options.env);
  const { objects } = options;
  const folder = cacheFolder(settings.release.cacheFolder, baseDir, options.env);
  const trust = manifestTrust({ settings, baseDir }, manifestFolder(folder, manifest), options);
  if (objects === undefined && !manifest.startsWith('s3://')) {
    return createFileSource(manifest, {
      digests: trust ? 'required' : (digests ?? 'optional'),
      policies,
      trust,
      loadDocument,
      parseDocument,
      loadReleaseConfig,
    });
  }
  return createObjectSource({
    url: manifest,
    open: async () =>
      objects === undefined ? openObjectStore(manifest, s3) : { store: objects, key: lastPart(manifest) },
    digests: trust ? 'required' : (digests ?? 'required'),
    configFolder: baseDir,
    policies,
    trust,
    parseDocument,
    readReleaseConfig,
    cache: createReleaseCache(folder, manifest),
    onNotKept: options.onNotKept,
  });
}

const lastPart = (url: string): string => url.slice(url.lastIndexOf('/') + 1);

/** The key is read for each bundle, so that a rotated one is taken up. */
function policyReader(loaded: LoadedSettings, env: NodeJS.ProcessEnv): PolicyReader {
  const readKey = verificationKeyOf(loaded, env);
  return {
    verifies: readKey !== undefined,
    read: async (bytes) => {
      const { readBundle } = await import('../../rego/bundle/bundle.js');
      return readKey === undefined ? readBundle(bytes) : readBundle(bytes, { verificationKey: await readKey() });
    },
  };
}

function manifestTrust(
  loaded: LoadedSettings,
  folder: string,
  { env, onNotKept }: ReleaseSourceOptions,
): ManifestTrust | undefined {
  const key = verificationKeyOf(loaded, env);
  if (key === undefined) return undefined;
  return createManifestTrust({
    key,
    accepted: createAcceptedTimes(join(folder, 'accepted')),
    nowMs: Date.now,
    onNotKept,
  });
}
