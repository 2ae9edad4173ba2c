/**
 * The state that an earlier run carried over, if this release can read it.
 *
 * @param newest the version that this release writes; it reads every version up to its own
 * @throws Error, and no GateError: it fails the workflow task and never the workflow, so that the workflow waits until a
 *   worker of the newer release is back
 */
export function readableCarried<T extends { version: number }>(carried: T | undefined, newest: number): T | undefined {
  const version: unknown = carried?.version;
  if (carried === undefined || (typeof version === 'number' && version <= newest)) return carried;
  throw new Error(
    `Expected carried state of version ${newest} or lower, got ${String(version)}: a newer release continued this workflow, and only a worker of that release can continue it`,
  );
}
