import type { Incident } from '../../alerts/incident';
import type { ReleaseRef } from '../../releases/release-ref';
import { isHeld } from './hold';
import type { Looks } from './looks';
import type { Look, RecordedDecision } from './recorded-decision';
import {
  CARRIED_VERSION,
  GateState,
  isFinal,
  type CarriedGate,
  type DeploymentStatus,
  type Hold,
  type InterruptedAction,
  type Pause,
  type Recheck,
  type StageProgress,
} from './deployment-state';

/** Everything that a gate knows of its deployment. Only `advance` makes a new one. */
export interface GateProgress {
  readonly deploymentId: string;
  readonly state: GateState;
  readonly stages: readonly StageProgress[];
  /** the present stage; -1 before the first one began */
  readonly stageIndex: number;
  readonly pause?: Pause;
  /** an operator has paused the deployment; `isHeld` tells whether that keeps it where it is by now */
  readonly hold?: Hold;
  /** the action that the pause is about: a request of it may have left */
  readonly interrupted?: InterruptedAction;
  /** the store of record is down: shown before any other pause */
  readonly auditOutage?: Pause;
  /** what people are told of the stage's trouble */
  readonly incident?: Incident;
  readonly lastDecision?: RecordedDecision;
  /** what a recheck found since then, where that is something else */
  readonly lastLook?: Look;
  readonly recheck?: Recheck;
  /** what an earlier run counted in the present wait; taken over by the first recheck of this one */
  readonly looks?: Looks;
  /** when the present stage was first denied: `giveUpAfter` counts from here */
  readonly deniedSinceMs?: number;
  /** epoch milliseconds; absent when nothing is scheduled */
  readonly nextAskAtMs?: number;
  readonly endReason?: string;
  /** in a row, within the present stage */
  readonly leaseLapses: number;
  /** after a lapsed lease: the release that the action's worker found */
  readonly requiredRelease?: ReleaseRef;
}

/** The stage's own pause, and the one of the whole deployment while the store is down. */
export type PauseSlot = 'pause' | 'auditOutage';

type OptionalKey =
  | 'incident'
  | 'pause'
  | 'hold'
  | 'interrupted'
  | 'auditOutage'
  | 'deniedSinceMs'
  | 'nextAskAtMs'
  | 'requiredRelease'
  | 'lastLook'
  | 'recheck'
  | 'looks';

/** What can happen to a gated deployment. Times are the workflow's, in epoch milliseconds. */
export type GateEvent =
  | { type: 'stage-entered'; stage: string }
  | { type: 'decided'; recorded: RecordedDecision }
  | { type: 'allowed' }
  /** `sinceMs`: the time of the decision; only the first denial of a stage counts */
  | { type: 'denied'; sinceMs: number }
  | { type: 'waiting' }
  | { type: 'ask-scheduled'; atMs: number }
  | { type: 'ask-unscheduled' }
  | { type: 'recheck-began'; recheck: Recheck }
  | { type: 'recheck-ended' }
  /** something else was found, which is not followed */
  | { type: 'looked'; look: Look }
  /** what continue-as-new carries of the present recheck */
  | { type: 'looks-counted'; looks: Looks }
  | { type: 'overridden' }
  /** a pause has begun, or is another than it was: reminded, recovered, with other faults */
  | { type: 'paused'; slot: PauseSlot; pause: Pause }
  | { type: 'unpaused'; slot: PauseSlot }
  /** an operator paused the deployment, in place of an earlier pause on demand */
  | { type: 'held'; hold: Hold }
  | { type: 'released' }
  /** an incident has opened, is another than it was, or (absent) is resolved */
  | { type: 'incident-changed'; incident?: Incident }
  | { type: 'action-started' }
  /** the action waits for an operator; the pause follows */
  | { type: 'action-interrupted'; interrupted: InterruptedAction }
  | { type: 'lease-lapsed'; release: ReleaseRef }
  /** the lapses in a row have become a pause, and the next one is the first again */
  | { type: 'lapses-counted' }
  | { type: 'lease-unconfirmed' }
  | { type: 'stage-passed' }
  /** of a deployment with several stages open, each at a gate of its own: how far one is */
  | { type: 'branch-changed'; stageIndex: number; stage: StageProgress }
  | { type: 'ended'; state: 'done' | 'denied' | 'aborted' | 'failed'; reason?: string };

