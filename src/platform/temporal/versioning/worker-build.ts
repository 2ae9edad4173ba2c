/** The worker deployment version that a versioned worker belongs to, in Temporal's words. */
export interface DeploymentVersion {
  /** name of the worker deployment */
  name: string;
  buildId: string;
}

/** Which build of the package a worker runs, and in which worker deployment if it is versioned. */
export interface WorkerBuild {
  buildId: string;
  /** name of the worker deployment; absent for an unversioned worker */
  deployment?: string;
}

/** What a worker tells of its build: at `/healthz`, at `/readyz` and to those who ask the fleet. */
export interface WorkerStatus {
  buildID: string;
  /** name of the worker deployment; absent for an unversioned worker */
  deployment?: string;
  /** false while Temporal sends the tasks elsewhere, and before the worker polls */
  receivesTasks: boolean;
}

/** The version of a versioned worker; undefined for an unversioned one. */
export function versionOf({ deployment, buildId }: WorkerBuild): DeploymentVersion | undefined {
  return deployment === undefined ? undefined : { name: deployment, buildId };
}

/** For people: `name:buildId`, as Temporal's CLI and UI write it, or `unversioned workers`. */
export function describeVersion(version: DeploymentVersion | undefined): string {
  return version === undefined ? 'unversioned workers' : `${version.name}:${version.buildId}`;
}
