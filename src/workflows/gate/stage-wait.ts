import { log, workflowInfo } from '@temporalio/workflow';
import type { CollectRequest, GateDefaults, RecheckResult } from '../../activities/gate-activities';
import { findingOf, isSameFinding, lastFinding, type Finding } from '../../gate/deployments/finding';
import { draftOf, withTarget, type Looked } from '../../gate/deployments/looked';
import { toLookDetails, type Looks } from '../../gate/deployments/looks';
import { givesUpAtMs, isFollowed, NextStep, stepAfterLook } from '../../gate/deployments/next-step';
import { recheckAct, type RecheckEndedBy } from '../../gate/deployments/recheck-record';
import { toRecordedDecision, type Look } from '../../gate/deployments/recorded-decision';
import type { CompiledBehaviour } from '../../gate/deployments/stage-behaviour';
import { awaitChange, type WaitEnd } from '../parts/await-change';
import { steadyNow } from '../parts/steady-now';
import { readLooksActivity, recheckActivity } from './activity-proxies';
import type { AuditTrail } from './audit-trail';
import type { Gate, GateCall } from './gate';

/** What is taken up next at a stage. */
export type Turn =
  /** a decision is asked for, as at the start of a stage */
  | { by: 'start' }
  /** the time to wait is over: a last decision is asked for, with no cached fact */
  | { by: 'time' }
  | { by: 'call'; call: GateCall }
  /** what a look found is followed: it becomes a decision */
  | { by: 'look'; looked: Looked };

/** What a wait needs of its stage. */
export interface StageWaitOptions {
  request: Omit<CollectRequest, 'bypassCache'>;
  /** under the defaults in force */
  known(): { behaviour: CompiledBehaviour; activities: GateDefaults['activities']; audit: AuditTrail };
  /** takes over the defaults in force now */
  refresh(): Promise<void>;
  /** stores the record of a call before it is carried out */
  recordCall(call: GateCall): Promise<void>;
  /** waits once without a recheck, for when it has failed */
  waitAsking(): Promise<Turn>;
}

type Kind = GateCall['kind'];
type Reply = NonNullable<GateCall['reply']>;
type Ended = WaitEnd<Kind, Reply, RecheckResult>;

/** A look at the stage, worked out of what the recheck returned. */
interface NewLook {
  looked: Looked;
  look: Look;
  finding: Finding;
}

/**
 * One wait of a stage: from the decision that it waits on to the next one that is followed. Looks that change nothing are
 * counted and cost no history; those that do, and every day, are recorded.
 */
export class StageWait {
  private readonly number: number;
  private window = 0;

  constructor(
    private readonly gate: Gate,
    private readonly options: StageWaitOptions,
  ) {
    this.number = gate.nextWait();
  }

  /** Returns when an operator's call fits, the time is over, or a look found what is followed. */
  async turn(): Promise<Turn> {
    for (; ; this.window += 1) {
      if (this.window > 0) await this.options.refresh();
      const end = await this.awaitChange();
      if (end.by === 'call') return { by: 'call', call: end.call };
      if (end.by === 'time') return { by: 'time' };
      if (end.by === 'interruption') return { by: 'start' };
      if (end.by === 'failure') return await this.options.waitAsking();
      const { behaviour } = this.options.known();
      const found = toNewLook(end.found, this.options.request);
      const step = stepAfterLook(this.gate.progress, behaviour, found.look, steadyNow());
      if (isFollowed(step, this.gate.progress)) return { by: 'look', looked: found.looked };
      await this.note(found, step);
    }
  }

  /** Something else was found, and the stage waits on: it is shown, and is what the next look is compared with. */
  private async note({ look }: NewLook, step: NextStep): Promise<void> {
    this.gate.apply({ type: 'looked', look });
    const { pauses } = this.options.known().audit;
    const { pause } = this.gate.progress;
    if (pause && step === NextStep.pause) await pauses.pauseOn(look.decision.faults, { decisionId: pause.decisionId });
    if (step === NextStep.awaitOperator) pauses.noteRecovery();
  }

