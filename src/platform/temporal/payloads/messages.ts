import type {
  ConverterHint,
  Payload,
  PayloadConverter,
  PayloadTypeInfo,
  SerializationContext,
} from '@temporalio/common';
import { messageOf } from '../../../kernel/message-of';
import { LIMITS } from '../../../kernel/limits';
import { shortText } from '../../../kernel/short-text';
import { Unreadable } from '../../../kernel/unreadable';
import { ENCRYPTED, KEY_ID } from './encrypted-payload';

/** Arguments of one message that are read; every handler of the gate takes one. */
const MAX_ARGUMENTS = 8;

const READ: ConverterHint = { converter: 'planning-engine.message' };
const SKIP: ConverterHint = { converter: 'planning-engine.message' };

/** Every position has a hint, however many arguments arrive: 2 MB may hold a million. */
const EVERY_ARGUMENT = new Proxy<{ payloadConverterHint: ConverterHint }[]>([], {
  get: (target, key, receiver) => {
    if (typeof key !== 'string' || !/^\d+$/.test(key)) return Reflect.get(target, key, receiver) as unknown;
    return { payloadConverterHint: Number(key) < MAX_ARGUMENTS ? READ : SKIP };
  },
});
const SKIPPED = new Unreadable(`Expected at most ${MAX_ARGUMENTS} arguments`, 0);

let installed = false;

/**
 * Another payload converter, made to read messages. Arguments of a handler that was set with `messageTypeInfo` and cannot
 * be read, or have more than `LIMITS.messageBytes`, become an `Unreadable`. Everything else is left to the inner converter
 * and throws as it does there: input, carried state or a result that this worker cannot read must fail the workflow task,
 * so that nothing is decided without it.
 */
export function createMessageConverter(inner: PayloadConverter): PayloadConverter {
  installed = true;
  const isOurs = (hint: ConverterHint | undefined): boolean => hint === READ || hint === SKIP;
  return {
    toPayload: (value, context, hint) => inner.toPayload(value, context, isOurs(hint) ? undefined : hint),
    fromPayload: <T>(payload: Payload, context?: SerializationContext, hint?: ConverterHint<T>): T => {
      if (hint === SKIP) return SKIPPED as T;
      if (hint === READ) return readMessage(inner, payload, context) as T;
      return readValue(inner, payload, context, hint);
    },
    validateConverterHint: (hint) => isOurs(hint) || inner.validateConverterHint?.(hint) === true,
  };
}

/**
 * To be added to the definition of a signal, Update or query where its handler is set. Without a message converter in the
 * bundle it is empty: another converter refuses a hint that it does not know.
 */
export const messageTypeInfo = (): { typeInfo?: Pick<PayloadTypeInfo, 'inputTypes'> } =>
  installed ? { typeInfo: { inputTypes: EVERY_ARGUMENT } } : {};

function readMessage(inner: PayloadConverter, payload: Payload, context?: SerializationContext): unknown {
  const size = payload.data?.length ?? 0;
  const { messageBytes } = LIMITS;
  if (size > messageBytes) return new Unreadable(`Expected at most ${messageBytes} bytes`, size);
  try {
    return readValue(inner, payload, context);
  } catch (error) {
    return new Unreadable(shortText(messageOf(error)), size);
  }
}

function readValue<T>(
  inner: PayloadConverter,
  payload: Payload,
  context?: SerializationContext,
  hint?: ConverterHint<T>,
): T {
  const { encoding, [KEY_ID]: keyId } = payload.metadata ?? {};
  if (asciiText(encoding) === ENCRYPTED) {
    const id = JSON.stringify(shortText(asciiText(keyId), 64));
    throw new Error(`Expected a key of temporal.encryptionKeys to open the payload, found it encrypted with ${id}`);
  }
  return inner.fromPayload(payload, context, hint);
}

/** Encodings are plain ASCII; of a longer text only its beginning counts. */
const asciiText = (bytes: Uint8Array | null | undefined): string =>
  bytes ? String.fromCharCode(...bytes.subarray(0, 100)) : '';
