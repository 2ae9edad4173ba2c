import { stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allReadOrFaults } from '../../kernel/all-or-faults';
import { FailureType, GateError, namedFaults } from '../../kernel/failures';
import { loadReleaseConfig } from './load-release-config';
import type { LoadedSettings } from '../../settings/load-settings';
import { openObjectStore } from '../../platform/objects/stores/open-object-store';
import { openReleaseSource } from './open-release-source';
import { readBundle } from '../../rego/bundle/bundle';
import { DEFAULT_ARCHIVE_LIMITS } from '../../rego/bundle/archive/read-archive';
import type { PolicyBundle } from '../../rego/bundle/policy-bundle';
import { loadPolicy } from './load-policy';
import type { LoadedConfig } from './release-source';

/** What a name stands for: a whole release, or a policy alone. */
export interface OpenedRelease {
  /** the name, as given */
  where: string;
  version?: string;
  policy: PolicyBundle;
  config?: LoadedConfig;
}

/** What names of files and secrets are read in. */
export interface Surroundings {
  /** where secrets are looked up */
  env: NodeJS.ProcessEnv;
  /** what paths are relative to */
  cwd: string;
}

/**
 * A manifest (its name ends in .json), a policy folder or a bundle; each at a path, a file: or an s3: URL. A manifest is
 * read as a worker of these settings would: with its digests, and its signature where a key is set.
 *
 * @param configPath takes the place of the configuration that a manifest names
 * @throws GateError with every fault
 */
export async function openNamedRelease(
  loaded: LoadedSettings,
  where: string,
  configPath: string | undefined,
  { env, cwd }: Surroundings,
): Promise<OpenedRelease> {
  const given = async (): Promise<LoadedConfig | undefined> =>
    configPath === undefined ? undefined : loadReleaseConfig(resolve(cwd, configPath));
  const isUrl = /^(s3|file):/i.test(where);
  if (extname(where) === '.json' && !(await isFolder(cwd, where))) {
    const manifest = isUrl ? where : resolve(cwd, where);
    const { settings, baseDir } = loaded;
    const named = await openReleaseSource(
      { baseDir, settings: { ...settings, release: { ...settings.release, manifest } } },
      { env },
    ).read();
    const [policy, config] = await allReadOrFaults(
      named.loadPolicy(),
      given().then((replaced) => replaced ?? named.loadConfig()),
    );
    return { where, version: named.manifest.version, policy, config };
  }
  // A name of another scheme is no path, and says so as one that is not there.
  const policy = (isUrl ? readObject(where, loaded, cwd) : loadPolicy(resolve(cwd, where))).catch((error: unknown) => {
    // Its faults name files in it, and there may be another policy beside it.
    throw namedFaults(where, error, isUrl ? where : resolve(cwd, where));
  });
  const [read, config] = await allReadOrFaults(policy, given());
  return { where, policy: read, ...(config && { config }) };
}

async function isFolder(cwd: string, where: string): Promise<boolean> {
  const found = await stat(resolve(cwd, where)).catch(() => undefined);
  return found?.isDirectory() === true;
}

async function readObject(url: string, { settings }: LoadedSettings, cwd: string): Promise<PolicyBundle> {
  // It may be a folder, which no store has.
  if (url.toLowerCase().startsWith('file:')) return loadPolicy(pathOf(url));
  const { store, key } = await openObjectStore(url, settings.release.s3, cwd);
  const found = await store.get(key, { maxBytes: DEFAULT_ARCHIVE_LIMITS.maxArchiveBytes });
  if (found) return readBundle(found.bytes);
  throw new GateError(FailureType.PolicyInvalid, `Expected a bundle at ${url}, found none`);
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw new GateError(
      FailureType.ConfigInvalid,
      `Expected a file:// URL of this machine, got ${JSON.stringify(url)}`,
    );
  }
}
