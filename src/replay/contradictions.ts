import type { GateRecord } from '../audit/audit-record';
import type { Decision } from '../gate/decisions/decision';
import type { JsonValue } from '../kernel/json';

/**
 * Where a record contradicts itself, a sentence each: no worker writes such a record. Whether its answer is its release's is
 * another question, which only an evaluation answers.
 */
export function contradictions(record: GateRecord): string[] {
  const { deployment, deploymentID, stage, outcome, reasons, errorDetails, evaluation, masked = [] } = record;
  const found: string[] = [];
  const compare = (what: string, ofRecord: string, seen: JsonValue | undefined): void => {
    const isMasked = masked.length > 0 && (seen ?? null) === null;
    if (seen !== ofRecord && !isMasked)
      found.push(`the record is of ${what} ${ofRecord}, and its policy saw ${JSON.stringify(seen) ?? 'none'}`);
  };
  if (deployment !== undefined) {
    compare('deployment', deploymentID, deployment.id);
    compare('stage', stage, deployment.stage);
  }
  if (outcome === 'error') return found;
  if (errorDetails.length > 0) found.push(`the outcome is ${outcome}, and the record lists errors`);
  if (outcome === 'allow' && reasons.length > 0) found.push('the outcome is allow, and the record lists deny reasons');
  if (outcome === 'deny' && reasons.length === 0) found.push('the outcome is deny, and the record lists no reason');
  if (evaluation?.wouldDeny !== undefined)
    found.push(`the outcome is ${outcome}, and its evaluation says what it would deny as an error`);
  if (outcome === 'allow' && ['disagreed', 'failed'].includes(evaluation?.secondOpinion ?? ''))
    found.push(`the outcome is allow, and the second opinion ${evaluation?.secondOpinion}`);
  return found;
}

/** Where an allow holds for another time than its facts allow under the release that made it. */
export function leaseContradiction(record: GateRecord, { outcome, leaseExpiresAtMs }: Decision): string | undefined {
  if (record.outcome !== 'allow' || outcome !== 'allow') return undefined;
  const now = leaseExpiresAtMs === undefined ? 'none' : new Date(leaseExpiresAtMs).toISOString();
  const then = record.leaseExpiresAt ?? 'none';
  return now === then ? undefined : `the record's lease ends at ${then}, and that of its facts at ${now}`;
}
