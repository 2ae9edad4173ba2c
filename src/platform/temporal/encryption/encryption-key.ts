import { FailureType, faultsToError, type Fault } from '../../../kernel/failures';

/** A key of payload encryption, ready for use. */
export interface PayloadKey {
  /** is in the clear beside what the key encrypted */
  id: string;
  /** 32 of them */
  bytes: Uint8Array;
}

const KEY_BYTES = 32;

/** The bytes that `text` holds in hex or base64 (either alphabet, padded or not); undefined when they are not 32. */
export function parseKeyBytes(text: string): Uint8Array | undefined {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return new Uint8Array(Buffer.from(text, 'hex'));
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return undefined;
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  return bytes.length === KEY_BYTES ? bytes : undefined;
}

/**
 * The keys in their order, each checked.
 *
 * @throws GateError ConfigInvalid with every fault: a key that is not 32 bytes, an id that is used twice. No message holds
 *   a key or part of one.
 */
export function toPayloadKeys(given: readonly { id: string; text: string }[]): PayloadKey[] {
  const faults: Fault[] = [];
  const keys: PayloadKey[] = [];
  for (const [index, { id, text }] of given.entries()) {
    const where = `temporal.encryptionKeys[${index}]`;
    const fault = (message: string): void => void faults.push({ type: FailureType.ConfigInvalid, message, where });
    const bytes = parseKeyBytes(text);
    if (bytes === undefined) fault(`Expected key ${id} to be ${KEY_BYTES} bytes in base64 or hex`);
    else if (keys.some((key) => key.id === id)) fault(`Expected each key to have an id of its own, found ${id} twice`);
    else keys.push({ id, bytes });
  }
  if (faults.length > 0) throw faultsToError(faults);
  return keys;
}