/** A deployment that begins, or continues with what an earlier run carried over. */
export function initialProgress(
  deploymentId: string,
  stages: readonly string[],
  carried: CarriedGate | undefined,
): GateProgress {
  if (carried === undefined) {
    const pending = stages.map((name): StageProgress => ({ name, state: 'pending' }));
    return { deploymentId, state: 'deciding', stages: pending, stageIndex: -1, leaseLapses: 0 };
  }
  const {
    stages: known,
    stageIndex,
    leaseLapses,
    pause,
    hold,
    interrupted,
    lastDecision,
    lastLook,
    looks,
    deniedSinceMs,
    incident,
  } = carried;
  const waits = deniedSinceMs === undefined ? 'deciding' : 'waiting';
  const state = pause === undefined ? waits : 'paused';
  return withoutUndefined({
    deploymentId,
    state,
    stages: known,
    stageIndex,
    leaseLapses,
    pause,
    hold,
    interrupted,
    lastDecision,
    lastLook,
    looks,
    deniedSinceMs,
    incident,
  });
}

/** What continue-as-new carries of it. */
export function carriedProgress(progress: GateProgress): Omit<CarriedGate, 'handled' | 'notes' | 'shownAttributes'> {
  const { stages, leaseLapses, ...rest } = progress;
  const { stageIndex, pause, hold, interrupted, lastDecision, lastLook, looks, deniedSinceMs, incident } = rest;
  const present = { stageIndex, pause, hold, interrupted, lastDecision, lastLook, looks, deniedSinceMs, incident };
  const version = hold === undefined && interrupted === undefined ? 1 : CARRIED_VERSION;
  return withoutUndefined({ version, leaseLapses, stages: [...stages], ...present });
}

/** What is known after `event`. Total: an event that does not fit, such as the end of a pause that is over, changes nothing. */
export function advance(progress: GateProgress, event: GateEvent): GateProgress {
  switch (event.type) {
    case 'stage-entered':
      return enterStage(progress, event.stage);
    case 'decided': {
      const { recorded } = event;
      const decided = without({ ...progress, lastDecision: recorded }, 'lastLook');
      return withStage(decided, { outcome: recorded.decision.outcome });
    }
    case 'allowed':
      return inState(without(progress, 'deniedSinceMs'), 'deciding');
    case 'denied':
      return { ...progress, deniedSinceMs: progress.deniedSinceMs ?? event.sinceMs };
    case 'waiting':
      return inState(progress, 'waiting');
    case 'ask-scheduled':
      return { ...progress, nextAskAtMs: event.atMs };
    case 'ask-unscheduled':
      return without(progress, 'nextAskAtMs');
    case 'recheck-began':
      return { ...without(progress, 'looks'), recheck: event.recheck };
    case 'recheck-ended':
      return without(without(progress, 'recheck'), 'looks');
    case 'looked':
      return { ...progress, lastLook: event.look };
    case 'looks-counted':
      return { ...progress, looks: event.looks };
    case 'overridden':
      return inState(withStage(without(progress, 'deniedSinceMs'), { overridden: true }), 'deciding');
    case 'paused':
      if (event.slot === 'auditOutage') return { ...progress, auditOutage: event.pause };
      return inState({ ...progress, pause: event.pause }, 'paused');
    case 'unpaused': {
      if (progress[event.slot] === undefined) return progress;
      const unpaused = without(progress, event.slot);
      return event.slot === 'auditOutage' ? unpaused : inState(unpaused, 'deciding');
    }
    case 'held':
      return { ...progress, hold: event.hold };
    case 'released':
      return without(progress, 'hold');
    case 'incident-changed':
      return event.incident ? { ...progress, incident: event.incident } : without(progress, 'incident');
    case 'action-started':
      return inState(without(progress, 'interrupted'), 'acting');
    case 'action-interrupted':
      return { ...progress, interrupted: event.interrupted };
    case 'lease-lapsed':
      return inState(
        { ...progress, leaseLapses: progress.leaseLapses + 1, requiredRelease: event.release },
        'deciding',
      );
    case 'lapses-counted':
      return { ...progress, leaseLapses: 0 };
    case 'lease-unconfirmed':
      return inState(progress, 'deciding');
    case 'stage-passed':
      return { ...finishStage(without(progress, 'requiredRelease')), leaseLapses: 0 };
    case 'branch-changed': {
      const stages = progress.stages.map((stage, at) => (at === event.stageIndex ? event.stage : stage));
      return { ...progress, stages };
    }
    case 'ended':
      return inState(
        withoutUndefined({ ...progress, hold: undefined, interrupted: undefined, endReason: event.reason }),
        event.state,
      );
    default:
      return event satisfies never;
  }
}

