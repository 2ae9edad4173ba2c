import { resolve } from 'node:path';
import type { SettingsSecretDeps } from '../platform/files/read-secret';
import type { LoadedSettings } from './load-settings';

/** What secrets of the settings are read with. */
export function secretDeps(
  { settings, baseDir }: Pick<LoadedSettings, 'settings' | 'baseDir'>,
  env: SettingsSecretDeps['env'],
): SettingsSecretDeps {
  const { identityFile } = settings.secrets;
  return {
    env,
    configFolder: baseDir,
    identityFile: identityFile === undefined ? undefined : resolve(baseDir, identityFile),
  };
}
