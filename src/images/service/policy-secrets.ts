import { FailureType, GateError } from '../../kernel/failures';
import { isEncrypted } from '../../platform/documents/encrypted-text';
import { readSecret } from '../../platform/files/read-secret';
import type { LoadedSettings } from '../../settings/load-settings';
import { secretDeps } from '../../settings/secret-deps';
import { secretNameOf } from '../policies/find-credentials';

/**
 * What a text of a policy means, read where it is used: the secret that `secret:NAME` names, the text that is encrypted, or
 * itself.
 *
 * @throws GateError ConfigInvalid that names the file or variable, never what is in it
 */
export async function readPolicyText(
  loaded: LoadedSettings,
  env: Readonly<Record<string, string | undefined>>,
  text: string,
): Promise<string> {
  const deps = secretDeps(loaded, env);
  if (isEncrypted(text)) return readSecret({ encrypted: text }, deps);
  const name = secretNameOf(text);
  if (name === undefined) return text;
  const { secrets } = loaded.settings.policy;
  const ref = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
  if (ref === undefined) throw new GateError(FailureType.ConfigInvalid, `policy.secrets has no ${name}`);
  return readSecret(ref, { ...deps, where: `policy.secrets.${name}` });
}