  private async awaitChange(): Promise<Ended> {
    const { gate, options } = this;
    const { behaviour, activities, audit } = options.known();
    const { recheckEveryMs: everyMs, recheckAtMostMs: atMostMs } = behaviour;
    const activityId = `recheck-${gate.stagePlace}-${this.number}-${this.window}`;
    const found = lastFinding(gate.progress);
    const before = gate.progress.looks;
    const sinceMs = Date.now();
    const read = async (): Promise<Looks | undefined> =>
      toLookDetails(await readLooksActivity().readLooks({ activityId })) ?? before ?? { count: 0 };

    gate.apply({ type: 'recheck-began', recheck: { sinceMs, everyMs, atMostMs, activityId } });
    gate.showAttributes();
    try {
      return await awaitChange<Kind, Reply, RecheckResult, Looks | undefined>({
        inbox: gate.inbox,
        pauses: audit.pauses,
        untilMs: givesUpAtMs(gate.progress, behaviour),
        interrupted: () => gate.holds.isHeld,
        record: options.recordCall,
        recheck: {
          look: async () =>
            checked(
              options.request,
              await recheckActivity(activities, everyMs, activityId, `look at ${options.request.target.stage}`).recheck(
                {
                  ...options.request,
                  found,
                  intervals: { everyMs, atMostMs },
                  notBeforeMs: sinceMs + everyMs,
                  collecting: activities.collectFacts,
                  ...(before === undefined ? {} : { before }),
                },
              ),
            ),
          read,
        },
        ended: (end, counted) => this.record(end, counted, found),
        continueAsNewIfLong: (counted) =>
          gate.continueAsNewIfLong(async () => {
            const looks = await counted();
            gate.apply({ type: 'looks-counted', looks: looks ?? { count: null } });
          }),
        rests: (isAwake, counted) =>
          gate.notesRests(async () => {
            const looks = await counted();
            gate.apply({ type: 'looks-counted', looks: looks ?? { count: null } });
          })?.(isAwake) ?? (() => undefined),
      });
    } finally {
      gate.apply({ type: 'recheck-ended' });
    }
  }

  /** Records the looks that found the same, once it is known what ended them. */
  private async record(end: Ended | undefined, counted: Looks | undefined, found: Finding): Promise<void> {
    if (end?.by === 'failure') log.warn(`The recheck failed, so a decision is asked for: ${String(end.error)}`);
    const { deploymentId, stage } = this.gate.status();
    const next = end?.by === 'change' ? toNewLook(end.found, this.options.request) : undefined;
    const became = next?.finding;
    const looks = end?.by === 'change' ? end.found : (counted ?? { count: null });
    const { runId } = workflowInfo();
    const { number: wait, window } = this;
    const endedBy = endedByOf(end, found, became);
    const act = recheckAct(
      { deploymentId, stage, runId, wait, window, looks, found, endedBy, ...(became === undefined ? {} : { became }) },
      // Before the decision that may follow, which has the time of the look.
      next === undefined ? Date.now() : lastLookAtMs(looks, next.look),
    );
    if (act) await this.options.known().audit.recordDerived(act);
  }
}

function endedByOf(end: Ended | undefined, found: Finding, became: Finding | undefined): RecheckEndedBy {
  if (end === undefined) return 'cancellation';
  if (end.by === 'interruption') return 'call';
  return end.by === 'change' && became !== undefined && isSameFinding(found, became) ? 'day' : end.by;
}

/** An operator of Temporal can complete an activity by hand with anything, which must not wedge the workflow. */
function checked(request: StageWaitOptions['request'], result: unknown): RecheckResult {
  if (toLookDetails(result) === undefined) throw new TypeError('Expected the recheck to return what it found');
  toNewLook(result as RecheckResult, request);
  return result as RecheckResult;
}

function lastLookAtMs({ lastAt }: Looks, { decisionTimeMs }: Look): number {
  return lastAt === undefined ? decisionTimeMs : Math.min(decisionTimeMs, Date.parse(lastAt));
}

function toNewLook(result: RecheckResult, { target }: StageWaitOptions['request']): NewLook {
  const looked = withTarget(
    'failure' in result ? { failure: result.failure } : { snapshot: result.snapshot, decision: result.decision },
    target,
  );
  const { record, decision, maxAgeMs } = draftOf(looked, {});
  const { decisionId: _unrecorded, ...look } = toRecordedDecision(record, decision, maxAgeMs);
  return { looked, look, finding: findingOf(record) };
}
