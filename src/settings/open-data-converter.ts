import type { DataConverter, PayloadCodec } from '@temporalio/common';
import { readSecret } from '../platform/files/read-secret';
import type { LoadedSettings } from './load-settings';
import { toPayloadKeys } from '../platform/temporal/encryption/encryption-key';
import { createPayloadCodec } from '../platform/temporal/encryption/payload-codec';

/** Where the workflows' bundle and the data converter find the failure converter that encrypts. */
export const failureConverterPath = (): string => require.resolve('../platform/temporal/encryption/failure-converter');

/**
 * The codec over the keys that the settings name; undefined when they name none.
 *
 * @throws GateError ConfigInvalid with every fault of the keys
 */
export async function openPayloadCodec(
  { settings, baseDir }: LoadedSettings,
  env: NodeJS.ProcessEnv = process.env,
): Promise<PayloadCodec | undefined> {
  const { encryptionKeys } = settings.temporal;
  const read = encryptionKeys.map(async ({ id, key }) => ({
    id,
    text: await readSecret(key, { env, configFolder: baseDir }),
  }));
  const [first, ...others] = toPayloadKeys(await Promise.all(read));
  return first === undefined ? undefined : createPayloadCodec([first, ...others]);
}

/**
 * What a Temporal client and a worker of your own must be given as `dataConverter` to work with this gate; undefined,
 * Temporal's default, while the settings name no encryption keys.
 *
 * @throws GateError ConfigInvalid with every fault of the keys
 */
export async function gateDataConverter(
  loaded: LoadedSettings,
  env: NodeJS.ProcessEnv = process.env,
): Promise<DataConverter | undefined> {
  const codec = await openPayloadCodec(loaded, env);
  return codec && { payloadCodecs: [codec], failureConverterPath: failureConverterPath() };
}
