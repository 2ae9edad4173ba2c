import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { toTimestamp } from '../../kernel/time';

/** The condition of a goal that tells of its newest execution, also where the goal's phase does not follow it. */
export const EXECUTED = 'Executed';
/** The condition of a goal whose `spec.timeout` is over. */
export const TIMED_OUT = 'TimedOut';

/** What a condition is to say. */
export interface WantedCondition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  observedGeneration: number;
}

/**
 * The conditions with one of them as it is to be. A condition whose status changes is replaced whole and gets a new
 * `lastTransitionTime`; otherwise it keeps its time and the fields that others added.
 *
 * @param conditions of a status; what is no list counts as an empty one
 * @returns the same list when it says so already
 */
export function withCondition(
  conditions: JsonValue | undefined,
  wanted: WantedCondition,
  nowMs: number,
): readonly JsonValue[] {
  const list = Array.isArray(conditions) ? conditions : [];
  const at = list.findIndex((each) => isJsonObject(each) && each.type === wanted.type);
  const found = list[at];
  if (!isJsonObject(found)) return [...list, fresh(wanted, nowMs)];
  const { status, reason, message, observedGeneration } = wanted;
  if (found.status !== status || typeof found.lastTransitionTime !== 'string') {
    return list.with(at, fresh(wanted, nowMs));
  }
  if (found.reason === reason && found.message === message && found.observedGeneration === observedGeneration) {
    return list;
  }
  return list.with(at, { ...found, reason, message, observedGeneration });
}

/** The condition of a type; undefined where there is none. */
export function conditionOf(conditions: JsonValue | undefined, type: string): JsonObject | undefined {
  const found = Array.isArray(conditions)
    ? conditions.find((each) => isJsonObject(each) && each.type === type)
    : undefined;
  return isJsonObject(found) ? found : undefined;
}

function fresh({ type, status, reason, message, observedGeneration }: WantedCondition, nowMs: number): JsonObject {
  return { type, status, reason, message, lastTransitionTime: toTimestamp(nowMs), observedGeneration };
}
