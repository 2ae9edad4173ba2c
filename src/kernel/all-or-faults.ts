import { collectingNow } from './collect-faults';
import { faultsToError, type Fault } from './failures';

/**
 * The results of several checks that do not need one another.
 *
 * @throws GateError with the faults of all checks that throw one; any other error as it comes
 */
export function allOrFaults<T extends readonly unknown[]>(...checks: { [K in keyof T]: () => T[K] }): T {
  const faults: Fault[] = [];
  const results: unknown[] = checks.map(() => undefined);
  for (const [index, check] of checks.entries()) {
    collectingNow(faults, () => void (results[index] = check()));
  }
  if (faults.length > 0) throw faultsToError(faults);
  return results as unknown as T;
}

/**
 * The same of what is under way; it waits for the end of all.
 *
 * @throws the error itself where one alone fails
 */
export async function allReadOrFaults<T extends readonly unknown[]>(
  ...under: { [K in keyof T]: Promise<T[K]> }
): Promise<T> {
  const settled = await Promise.allSettled<unknown>(under);
  const errors = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  const faults: Fault[] = [];
  for (const error of errors) collectingNow(faults, () => raise(error));
  if (errors.length === 1) raise(errors[0]);
  if (errors.length > 1) throw faultsToError(faults);
  return settled.map((one) => (one.status === 'fulfilled' ? one.value : undefined)) as unknown as T;
}

function raise(error: unknown): never {
  throw error;
}
