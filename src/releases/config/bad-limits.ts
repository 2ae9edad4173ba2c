import { isJsonObject, type JsonValue } from '../../kernel/json';
import { escapePointer } from '../../kernel/json-pointer';
import { describeKind } from '../../platform/documents/json-document';

/** The limits that the shipped policies compare numbers with. */
const NUMBERS = ['maxDelta', 'maxPending'] as const;

/**
 * Limits that would never bind. In Rego every number is less than every text, so `input.max_pending > "2000"` holds for no
 * number and the policy would allow; likewise `null` and booleans compare without an error. So the limits known here must
 * be numbers, and no other one may be a number in quotes.
 */
export function findBadLimits(limits: Readonly<Record<string, unknown>>): { pointer: string; sentence: string }[] {
  const known = NUMBERS.filter((name) => limits[name] !== undefined && typeof limits[name] !== 'number').map(
    (name) => ({
      pointer: `/limits/${name}`,
      sentence: `expected limits.${name} to be a number, got ${describeKind(limits[name])}`,
    }),
  );
  const quoted = Object.entries(limits)
    .filter(([name]) => !known.some(({ pointer }) => pointer === `/limits/${name}`))
    .flatMap(([name, value]) => quotedNumbers(value as JsonValue, `/limits/${escapePointer(name)}`));
  return [...known, ...quoted];
}

function quotedNumbers(value: JsonValue, pointer: string): { pointer: string; sentence: string }[] {
  if (typeof value === 'string') {
    const isNumber = value.trim() !== '' && Number.isFinite(Number(value));
    return isNumber ? [{ pointer, sentence: `expected a number without quotes, got ${JSON.stringify(value)}` }] : [];
  }
  if (Array.isArray(value)) return value.flatMap((each, index) => quotedNumbers(each, `${pointer}/${index}`));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, each]) => quotedNumbers(each, `${pointer}/${escapePointer(key)}`));
}
