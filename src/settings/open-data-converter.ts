import type { DataConverter, PayloadCodec } from '@temporalio/common';
import { readSecret } from '../platform/files/read-secret';
import type { LoadedSettings } from './load-settings';
import { secretDeps } from './secret-deps';
import { toPayloadKeys } from '../platform/temporal/encryption/encryption-key';
import { messageConverterPath } from '../platform/temporal/converters/message-converter-path';
import { createPayloadCodec } from '../platform/temporal/encryption/payload-codec';

/** Where the workflows' bundle and the data converter find the failure converter that encrypts. */
export const failureConverterPath = (): string => require.resolve('../platform/temporal/encryption/failure-converter');

/**
 * The codec over the keys that the settings name; undefined when they name none.
 *
 * @throws GateError ConfigInvalid with every fault of the keys
 */
export async function openPayloadCodec(
  loaded: LoadedSettings,
  env: NodeJS.ProcessEnv = process.env,
): Promise<PayloadCodec | undefined> {
  const { encryptionKeys } = loaded.settings.temporal;
  const read = encryptionKeys.map(async ({ id, key }, index) => ({
    id,
    text: await readSecret(key, { ...secretDeps(loaded, env), where: `temporal.encryptionKeys[${index}].key` }),
  }));
  const [first, ...others] = toPayloadKeys(await Promise.all(read));
  return first === undefined ? undefined : createPayloadCodec([first, ...others]);
}

/**
 * What a Temporal client and a worker of your own must be given as `dataConverter` to work with this gate: its payload
 * converter, and where the settings name encryption keys, the codec and the failure converter too.
 *
 * @param own the data converter that you use already; its payload converter is wrapped, not replaced
 * @throws GateError ConfigInvalid with every fault of the keys
 */
export async function gateDataConverter(
  loaded: LoadedSettings,
  env: NodeJS.ProcessEnv = process.env,
  own: DataConverter = {},
): Promise<DataConverter> {
  const codec = await openPayloadCodec(loaded, env);
  return {
    ...own,
    payloadConverterPath: messageConverterPath(own.payloadConverterPath),
    ...(codec && { payloadCodecs: [codec], failureConverterPath: failureConverterPath() }),
  };
}

/** Whether what it writes is encrypted. */
export const encrypts = ({ payloadCodecs = [] }: DataConverter): boolean => payloadCodecs.length > 0;
