import { FailureType, GateError } from '../../kernel/failures';
import { readSecret } from '../../platform/files/read-secret';
import type { LoadedSettings } from '../../settings/load-settings';

/**
 * The secret that policies name as `secret:NAME`, read where it is used.
 *
 * @throws GateError ConfigInvalid that names the file or variable, never what is in it
 */
export async function readPolicySecret(
  { settings, baseDir }: LoadedSettings,
  env: Readonly<Record<string, string | undefined>>,
  name: string,
): Promise<string> {
  const ref = Object.hasOwn(settings.policy.secrets, name) ? settings.policy.secrets[name] : undefined;
  if (ref === undefined) throw new GateError(FailureType.ConfigInvalid, `policy.secrets has no ${name}`);
  return readSecret(ref, { env, configFolder: baseDir, where: `policy.secrets.${name}` });
}
