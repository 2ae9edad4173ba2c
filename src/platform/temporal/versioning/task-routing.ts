import type { temporal } from '@temporalio/proto';
import type { DeploymentVersion } from './worker-build';

/**
 * Where Temporal sends the tasks of a task queue's unpinned workflows. A missing version means the unversioned workers.
 */
export interface TaskRouting {
  current?: DeploymentVersion;
  /** a share of the tasks that goes to another version; absent when all go to the current one */
  ramping?: { version?: DeploymentVersion; percentage: number };
}

type VersioningInfo = temporal.api.taskqueue.v1.ITaskQueueVersioningInfo;
type ProtoVersion = temporal.api.deployment.v1.IWorkerDeploymentVersion;

/** What the server says of a task queue; a server that knows no worker deployments sends all to unversioned workers. */
export function toTaskRouting(info: VersioningInfo | null | undefined): TaskRouting {
  const current = toVersion(info?.currentDeploymentVersion);
  const percentage = info?.rampingVersionPercentage ?? 0;
  if (percentage <= 0) return current === undefined ? {} : { current };
  const version = toVersion(info?.rampingDeploymentVersion);
  return {
    ...(current === undefined ? {} : { current }),
    ramping: { percentage, ...(version === undefined ? {} : { version }) },
  };
}

/** Whether workers of `version` (undefined: unversioned ones) get any of the queue's tasks. */
export function receivesTasks({ current, ramping }: TaskRouting, version: DeploymentVersion | undefined): boolean {
  if (ramping !== undefined && isSameVersion(ramping.version, version)) return true;
  return isSameVersion(current, version) && (ramping?.percentage ?? 0) < 100;
}

/** Two undefined versions are the same: both are the unversioned workers. */
export function isSameVersion(one: DeploymentVersion | undefined, other: DeploymentVersion | undefined): boolean {
  return one?.name === other?.name && one?.buildId === other?.buildId;
}

function toVersion(version: ProtoVersion | null | undefined): DeploymentVersion | undefined {
  if (!version?.buildId) return undefined;
  return { name: version.deploymentName ?? '', buildId: version.buildId };
}
