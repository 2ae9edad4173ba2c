import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { FailureType, GateError } from '../../kernel/failures';
import type { SecretRef } from '../documents/schema-types';

/**
 * The secret that `ref` names, without surrounding white space; read at each use so that a rotated one is taken up.
 *
 * @param deps.configFolder what a relative file is relative to: the folder of the file that holds `ref`
 * @param deps.where the path of the settings that holds `ref`, for the fault
 * @param failure the type of the error
 * @throws GateError that names the file or variable, never what is in it
 */
export async function readSecret(
  ref: SecretRef,
  deps: { env: Readonly<Record<string, string | undefined>>; configFolder: string; where?: string },
  failure: FailureType = FailureType.ConfigInvalid,
): Promise<string> {
  let value: string | undefined;
  let reason = 'is not set or empty';
  if ('env' in ref) {
    value = deps.env[ref.env];
  } else {
    try {
      value = await readFile(resolve(deps.configFolder, ref.file), 'utf8');
      reason = 'is empty';
    } catch (error) {
      reason = `could not be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`;
    }
  }
  const secret = value?.trim() ?? '';
  if (secret !== '') return secret;
  const name = 'env' in ref ? `environment variable ${ref.env}` : `file ${ref.file}`;
  const message = `Expected a secret in ${name}, but it ${reason}`;
  const { where } = deps;
  throw new GateError(failure, message, [{ type: failure, message, ...(where === undefined ? {} : { where }) }]);
}
