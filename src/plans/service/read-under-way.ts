import { underWayOf } from '../execution/pinned-plan';
import type { PlanObject } from '../object';
import type { PlanStore } from '../store/plan-store';

const PAGE = 500;

/**
 * Every execution that is under way. Executions stay once they have ended, and may be long: a page of them is in memory at once.
 *
 * @throws GateError StoreUnavailable
 */
export async function readUnderWay(store: Pick<PlanStore, 'list'>): Promise<PlanObject[]> {
  const found: PlanObject[] = [];
  let after: { namespace: string; name: string } | undefined;
  for (;;) {
    const query = { kind: 'Execution', limit: PAGE, ...(after === undefined ? {} : { after }) };
    const { items } = await store.list(query);
    found.push(...items.filter((each) => underWayOf(each) !== undefined));
    const last = items.at(-1);
    if (last === undefined || items.length < PAGE) return found;
    after = { namespace: last.metadata.namespace, name: last.metadata.name };
  }
}
