import type { DomainRecord } from '../../audit/audit-record';
import { derivedId } from '../../kernel/derived-id';
import type { SyncState } from '../progress/sync-progress';
import type { SyncTotals } from '../progress/sync-totals';

export interface SyncEnd {
  sync: string;
  workflowId: string;
  actor: string;
  policies?: readonly string[];
  state: SyncState;
  /** in one sentence */
  reason: string;
  totals: SyncTotals;
}

/** The record of the end of a sync. */
export function syncEndRecord(end: SyncEnd, nowMs: number): DomainRecord {
  const { sync, workflowId, actor, policies, state, reason, totals } = end;
  return {
    schemaVersion: 2,
    domain: 'images',
    subject: 'sync',
    part: '',
    decisionID: derivedId('image-sync', sync, 'ended'),
    kind: 'ended',
    timestamp: new Date(nowMs).toISOString(),
    reasons: [],
    errorDetails: [],
    usedFacts: [],
    workflowID: workflowId,
    actor,
    reason,
    details: { sync, end: state, ...totals, ...(policies === undefined ? {} : { policies: [...policies] }) },
  };
}
