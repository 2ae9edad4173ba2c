import { GateError, type Fault } from './failures';

/** Runs `task`; the faults of a GateError that it throws are added to `faults`. Anything else that it throws is thrown on. */
export async function collecting(faults: Fault[], task: () => Promise<void>): Promise<void> {
  try {
    await task();
  } catch (error) {
    take(faults, error);
  }
}

/** The same of a task that does not wait. */
export function collectingNow(faults: Fault[], task: () => void): void {
  try {
    task();
  } catch (error) {
    take(faults, error);
  }
}

function take(faults: Fault[], error: unknown): void {
  if (!(error instanceof GateError)) throw error;
  faults.push(...error.faults);
}
