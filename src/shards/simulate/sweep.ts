import { FailureType, GateError } from '../../kernel/failures';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { parsePointer } from '../../kernel/json-pointer';

/** One value of one policy that takes several values in turn. */
export interface Sweep {
  policy: string;
  /** JSON Pointer into the policy's document */
  pointer: string;
  values: number[];
}

/** Values of a sweep at most. */
const MOST_VALUES = 1000;

const SWEEP = /^(.+?):(\/[^=]*)=(-?[\d.]+)\.\.(-?[\d.]+)(?:\/([\d.]+))?$/;

/**
 * A sweep as it is written: `POLICY:/pointer=10..90/10`; without a step it is 1.
 *
 * @throws GateError ConfigInvalid for anything else, and for more than 1,000 values
 */
export function parseSweep(text: string): Sweep {
  const [, policy, pointer, first, last, step = '1'] = SWEEP.exec(text) ?? [];
  const [from, to, by] = [first, last, step].map(Number) as [number, number, number];
  if (policy === undefined || parsePointer(pointer!) === undefined || ![from, to].every(Number.isFinite)) {
    throw invalid(`expected a value to sweep over, such as POLICY:/actions/balance/threshold=10..90/10, got ${text}`);
  }
  const count = Math.floor((to - from) / by + 1e-9) + 1;
  if (!(by > 0) || !(count >= 1) || count > MOST_VALUES) {
    throw invalid(`expected from 1 to ${MOST_VALUES} values in steps above 0, got ${text}`);
  }
  const values = Array.from({ length: count }, (_, at) => Number((from + at * by).toFixed(9)));
  return { policy, pointer: pointer!, values };
}

/**
 * The document with another value at a pointer, whose parent it must have.
 *
 * @throws GateError ConfigInvalid where it has not
 */
export function withValue(document: JsonObject, pointer: string, value: JsonValue): JsonObject {
  const copy = structuredClone(document);
  const keys = parsePointer(pointer)!;
  const last = keys.pop()!;
  let parent: JsonValue | undefined = copy;
  for (const key of keys) parent = isContainer(parent) && Object.hasOwn(parent, key) ? parent[key] : undefined;
  if (!isContainer(parent)) throw invalid(`expected a value at ${pointer} of the policy, but there is no such place`);
  Object.defineProperty(parent, last, { value, enumerable: true, writable: true, configurable: true });
  return copy;
}

function isContainer(value: JsonValue | undefined): value is Record<string, JsonValue> {
  return typeof value === 'object' && value !== null;
}

function invalid(message: string): GateError {
  return new GateError(FailureType.ConfigInvalid, message);
}
