import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

type Internals = NonNullable<ReturnType<WorkflowInterceptorsFactory>['internals']>[number];
type Activation = Parameters<NonNullable<Internals['activate']>>[0]['activation'];

// A workflow runs in a module scope of its own, so this is of one execution.
let steadyMs: number | undefined;

/** To be called for each activation, before its jobs are done. */
export function noteActivation({ jobs, timestamp }: Pick<Activation, 'jobs' | 'timestamp'>): void {
  if (timestamp == null || !(jobs ?? []).some(isOfHistory)) return;
  steadyMs = Number(timestamp.seconds) * 1_000 + Math.floor((timestamp.nanos ?? 0) / 1_000_000);
}

/**
 * The time that decides what comes next: epoch milliseconds, as it was when the workflow last heard of anything but the
 * result of a local activity. It lags behind `Date.now()` by as long as the local activities since then took.
 *
 * `Date.now()` will not do for a comparison. A worker may hear of a local activity's end one workflow task later than a
 * replay does (see docs/architecture.md), at another time: what was due for the one is then not due for the other, and the
 * run can never be replayed. Where nothing is compared, as in a record, `Date.now()` is closer to the truth.
 */
export function steadyNow(): number {
  return steadyMs ?? Date.now();
}

/** Queries, patches and seeds come at times of their own in a replay. */
function isOfHistory(job: NonNullable<Activation['jobs']>[number]): boolean {
  if (job.resolveActivity) return job.resolveActivity.isLocal !== true;
  return !(job.queryWorkflow ?? job.notifyHasPatch ?? job.updateRandomSeed ?? job.removeFromCache);
}