/** The status that people and programs see. */
export function toStatus(progress: GateProgress): DeploymentStatus {
  const { deploymentId, state, stages, stageIndex, lastDecision, lastLook, recheck, nextAskAtMs, endReason, incident } =
    progress;
  const pause = progress.auditOutage ?? progress.pause;
  const held = isHeld(progress);
  const isPaused = !isFinal(state) && (held || pause !== undefined);
  return withoutUndefined({
    deploymentId,
    state: isPaused ? GateState.paused : state,
    stage: stages[Math.max(0, stageIndex)]?.name ?? '',
    stageIndex: Math.max(0, stageIndex),
    stages: stages.map((stage) => (stage.overridden ? { ...stage, outcome: 'override' as const } : stage)),
    hold: progress.hold && (held ? progress.hold : { ...progress.hold, afterAction: true as const }),
    pause,
    incident,
    lastDecision,
    lastLook,
    recheck,
    nextAskAtMs,
    endReason,
  });
}

/** Makes `name` the present stage, adding it when it was not announced; the stage before it counts as done. */
function enterStage(progress: GateProgress, name: string): GateProgress {
  const known = progress.stages.findIndex((stage) => stage.name === name);
  if (known >= 0 && known === progress.stageIndex) return progress;
  const before = finishStage(progress);
  const stages = known >= 0 ? before.stages : [...before.stages, { name, state: 'pending' as const }];
  const stageIndex = known >= 0 ? known : stages.length - 1;
  return inState({ ...before, stages, stageIndex, leaseLapses: 0 }, 'deciding');
}

/** The present stage is over; between two stages the deployment counts as deciding. */
function finishStage(progress: GateProgress): GateProgress {
  const finished = withStage(progress, { state: 'done' });
  return isFinal(progress.state) ? finished : { ...finished, state: 'deciding' };
}

/** A stage that is done stays done, whatever the deployment does afterwards. */
function inState(progress: GateProgress, state: GateState): GateProgress {
  const isDone = progress.stages[progress.stageIndex]?.state === 'done';
  return { ...(isDone ? progress : withStage(progress, { state })), state };
}

function withStage(progress: GateProgress, changes: Partial<StageProgress>): GateProgress {
  const { stageIndex } = progress;
  return {
    ...progress,
    stages: progress.stages.map((stage, at) => (at === stageIndex ? { ...stage, ...changes } : stage)),
  };
}

function without(progress: GateProgress, key: OptionalKey): GateProgress {
  return withoutUndefined({ ...progress, [key]: undefined });
}

/** Absent and undefined are the same to readers of JSON, but not to a comparison: absent is how it is stored. */
function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as T;
}
