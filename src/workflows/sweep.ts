import {
  ActivityFailure,
  condition,
  continueAsNew,
  isCancellation,
  log,
  proxyActivities,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { SeenRun, SweepActivities } from '../activities/sweep-activities';
import type { ClosedRun } from '../gate/deployments/closed-run';
import { readableCarried } from './parts/readable-carried';
import { steadyNow } from './parts/steady-now';

const CARRIED_VERSION = 1;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Ends that are being recorded at a time: those of a task queue without a worker wait. */
const MOST_OWED = 200;

/** What continue-as-new carries of a sweep. */
export interface CarriedSweep {
  version: number;
  /** epoch milliseconds: the cursor */
  sinceMs: number;
  seen: SeenRun[];
  /** ends that are not recorded yet */
  owed: ClosedRun[];
}

export interface SweepInput {
  carried?: CarriedSweep;
  /** from one look to the next; @default a minute */
  everyMs?: number;
}

/**
 * Records the ends of deployments that no workflow can record, because Temporal terminated it or let it time out: one sweep
 * a namespace, which looks every minute and continues as new every day. It begins with the ends of the day before.
 */
export async function sweep(input: SweepInput = {}): Promise<never> {
  const { everyMs = MINUTE_MS } = input;
  const carried = readableCarried(input.carried, CARRIED_VERSION);
  const untilMs = Date.now() + DAY_MS;
  let sinceMs = carried?.sinceMs ?? Date.now() - DAY_MS;
  let seen = carried?.seen ?? [];
  const owed = new Map<string, ClosedRun>();
  let recorded = 0;

  const show = (): void =>
    setCurrentDetails(
      `Ends of terminated and timed-out runs: ${recorded} recorded in this run, ${owed.size} owed. ` +
        `Runs that closed before ${new Date(sinceMs).toISOString()} are done.`,
    );
  const owe = (run: ClosedRun): void => {
    owed.set(run.runId, run);
    void record(run)
      .then(() => (recorded += 1))
      .catch((error: unknown) => {
        if (!isCancellation(error)) log.warn(`The end of ${run.workflowId} is not recorded: ${causeOf(error)}`);
      })
      .finally(() => {
        owed.delete(run.runId);
        show();
      });
  };
  for (const run of carried?.owed ?? []) owe(run);

  for (;;) {
    show();
    await condition(() => owed.size < MOST_OWED);
    if (steadyNow() >= untilMs || workflowInfo().continueAsNewSuggested) {
      const state: CarriedSweep = { version: CARRIED_VERSION, sinceMs, seen, owed: [...owed.values()] };
      await continueAsNew<typeof sweep>({ ...input, carried: state });
    }
    const found = await look(everyMs).findClosed({ sinceMs, seen, everyMs, atMost: MOST_OWED - owed.size });
    sinceMs = found.sinceMs;
    const known = [...seen, ...found.runs.map(({ runId, closedAtMs }) => ({ runId, closedAtMs }))];
    seen = known.filter(({ closedAtMs }) => closedAtMs >= sinceMs);
    found.runs.forEach(owe);
  }
}

/** However often a look fails, the next one is made. */
function look(everyMs: number): Pick<SweepActivities, 'findClosed'> {
  return proxyActivities<SweepActivities>({
    startToCloseTimeout: '1m',
    retry: { initialInterval: everyMs, maximumInterval: everyMs, backoffCoefficient: 1 },
    summary: 'look for runs that were terminated or timed out',
  });
}

/** On the run's own task queue: its workers have the store of its records, and can tell how far it was. */
async function record(run: ClosedRun): Promise<unknown> {
  const { recordClosed } = proxyActivities<SweepActivities>({
    taskQueue: run.taskQueue,
    startToCloseTimeout: '2m',
    scheduleToCloseTimeout: '1d',
    retry: { initialInterval: '1s', maximumInterval: '5m' },
    summary: `${run.deploymentId}: ${run.end}`,
  });
  return await recordClosed(run);
}

function causeOf(error: unknown): string {
  return error instanceof ActivityFailure ? (error.cause?.message ?? error.message) : String(error);
}
