import { performance } from 'node:perf_hooks';
import { ExponentialBackoff, handleAll, retry } from 'cockatiel';
import { messageOf } from '../../kernel/message-of';
import { systemTimers } from '../../platform/timers/system-timers';
import { isTimedOut, untilAborted, withSignal } from '../../platform/timers/with-signal';
import {
  ownValuesName,
  type ImageConditionType,
  type ImageConditionTypes,
  type OwnValues,
} from '../conditions/condition-type';
import { isComparison, type ImageComparison, type ImageCondition } from '../conditions/image-condition';
import type { ImageMetadata } from '../image-metadata';
import type { ImagePolicy } from '../policies/image-policy';

export interface OwnValuesOptions {
  /** epoch milliseconds, for ages */
  nowMs: number;
  /** for all types together, milliseconds @default no limit */
  timeoutMs?: number;
}

const ATTEMPTS = 3;
const FIRST_WAIT_MS = 100;

/**
 * What condition types of a program's own say of an image, side by side. A type is asked once for each key that conditions name, and
 * only where a policy can not be told to match, or not, without it.
 *
 * @param image as far as it was read
 * @throws nothing for what a type does: it is in the values
 */
export async function readOwnValues(
  image: ImageMetadata,
  policies: readonly ImagePolicy[],
  types: ImageConditionTypes,
  { nowMs, timeoutMs }: OwnValuesOptions,
): Promise<ReadonlyMap<string, OwnValues>> {
  const found = new Map<string, OwnValues>();
  if (types.size === 0) return found;
  const asked = new Map<string, ImageComparison>();
  for (const { enabled, conditions, compiled } of policies) {
    const own = conditions.flatMap(comparisonsOf).filter(({ type }) => types.has(type));
    if (!enabled || own.length === 0 || compiled.truth(image, nowMs) !== 'unknown') continue;
    for (const one of own) asked.set(ownValuesName(one.type, one.key), one);
  }
  if (asked.size === 0) return found;
  const limit = timeoutMs === undefined ? {} : { timeoutMs };
  // The timer of the signal alone would let a process end that has nothing else to do.
  const callOff = timeoutMs === undefined ? undefined : systemTimers.after(timeoutMs, () => undefined);
  const askAll = (signal: AbortSignal) =>
    Promise.all(
      [...asked].map(async ([name, { type, key }]) =>
        found.set(name, await ask(types.get(type)!, image, key, { signal, ...limit })),
      ),
    );
  await withSignal(limit, askAll).finally(callOff);
  return found;
}

async function ask(
  type: ImageConditionType,
  image: ImageMetadata,
  key: string | undefined,
  { signal, timeoutMs = Infinity }: { signal: AbortSignal; timeoutMs?: number },
): Promise<OwnValues> {
  const late: OwnValues = { error: `it took longer than ${timeoutMs} ms` };
  const begunMs = performance.now();
  const backoff = new ExponentialBackoff({ initialDelay: FIRST_WAIT_MS });
  const attempts = retry(handleAll, { maxAttempts: ATTEMPTS - 1, backoff });
  try {
    // What does not stop by itself is left behind.
    const values = await untilAborted(
      signal,
      attempts.execute(async () => await type.values(image, key, signal), signal),
    );
    // One that holds up the whole process lets no timer fire.
    if (performance.now() - begunMs > timeoutMs) return late;
    if (values === undefined) return {};
    return isTexts(values) ? { values: [...values] } : { error: 'expected a list of texts, or undefined, of the type' };
  } catch (error) {
    return isTimedOut(signal) ? late : { error: messageOf(error) };
  }
}

function isTexts(values: unknown): values is readonly string[] {
  return Array.isArray(values) && values.every((value) => typeof value === 'string');
}

function comparisonsOf(condition: ImageCondition): ImageComparison[] {
  if (isComparison(condition)) return [condition];
  if ('not' in condition) return comparisonsOf(condition.not);
  return ('all' in condition ? condition.all : condition.any).flatMap(comparisonsOf);
}
