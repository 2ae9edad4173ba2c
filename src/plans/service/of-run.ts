import type { ExecutionRef } from '../execution/plan-run';
import type { PlanObject } from '../object';
import type { PlanStore, WriteSession } from '../store/plan-store';

/**
 * The Execution that a run belongs to; undefined where it is gone, or another one has its name by now.
 *
 * @throws GateError StoreUnavailable
 */
export async function ofRun(
  from: Pick<PlanStore, 'get'> | Pick<WriteSession, 'get'>,
  { namespace, name, uid }: ExecutionRef,
): Promise<PlanObject | undefined> {
  const stored = await from.get({ kind: 'Execution', namespace, name });
  return stored?.metadata.uid === uid ? stored : undefined;
}
