import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoadedSettings } from '../settings/load-settings';
import { openFacts } from './facts/service/open-facts';
import type { ReleaseRules } from './release-faults';

/**
 * What a worker with these settings asks of a release, for a command that only looks at one.
 *
 * @param configFolder what a worker starts the configuration's relative paths from
 */
export function releaseRules(
  { settings, baseDir, place }: LoadedSettings,
  env: Readonly<Record<string, string | undefined>>,
  configFolder: string,
): ReleaseRules {
  const { allow, allowWasmOnly } = settings.release;
  return {
    facts: openFacts({ env, configFolder: () => configFolder, settingsFolder: baseDir, allow }),
    allowWasmOnly,
    masks: settings.audit.mask,
    ...(place === undefined ? {} : { settingsPlace: place }),
  };
}

/**
 * Where a worker starts the relative paths of a configuration that a manifest names: beside it, where it is a file; in the
 * folder of the settings, where it comes from elsewhere.
 *
 * @param storeUrl the place of the manifest, with a `/` at its end
 * @param config as the manifest names it
 */
export function configFolderOf({ baseDir }: LoadedSettings, storeUrl: string, config: string): string {
  return storeUrl.startsWith('file:') ? dirname(resolve(fileURLToPath(storeUrl), config)) : baseDir;
}
