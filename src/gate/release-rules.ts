import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoadedSettings } from '../settings/load-settings';
import { imageFact } from '../images/gating/image-fact';
import { registriesOfSettings, registriesWithoutSettings } from '../images/service/registries-of-settings';
import type { ProviderKind } from './facts/provider-kind';
import type { RegisteredProvider } from './facts/registry';
import { openFacts } from './facts/service/open-facts';
import type { ReleaseRules } from './release-faults';

/**
 * What a worker with these settings asks of a release, for a command that only looks at one.
 *
 * @param configFolder what a worker starts the configuration's relative paths from
 * @param providers of a program's own gate, beside those of the release
 */
export function releaseRules(
  loaded: LoadedSettings,
  env: Readonly<Record<string, string | undefined>>,
  configFolder: string,
  providers: readonly RegisteredProvider[] = [],
): ReleaseRules {
  const { settings, baseDir, place } = loaded;
  const { allow, allowWasmOnly } = settings.release;
  return {
    facts: openFacts({
      env,
      configFolder: () => configFolder,
      settingsFolder: baseDir,
      allow,
      providers,
      kinds: [imageFact(registriesOfSettings(loaded, env))],
    }),
    allowWasmOnly,
    masks: settings.audit.mask,
    ...(place === undefined ? {} : { settingsPlace: place }),
  };
}

/** The kinds of providers of other rooms, where no settings are at hand. */
export function kindsWithoutSettings(env: Readonly<Record<string, string | undefined>>): readonly ProviderKind[] {
  return [imageFact(registriesWithoutSettings(env))];
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
