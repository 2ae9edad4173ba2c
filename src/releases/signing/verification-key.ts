import { readSecret } from '../../platform/files/read-secret';
import type { BundleKey } from '../../rego/bundle/signing/bundle-key';
import type { LoadedSettings } from '../../settings/load-settings';
import { secretDeps } from '../../settings/secret-deps';

/**
 * Reads the key of `release.verificationKey`, anew at each call; undefined where the settings have none.
 *
 * @throws (the function returned) GateError ConfigInvalid when the key cannot be read
 */
export function verificationKeyOf(
  loaded: LoadedSettings,
  env: NodeJS.ProcessEnv,
): (() => Promise<BundleKey>) | undefined {
  const configured = loaded.settings.release.verificationKey;
  if (configured === undefined) return undefined;
  const { key, keyID: keyId, algorithm, scope } = configured;
  return async () => ({
    key: await readSecret(key, { ...secretDeps(loaded, env), where: 'release.verificationKey.key' }),
    keyId,
    algorithm,
    ...(scope === undefined ? {} : { scope }),
  });
}
