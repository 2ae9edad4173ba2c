import type { ColumnType, Generated } from 'kysely';
import type { OwnerRow } from './owner-rows';

/** Read as text: a bigint may be longer than a number is exact. */
type Revision = ColumnType<string, string | number, string | number>;

export interface PlanSchema {
  plan_store: { id: number; revision: Revision; pruned: Revision; event_bytes: Revision };
  plan_objects: { kind: string; namespace: string; name: string; revision: Revision; document: string };
  plan_owners: OwnerRow;
  plan_events: { revision: Revision; type: string; document: string; labels_before: string | null; written_at: Date };
  plan_records_waiting: { seq: Generated<Revision>; decision_id: string; record: string };
}
