import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Fault } from '../../../src/kernel/failures';
import type { OperatorCall } from '../../../src/kernel/operator-call';
import type { Pause } from '../../../src/kernel/pause';
import type { CarriedOperation, OperationWords } from '../../../src/workflows/parts/operated-workflow';
import { PAUSE_REASON } from '../../../src/workflows/search-attributes';

// The words of the workflow of two steps, as a domain's pure modules hold them.

export const STEPS = ['first', 'second'];

export type Kind = 'resume' | 'abort';
export interface Reply {
  kind: Kind;
  accepted: boolean;
  message: string;
}

export interface StepRecord {
  id: string;
  kind: string;
  actor: string;
  /** of a `recheck`: how many looks found the same */
  count?: number | null;
}

/** Whether a step that failed would succeed now. */
export type Found = 'down' | 'up';

/** Looks that found the same; the count is null when it could not be read. */
export interface StepLooks {
  count: number | null;
}

export interface LookRequest {
  /** what was found last */
  found: Found;
  before?: StepLooks;
}

export interface StepAlert {
  fingerprint: string;
  status: 'firing' | 'resolved';
}

export interface TwoStepsState {
  state: 'acting' | 'done' | 'aborted' | 'paused';
  /** the present step */
  step: number;
  pause?: Pause;
  outage?: Pause;
  /** carried over while a look goes on */
  looks?: StepLooks;
}

export interface TwoStepsInput {
  historyLimit?: number;
  carried?: CarriedOperation<Reply> & { version: number; now: TwoStepsState };
}

export interface StepActivities {
  act(step: string): Promise<void>;
  undo(step: string): Promise<void>;
  /** an attempt that finds the same counts it in its heartbeat details and fails */
  look(request: LookRequest): Promise<StepLooks & { found: Found }>;
  readLooks(request: { activityId: string }): Promise<StepLooks | null>;
  store(record: StepRecord): Promise<StepRecord>;
  sendAlert(alert: StepAlert): Promise<void>;
}

export const statusQuery = defineQuery<TwoStepsState>('status');

export function alertOf({ id }: Pause, endsAtMs?: number): StepAlert {
  return { fingerprint: id, status: endsAtMs === undefined ? 'firing' : 'resolved' };
}

/** The state as it is shown: an outage of the store before any other pause. */
export function statusOf({ outage, pause, ...now }: TwoStepsState): TwoStepsState {
  const shown = outage ?? pause;
  return shown === undefined ? now : { ...now, state: 'paused', pause: shown };
}

export function faultOf(error: unknown, type: Fault['type']): Fault {
  return { type, message: error instanceof Error ? error.message : String(error) };
}

export function wordsOf(present: () => TwoStepsState): OperationWords<Kind, Reply> {
  const misfit = (kind: Kind, call: OperatorCall): string | undefined => {
    const { state, pause } = statusOf(present());
    return kind === 'abort' || call.for === pause?.id ? undefined : `Cannot resume: ${state}, not on ${call.for}`;
  };
  return {
    inbox: {
      calls: {
        resume: { update: defineUpdate('resume'), signal: defineSignal('resume'), needsFor: true },
        abort: { update: defineUpdate('abort'), signal: defineSignal('abort'), needsFor: false },
      },
      urgent: 'abort',
      misfit,
      reply: (kind, accepted, message) => ({ kind, accepted, message }),
    },
    details: (notes) => [`Two steps: ${statusOf(present()).state}`, ...notes].join('\n\n'),
    attributes: () => [{ key: PAUSE_REASON, value: statusOf(present()).pause?.reason ?? null }],
  };
}
