import type { CarriedGate } from './deployment-state';

/** The version of `CarriedGate` that this release writes. It reads every version up to its own. */
export const CARRIED_VERSION = 1;

/**
 * The state that an earlier run carried over, if this release can read it.
 *
 * @throws Error, and no GateError: it fails the workflow task and never the workflow, so that the deployment waits until a
 *   worker of the newer release is back
 */
export function readableCarried(carried: CarriedGate | undefined): CarriedGate | undefined {
  const version: unknown = carried?.version;
  if (carried === undefined || (typeof version === 'number' && version <= CARRIED_VERSION)) return carried;
  throw new Error(
    `Expected carried state of version ${CARRIED_VERSION} or lower, got ${String(version)}: a newer release continued this deployment, and only a worker of that release can go on with it`,
  );
}
