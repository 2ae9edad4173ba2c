import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { FailureType, GateError } from '../../kernel/failures';
import { messageOf } from '../../kernel/message-of';
import type { EncryptedValue, SecretRef, SettingsSecret } from '../documents/schema-types';
import { decryptText } from './decrypt-text';

/** What a secret is read with. */
export interface SecretDeps {
  env: Readonly<Record<string, string | undefined>>;
  /** what a relative file is relative to: the folder of the file that holds the reference */
  configFolder: string;
}

/** What a secret of the settings is read with, which may be an encrypted value. */
export interface SettingsSecretDeps extends SecretDeps {
  /** absolute; undefined where the settings name none */
  identityFile: string | undefined;
}

/**
 * The secret that `ref` names or is, without surrounding white space; read at each use so that a rotated one is taken up.
 *
 * @param deps.where the path of the settings that holds `ref`, for the fault
 * @param failure the type of the error
 * @throws GateError that names the file or variable, never what is in it
 */
export function readSecret(
  ref: SecretRef,
  deps: SecretDeps & { where?: string },
  failure?: FailureType,
): Promise<string>;
export function readSecret(
  ref: SettingsSecret,
  deps: SettingsSecretDeps & { where?: string },
  failure?: FailureType,
): Promise<string>;
export async function readSecret(
  ref: SettingsSecret,
  deps: SecretDeps & { identityFile?: string; where?: string },
  failure: FailureType = FailureType.ConfigInvalid,
): Promise<string> {
  try {
    return 'encrypted' in ref ? await decrypted(ref, deps) : await found(ref, deps);
  } catch (error) {
    const message = messageOf(error);
    const { where } = deps;
    throw new GateError(failure, message, [{ type: failure, message, ...(where === undefined ? {} : { where }) }]);
  }
}

async function decrypted(
  { encrypted }: EncryptedValue,
  { identityFile, where }: { identityFile?: string; where?: string },
): Promise<string> {
  const what = where === undefined ? 'The encrypted value' : where;
  const text = await decryptText(encrypted, identityFile).catch((error: unknown) => {
    throw new Error(`${what}: ${messageOf(error)}`);
  });
  const secret = text.trim();
  if (secret === '') throw new Error(`${what}: expected an encrypted text, but it is empty`);
  return secret;
}

async function found(ref: SecretRef, { env, configFolder }: SecretDeps): Promise<string> {
  let value: string | undefined;
  let reason = 'is not set or empty';
  if ('env' in ref) {
    value = env[ref.env];
  } else {
    try {
      value = await readFile(resolve(configFolder, ref.file), 'utf8');
      reason = 'is empty';
    } catch (error) {
      reason = `could not be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`;
    }
  }
  const secret = value?.trim() ?? '';
  if (secret !== '') return secret;
  const name = 'env' in ref ? `environment variable ${ref.env}` : `file ${ref.file}`;
  throw new Error(`Expected a secret in ${name}, but it ${reason}`);
}
