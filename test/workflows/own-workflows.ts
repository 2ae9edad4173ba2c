import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  isCancellation,
  setHandler,
} from '@temporalio/workflow';
import { awaitGate, closeGate, type GatePass } from '../../src/workflows/await-gate';

export { deliverAlerts } from '../../src/workflows/await-gate';

export const workDone = defineSignal('workDone');
export const hasGivenUp = defineQuery<boolean>('hasGivenUp');

/** A workflow as a user would write it: it waits at the gate for each stage, and does its own work in between. */
export async function own({ id, stages }: { id: string; stages: string[] }): Promise<GatePass[]> {
  const passes: GatePass[] = [];
  for (const stage of stages) {
    passes.push(
      await awaitGate({ deploymentId: id, stage, attributes: { risk: 'low' }, onDeny: 'wait', recheckEvery: '10m' }),
    );
  }
  await closeGate(id);
  return passes;
}

/** Asks for two stages at once; the gate takes them one after the other. */
export async function atOnce({ id }: { id: string }): Promise<string[]> {
  const passes = await Promise.all(['a', 'b'].map((stage) => awaitGate({ deploymentId: id, stage })));
  await closeGate(id);
  return passes.map((pass) => pass.outcome);
}

/** Does something of its own behind the gate until it is told that this is done; then asks for another stage, or closes. */
export async function busy({ id, next }: { id: string; next?: string }): Promise<string> {
  let isDone = false;
  setHandler(workDone, () => void (isDone = true));
  await awaitGate({ deploymentId: id, stage: 'first' });
  await condition(() => isDone);
  try {
    if (next !== undefined) await awaitGate({ deploymentId: id, stage: next });
    await closeGate(id);
    return 'closed';
  } catch (error) {
    // As a `finally` would do.
    await closeGate(id);
    return error instanceof ApplicationFailure ? (error.type ?? '') : String(error);
  }
}

/** As `own`, of one stage, and its own work after that; it closes the gate where no cancellation reaches it. */
export async function careful({ id }: { id: string }): Promise<void> {
  let isDone = false;
  setHandler(workDone, () => void (isDone = true));
  try {
    await awaitGate({ deploymentId: id, stage: 'first', leavesAlerts: true });
    await condition(() => isDone);
  } finally {
    await CancellationScope.nonCancellable(() => closeGate(id));
  }
}

/** Gives up waiting for the gate by itself, and then waits again. */
export async function impatient({ id }: { id: string }): Promise<string> {
  let gaveUp = false;
  setHandler(hasGivenUp, () => gaveUp);
  const ask = () => awaitGate({ deploymentId: id, stage: 'first', onDeny: 'wait', recheckEvery: '10m' });
  try {
    await CancellationScope.withTimeout(1, ask);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    gaveUp = true;
  }
  const { outcome } = await ask();
  await closeGate(id);
  return outcome;
}
