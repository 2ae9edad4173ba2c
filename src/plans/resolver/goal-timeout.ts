import type { JsonObject, JsonValue } from '../../kernel/json';
import { parseTime } from '../../kernel/time';
import { parseGoDuration } from '../kinds/go-duration';
import { GoalPhase, type Goal } from '../kinds/goal';
import { conditionOf, TIMED_OUT, withCondition } from './conditions';

const ENDED: readonly unknown[] = [GoalPhase.Succeeded, GoalPhase.Failed, GoalPhase.Cancelled];

/**
 * When a goal's `spec.timeout` runs out, in epoch milliseconds: it counts from the goal's creation.
 *
 * @returns undefined for a goal without a timeout, or whose creation is not known
 */
export function deadlineOf({ metadata, spec }: Goal): number | undefined {
  const created = parseTime(metadata.creationTimestamp);
  const timeoutMs = spec.timeout === undefined ? undefined : parseGoDuration(spec.timeout);
  return created === undefined || timeoutMs === undefined ? undefined : created + timeoutMs;
}

/**
 * A goal's wanted status once its time is up: `Failed`, with the condition `TimedOut`. A longer timeout is a new generation,
 * which brings the goal back to resolution.
 *
 * @param status what `resolve` wants
 * @returns the same status for a goal that has ended, has no timeout or still has time
 */
export function withTimeout(goal: Goal, status: JsonObject, nowMs: number): JsonObject {
  const deadline = deadlineOf(goal);
  if (ENDED.includes(status.phase)) return status;
  if (deadline === undefined || nowMs < deadline) return inTime(goal, status, nowMs);
  const conditions = withCondition(
    status.conditions,
    {
      type: TIMED_OUT,
      status: 'True',
      reason: 'DeadlineExceeded',
      message: `The goal was not reached within ${goal.spec.timeout} of its creation`,
      observedGeneration: goal.metadata.generation ?? 1,
    },
    nowMs,
  );
  return { ...status, phase: GoalPhase.Failed, conditions: conditions as JsonValue[] };
}

/** A goal whose time was over, and that has a longer timeout now, or none. */
function inTime({ metadata }: Goal, status: JsonObject, nowMs: number): JsonObject {
  if (conditionOf(status.conditions, TIMED_OUT)?.status !== 'True') return status;
  const conditions = withCondition(
    status.conditions,
    {
      ...{ type: TIMED_OUT, status: 'False', reason: 'InTime', message: 'The goal still has time' },
      observedGeneration: metadata.generation ?? 1,
    },
    nowMs,
  );
  return { ...status, conditions: conditions as JsonValue[] };
}
