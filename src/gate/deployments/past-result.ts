import type { AuditRecord } from '../../audit/audit-record';
import { isGateRecord } from '../../audit/place';
import type { DeploymentSpec } from './deployment-spec';

export type PastResult =
  { state: 'done' | 'denied' | 'aborted'; stage: string } | { state: 'uncertain'; stage: string };

/**
 * How a deployment that Temporal has forgotten ended, from its audit records; undefined when there are none.
 *
 * Certain is an abort, a denial that nothing followed, and an allow of the last stage; anything else is `uncertain` (the
 * records do not hold how an action ended).
 *
 * @param records of this deployment, in any order
 */
export function pastResult(
  spec: Pick<DeploymentSpec, 'stages'>,
  records: readonly AuditRecord[],
): PastResult | undefined {
  const inOrder = records.filter(isGateRecord).sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
  const abort = inOrder.findLast((record) => record.kind === 'abort');
  if (abort) return { state: 'aborted', stage: abort.stage };
  const last = inOrder.findLast((record) => record.kind === 'decision' || record.kind === 'override');
  if (!last) return inOrder.length === 0 ? undefined : { state: 'uncertain', stage: inOrder[0]?.stage ?? '' };
  if (last.outcome === 'deny') return { state: 'denied', stage: last.stage };
  const finalStage = spec.stages.at(-1)?.name;
  if (last.outcome === 'allow' && last.stage === finalStage) return { state: 'done', stage: last.stage };
  return { state: 'uncertain', stage: last.stage };
}
