import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Alert } from '../../alerts/alert';
import type { OperatorCall } from '../../kernel/operator-call';
import type { Pause } from '../../kernel/pause';
import type { ExecutionStatus } from '../../rules/execution/execution';
import { isEnd, summariseExecution } from '../../rules/execution/progress';
import { alertLabels } from '../../alerts/alert-labels';
import type { OperationWords } from '../parts/operated-workflow';
import { PAUSE_REASON } from '../search-attributes';

/** What operators can ask of an execution. `resume`: take back again what could not be taken back. */
export type ExecutionCall = 'abort' | 'resume';

export interface ExecutionReply {
  kind: ExecutionCall;
  /** false: the call was void, nothing was changed */
  accepted: boolean;
  message: string;
}

/** State, steps with their statuses, plan and pause. */
export const executionStatusQuery = defineQuery<ExecutionStatus>('status');

const CALLS = {
  abort: {
    update: defineUpdate<ExecutionReply, [OperatorCall]>('abort'),
    signal: defineSignal<[unknown]>('abort'),
    needsFor: false,
  },
  resume: {
    update: defineUpdate<ExecutionReply, [OperatorCall]>('resume'),
    signal: defineSignal<[unknown]>('resume'),
    needsFor: true,
  },
};

/** The calls of an execution, and what it shows. */
export function executionWords(status: () => ExecutionStatus): OperationWords<ExecutionCall, ExecutionReply> {
  return {
    inbox: {
      calls: CALLS,
      urgent: 'abort',
      misfit: (kind, call) => misfitOf(kind, call, status()),
      reply: (kind, accepted, message) => ({ kind, accepted, message }),
    },
    details: (notes) => [summariseExecution(status()), ...stepLines(status()), ...notes].join('\n\n'),
    attributes: () => [{ key: PAUSE_REASON, value: status().pause?.reason ?? null }],
  };
}

function misfitOf(kind: ExecutionCall, call: OperatorCall, status: ExecutionStatus): string | undefined {
  if (isEnd(status.state)) return `Cannot ${kind}: the execution is ${status.state}`;
  if (kind === 'abort') {
    const isStopping = status.state === 'rolling_back' && status.pause === undefined;
    return isStopping ? 'Cannot abort: the execution is rolled back already' : undefined;
  }
  if (status.pause === undefined) return `Cannot resume: the execution is ${status.state}, not paused`;
  return call.for === status.pause.id ? undefined : `Cannot resume: the execution is paused for ${status.pause.id}`;
}

const MOST_LINES = 50;

function stepLines({ plan, steps }: ExecutionStatus): string[] {
  const lines = steps.map(({ status, fault }, index) => {
    const why = fault === undefined ? '' : `: ${fault.message}`;
    return `- ${status}: ${plan?.steps[index]?.sentence ?? ''}${why}`;
  });
  const more = lines.length - MOST_LINES;
  return more > 0 ? [...lines.slice(0, MOST_LINES), `- and ${more} more`] : lines;
}

/** The alert of an execution that cannot go on, its reminders, and its end. */
export function executionAlert(
  status: ExecutionStatus,
  pause: Pause,
  own: Readonly<Record<string, string>>,
  endsAtMs?: number,
): Alert {
  const name = 'RuleExecutionPaused';
  const isOver = endsAtMs !== undefined;
  const faults = pause.faults.map(({ message }) => message);
  const policies = (status.plan?.policies ?? []).map((policy) => policy.name).join(', ');
  return {
    status: isOver ? 'resolved' : 'firing',
    fingerprint: pause.id,
    name,
    pauseReason: pause.reason,
    severity: 'critical',
    labels: { ...alertLabels({ name, severity: 'critical' }, own), execution_id: status.id },
    summary: isOver
      ? `Execution ${status.id} goes on`
      : `Execution ${status.id} is paused: ${faults[0] ?? pause.reason}`,
    description: [
      ...faults,
      ...(policies === '' ? [] : [`Policies: ${policies}`]),
      ...(isOver ? [] : [`It is tried again by itself; at once by: gate rules executions resume ${status.id}`]),
      ...(isOver ? [] : [`What cannot be taken back is left as it is by: gate rules executions abort ${status.id}`]),
    ].join('\n'),
    startsAtMs: pause.startedAtMs,
    ...(isOver ? { endsAtMs } : {}),
    reminder: pause.remindersSent - 1,
    ...(isOver || pause.nextReminderAtMs === Infinity ? {} : { nextReminderAtMs: pause.nextReminderAtMs }),
  };
}

/** What is told of an execution that ended with something left that it could not take back, or before it did anything. */
export function executionEndAlert(status: ExecutionStatus, own: Readonly<Record<string, string>>, atMs: number): Alert {
  const name = 'RuleExecutionFailed';
  const severity = status.state === 'rollback_failed' ? 'critical' : 'warning';
  return {
    status: 'firing',
    fingerprint: `${status.id}/end`,
    name,
    severity,
    labels: { ...alertLabels({ name, severity }, own), execution_id: status.id },
    summary: summariseExecution(status),
    description: stepLines(status).join('\n'),
    startsAtMs: atMs,
    reminder: 0,
  };
}
