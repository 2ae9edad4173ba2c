import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { jsonBytes } from '../../kernel/limits';
import { parseJsonText } from './json-text';

/** Of an answer that is read for its outputs, and of the outputs of one action as JSON. */
export const OUTPUT_LIMITS = { answerBytes: 1024 * 1024, bytes: 16 * 1024 } as const;

/** The values that were asked for, or a clause that says what the answer has instead. */
export type PickedOutputs = { outputs: JsonObject; fault?: undefined } | { outputs?: undefined; fault: string };

/** The JSON object that an answer's body is, or a clause; no part of the body is in it, which may be secret. */
export function readOutputs(body: Uint8Array): { values: JsonObject; fault?: undefined } | { fault: string } {
  const { answerBytes } = OUTPUT_LIMITS;
  if (body.byteLength > answerBytes) return { fault: `answered more than ${answerBytes} bytes` };
  let value: JsonValue;
  try {
    value = parseJsonText(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return { fault: `answered ${body.byteLength === 0 ? 'an empty body' : 'no JSON'}` };
  }
  return isJsonObject(value) ? { values: value } : { fault: 'answered JSON that is no object' };
}

/**
 * What an action gave under the names that were asked for, all of them; a null is a value. Anything else that it gave is left
 * out.
 */
export function pickOutputs(values: JsonObject, names: readonly string[]): PickedOutputs {
  const missing = names.filter((name) => !Object.hasOwn(values, name));
  if (missing.length > 0) {
    const known = Object.keys(values);
    const found = known.length === 0 ? 'nothing' : known.slice(0, 20).join(', ');
    return { fault: `expected ${missing.join(', ')} among what it gives, got ${found}` };
  }
  const outputs = Object.fromEntries(names.map((name) => [name, values[name]!]));
  const bytes = jsonBytes(outputs);
  if (bytes <= OUTPUT_LIMITS.bytes) return { outputs };
  return { fault: `expected outputs of at most ${OUTPUT_LIMITS.bytes} bytes of JSON, got ${bytes}` };
}
