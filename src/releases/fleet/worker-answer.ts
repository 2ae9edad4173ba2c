import type { WorkerStatus } from '../../platform/temporal/versioning/worker-build';
import type { HealthRelease } from '../release-health';

/** What a worker says of itself; workers of 0.1.0 say nothing of their build. */
export type FleetStatus = HealthRelease & Partial<WorkerStatus>;

/** What each worker does for whoever asks the fleet; it polls a queue of its own for it. */
export interface FleetActivities {
  /** the release in force here, and how its last check went */
  releaseStatus(): Promise<FleetStatus>;
  /** the same, after the manifest was read; never fails for a release that is refused */
  reloadRelease(): Promise<FleetStatus>;
}

export interface AskedWorker {
  identity: string;
  taskQueue: string;
}

export interface AskWorkersRequest {
  workers: AskedWorker[];
  /** whether each reads its manifest first */
  reload: boolean;
  /** how long a worker may take to begin; one that has died stays listed for some minutes */
  withinMs: number;
}

/** One worker's answer; without `release` there was none, and `silence` says why. */
export interface WorkerAnswer {
  identity: string;
  release?: FleetStatus;
  silence?: string;
}

/** On which all workers of a task queue are found. */
export const fleetQueueOf = (taskQueue: string): string => `${taskQueue}/workers`;

/** On which one worker alone takes tasks. */
export const ownQueueOf = (taskQueue: string, identity: string): string => `${fleetQueueOf(taskQueue)}/${identity}`;

/**
 * The state of the fleet: `alike` when every worker that answered has the same release and no trouble with a newer one;
 * `troubled` when one has none, or could not take the newest; `silent` when none answered.
 */
export function judgeFleet(answers: readonly WorkerAnswer[]): 'alike' | 'differing' | 'troubled' | 'silent' {
  const releases = releasesOf(answers);
  if (releases.length === 0) return 'silent';
  if (releases.some(({ policySHA, lastError }) => policySHA === undefined || lastError !== undefined))
    return 'troubled';
  return haveOneRelease(answers) ? 'alike' : 'differing';
}

/** Whether all that answered have the same in force; workers in trouble may differ as well. None at all do not. */
export function haveOneRelease(answers: readonly WorkerAnswer[]): boolean {
  return (
    new Set(releasesOf(answers).map((one) => [one.manifestVersion, one.policySHA, one.configRev].join(' '))).size === 1
  );
}

const releasesOf = (answers: readonly WorkerAnswer[]): HealthRelease[] =>
  answers.flatMap(({ release }) => (release ? [release] : []));
