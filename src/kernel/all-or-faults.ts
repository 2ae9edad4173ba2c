import { faultsToError, GateError, type Fault } from './failures';

/**
 * The results of several checks that do not need one another.
 *
 * @throws GateError with the faults of all checks that throw one; any other error as it comes
 */
export function allOrFaults<T extends readonly unknown[]>(...checks: { [K in keyof T]: () => T[K] }): T {
  const faults: Fault[] = [];
  const results = checks.map((check) => {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof GateError)) throw error;
      faults.push(...error.faults);
      return undefined;
    }
  });
  if (faults.length > 0) throw faultsToError(faults);
  return results as unknown as T;
}
