import type { Client } from '@temporalio/client';
import { SWEEP_WORKFLOW_ID } from '../../../kernel/names';
import type { Repetition } from '../../../kernel/repeat';
import { systemTimers } from '../../timers/system-timers';
import { keepStarted, type KeepStartedOptions } from './keep-started';

/** Where the sweep begins, and who is told of it. */
export type KeepSweepOptions = Pick<KeepStartedOptions, 'namespace' | 'taskQueue' | 'onFound'> &
  Partial<Pick<KeepStartedOptions, 'onFailure'>>;

/** Keeps the sweep of a namespace running: it looks for the same again wherever it begins. */
export function keepSweep(client: Client, { onFailure = () => undefined, ...options }: KeepSweepOptions): Repetition {
  return keepStarted({
    ...options,
    client,
    workflowType: 'sweep',
    workflowId: SWEEP_WORKFLOW_ID,
    summary: 'Ends of deployments that Temporal terminated or let time out',
    timers: systemTimers,
    onFailure,
  });
}
