import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import { draftOf, type Looked } from '../gate/deployments/looked';
import { findingOf, findingText, isSameFinding } from '../gate/deployments/finding';
import { countLook, nextLookInMs, toLookDetails, type LookDetails } from '../gate/deployments/looks';
import type { DecisionOutcome } from '../kernel/outcome';
import type { GateActivities, RecheckRequest } from './gate-activities';

/** The activity's type, as Temporal knows it. */
export const RECHECK_ACTIVITY = 'recheck' satisfies keyof GateActivities;
/** The failure that ends an attempt of a recheck which found nothing new. */
export const UNCHANGED = 'Unchanged';

const HEARTBEAT_MS = 1_000;
const DAY_MS = 86_400_000;

/** What a recheck needs of its surroundings. */
export interface RecheckOptions {
  /** one look with no cached fact; whatever fails is what was found */
  look(request: RecheckRequest, signal: AbortSignal): Promise<Looked>;
  onLooked(outcome: DecisionOutcome): void;
  /** what is returned of a look that found something else; @default the look */
  toResult?(request: RecheckRequest, looked: Looked): Promise<Looked>;
}

/**
 * The activity behind a wait: one attempt is one look. The count is kept in the heartbeat details, which outlive every
 * attempt and every worker; the number of attempts does not tell it, since an attempt that a killed worker made counts too.
 */
export function createRecheck({ look, onLooked, toResult }: RecheckOptions): GateActivities['recheck'] {
  return async (request) => {
    const context = Context.current();
    const before = toLookDetails(context.info.heartbeatDetails) ?? startOf(request);
    const earlyMs = Math.min(request.notBeforeMs - Date.now(), request.intervals.everyMs);
    if (before.lastAt === undefined && earlyMs > 0) throw unchanged('not due yet', earlyMs);

    const beat = setInterval(() => context.heartbeat(before), HEARTBEAT_MS);
    let looked: Looked;
    try {
      looked = await Promise.race([look(request, context.cancellationSignal), context.cancelled]);
    } finally {
      clearInterval(beat);
    }
    const { record } = draftOf(looked, {});
    const found = findingOf(record);
    onLooked(found.outcome);
    const isDayOver =
      before.firstAt !== undefined && Date.parse(record.timestamp) - Date.parse(before.firstAt) >= DAY_MS;
    const { count, firstAt, lastAt } = before;
    const looks = { count, ...(firstAt === undefined ? {} : { firstAt }), ...(lastAt === undefined ? {} : { lastAt }) };
    if (!isSameFinding(found, request.found) || isDayOver)
      return { ...looks, ...(toResult ? await toResult(request, looked) : looked) };

    const after = countLook(before, record);
    context.heartbeat(after);
    throw unchanged(findingText(found), nextLookInMs(request.intervals, after.count));
  };
}

function startOf({ before }: RecheckRequest): LookDetails {
  return { ...before, count: before?.count ?? 0 };
}

/** Benign: it is no error, and neither logs nor metrics of Temporal count it as one. */
function unchanged(message: string, nextRetryDelay: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: UNCHANGED,
    message,
    nextRetryDelay,
    category: ApplicationFailureCategory.BENIGN,
  });
}
