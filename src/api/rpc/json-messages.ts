import { JsonTextError } from '../../platform/documents/json-text';
import { decodeBody, parseBody } from '../json-bodies';

/**
 * How messages in JSON are read. Connect parses a text by itself, and keeps the last of two values of one key and a number that
 * is near to the one written; so each text is first held to what every other JSON text is held to. Connect answers
 * INVALID_ARGUMENT with the message of what its decoder throws.
 *
 * A key that is not known is a mistake that its author wants to hear of.
 */
export const JSON_MESSAGES = {
  ignoreUnknownFields: false,
  textDecoder: {
    decode(bytes: Uint8Array): string {
      try {
        const text = decodeBody(bytes);
        if (text.trim() !== '') parseBody(text);
        return text;
      } catch (error) {
        if (error instanceof JsonTextError) throw new Error(toMessage(error), { cause: error });
        throw error;
      }
    },
  },
};

function toMessage({ faults }: JsonTextError): string {
  const sentences = faults.map(({ sentence, line, column }) =>
    line === undefined ? sentence : `${sentence} (line ${line}, column ${column ?? 1})`,
  );
  return sentences.join('; ');
}
