import { RecordKind, type DomainRecord } from '../../audit/audit-record';
import { derivedId } from '../../kernel/derived-id';
import type { JsonObject } from '../../kernel/json';
import { shortText } from '../../kernel/short-text';
import { toTimestamp } from '../../kernel/time';
import type { NodeReport } from '../execution/follow-run';
import type { RunRequest } from '../execution/run-requests';
import type { PlanObject } from '../object';
import { bareRecord } from './change-record';

const MOST_TEXT = 1_000;
const GATE = 'gate';

/** Who asked a run of something: `abort` for a cancel, `resume` for a retry, whose part is the node. */
export function requestRecord(
  execution: PlanObject,
  { id, kind, actor, reason, time, node }: RunRequest,
): DomainRecord {
  return {
    ...bareRecord(execution),
    decisionID: derivedId('plans', execution.metadata.uid ?? '', id),
    kind: kind === 'cancel' ? RecordKind.abort : RecordKind.resume,
    timestamp: time,
    actor,
    part: node ?? '',
    ...(reason === undefined ? {} : { reason: shortText(reason, MOST_TEXT) }),
    details: { request: kind, ...(node === undefined ? {} : { node }), phase: execution.status?.phase ?? null },
  };
}

/** That a node is compensated, before it is, and what came of it; undefined for any other report. */
export function compensationRecord(
  execution: PlanObject,
  { id, atMs, attempt = 1, compensation }: NodeReport,
): DomainRecord | undefined {
  if (compensation === undefined) return undefined;
  return {
    ...bareRecord(execution),
    decisionID: derivedId('plans', execution.metadata.uid ?? '', id, attempt, 'compensation', compensation.state),
    kind: RecordKind.acted,
    timestamp: toTimestamp(atMs),
    actor: GATE,
    part: id,
    details: { attempt, compensation: { ...compensation } as JsonObject },
  };
}
