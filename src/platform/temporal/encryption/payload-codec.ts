import { webcrypto } from 'node:crypto';
import type { Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { FailureType, GateError } from '../../../kernel/failures';
import { ENCRYPTED, KEY_ID } from '../payloads/encrypted-payload';
import type { PayloadKey } from './encryption-key';

const ENCODING = 'encoding';
const CIPHER = 'AES-GCM';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const PayloadMessage = temporal.api.common.v1.Payload;

/**
 * Temporal's payloads under AES-256-GCM: the whole payload, metadata included, becomes nonce, ciphertext and tag. The
 * first key encrypts, every key decrypts; a payload that is not encrypted is left as it is, so that histories from before
 * encryption can be read.
 *
 * A payload of a workflow that no key opens is left as it is: whether a signal that no one can read matters is for the
 * workflow to say, and the payload converter throws for all that it must be able to read.
 *
 * @throws GateError ConfigInvalid from `decode` of an activity's payloads, and without a context, naming the key id: no key
 *   has it, or the bytes were altered
 */
export function createPayloadCodec(keys: readonly [PayloadKey, ...PayloadKey[]]): PayloadCodec {
  const imported = new Map<string, Promise<webcrypto.CryptoKey>>();
  const keyOf = (id: string): Promise<webcrypto.CryptoKey> => {
    let key = imported.get(id);
    if (key === undefined) {
      const found = keys.find((one) => one.id === id);
      if (found === undefined) throw unreadable(`Expected a key with the id ${shown(id)}, but the settings hold none`);
      key = webcrypto.subtle.importKey('raw', found.bytes, CIPHER, false, ['encrypt', 'decrypt']);
      imported.set(id, key);
    }
    return key;
  };

  const encrypt = async (payload: Payload): Promise<Payload> => {
    const { id } = keys[0];
    const nonce = webcrypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const plain = new Uint8Array(PayloadMessage.encode(payload).finish());
    const sealed = await webcrypto.subtle.encrypt({ name: CIPHER, iv: nonce }, await keyOf(id), plain);
    return {
      metadata: { [ENCODING]: Buffer.from(ENCRYPTED), [KEY_ID]: Buffer.from(id) },
      data: Buffer.concat([nonce, new Uint8Array(sealed)]),
    };
  };

  const decrypt = async (payload: Payload): Promise<Payload> => {
    const id = text(payload.metadata?.[KEY_ID]);
    const key = await keyOf(id);
    const data = new Uint8Array(payload.data ?? []);
    const wrong = unreadable(`Expected a payload encrypted with key ${shown(id)}, found bytes that it does not open`);
    if (data.length < NONCE_BYTES + TAG_BYTES) throw wrong;
    const iv = data.subarray(0, NONCE_BYTES);
    const opened = webcrypto.subtle.decrypt({ name: CIPHER, iv }, key, data.subarray(NONCE_BYTES));
    return PayloadMessage.decode(
      new Uint8Array(
        await opened.catch(() => {
          throw wrong;
        }),
      ),
    );
  };

  const open = async (payload: Payload, context?: SerializationContext): Promise<Payload> => {
    try {
      return await decrypt(payload);
    } catch (error) {
      if (context?.type === 'workflow') return payload;
      throw error;
    }
  };

  return {
    encode: (payloads) => Promise.all(payloads.map(encrypt)),
    decode: async (payloads, context) => {
      // A message may have a hundred thousand arguments: those in the clear cost nothing here.
      if (!payloads.some(isEncrypted)) return payloads;
      return Promise.all(payloads.map((payload) => (isEncrypted(payload) ? open(payload, context) : payload)));
    },
  };
}

const isEncrypted = (payload: Payload): boolean => text(payload.metadata?.[ENCODING]) === ENCRYPTED;

const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('utf8');

/** An id comes from whoever made the payload: a long or odd one must not fill a log. */
const shown = (id: string): string => JSON.stringify(id.length > 64 ? `${id.slice(0, 64)}…` : id);

const unreadable = (message: string): GateError => new GateError(FailureType.ConfigInvalid, message);
