import { derivedId } from '../../kernel/derived-id';
import type { JsonValue } from '../../kernel/json';
import { toTimestamp } from '../../kernel/time';
import { RecordKind, type DomainRecord } from '../../audit/audit-record';
import { shortText } from '../../kernel/short-text';
import type { Goal } from '../kinds/goal';
import type { Plan } from '../kinds/plan';
import { objectName, type PlanObject } from '../object';
import { deadlineOf } from '../resolver/goal-timeout';
import { resolve } from '../resolver/resolve';
import type { WriteSession } from '../store/plan-store';
import { readWords, type Asked } from './asked-words';
import { bareRecord } from './change-record';
import { writeStatus } from './follow-run';
import { underWay } from './pin-plan';
import { planFailure } from './plan-failure';
import type { Caller, Written } from './plan-service';

const MOST_TEXT = 1_000;

/** Who asks a goal to be resolved again: `{"actor"?, "reason"?}`. @throws PlanFailure Invalid, Forbidden */
export const readAgain = (body: JsonValue, caller: Caller): Asked =>
  readWords(body, { needed: [], other: ['reason', 'actor'] }, caller);

/**
 * Resolves a goal that executes no more as if it were new, so that the next execution is of the plan that wins now. One that has
 * not been executed is as it was.
 *
 * @throws PlanFailure Conflict with why: it is executed, its time is over, or no plan wins
 */
export async function resolveAgain(
  session: WriteSession,
  stored: PlanObject,
  asked: Asked,
  nowMs: number,
): Promise<Written> {
  const goal = stored as unknown as Goal;
  const { namespace, name } = stored.metadata;
  const refuse = (why: string): never => {
    throw planFailure('Conflict', `${objectName(stored)}: ${why}`, { kind: 'goals', name });
  };
  const other = await underWay(session, namespace, name);
  if (other !== undefined) refuse(other);
  const deadline = deadlineOf(goal);
  if (deadline !== undefined && deadline <= nowMs)
    refuse(`its timeout of ${goal.spec.timeout} is over since ${toTimestamp(deadline)}: give it a longer one`);
  const plans = await session.list({ kind: 'Plan', namespace });
  const { status, changed, winner } = resolve(goal, plans as unknown as Plan[], { nowMs, again: true });
  if (winner === undefined) refuse(`no plan of it would be the active one: gate plans explain ${name} says why`);
  if (!changed) return { action: 'unchanged', object: stored, warnings: [] };
  const object = await writeStatus(session, stored, status);
  session.record(againRecord(stored, object, asked, nowMs));
  return { action: 'updated', object, warnings: [] };
}

function againRecord(before: PlanObject, after: PlanObject, { actor, reason }: Asked, nowMs: number): DomainRecord {
  const { uid = '', resourceVersion = '' } = after.metadata;
  const planOf = ({ status }: PlanObject): JsonValue => status?.activePlanRef ?? null;
  return {
    ...bareRecord(after),
    decisionID: derivedId('plans', uid, resourceVersion, 'again'),
    kind: RecordKind.resume,
    timestamp: toTimestamp(nowMs),
    actor,
    part: '',
    ...(reason === undefined ? {} : { reason: shortText(reason, MOST_TEXT) }),
    details: {
      request: 'again',
      phase: before.status?.phase ?? null,
      activePlanRef: planOf(after),
      before: { activePlanRef: planOf(before) },
    },
  };
}
