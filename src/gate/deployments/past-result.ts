import type { AuditRecord } from '../../audit/audit-record';
import { isGateRecord } from '../../audit/place';
import { DeploymentEnd } from '../../audit/ends';
import type { DeploymentSpec } from './deployment-spec';

/** How a deployment ended, as far as its records say. */
export interface PastResult {
  state: DeploymentEnd | 'uncertain';
  stage: string;
}

const STATES: readonly string[] = Object.values(DeploymentEnd);

/**
 * How a deployment that Temporal has forgotten ended, from its audit records; undefined when there are none.
 *
 * The record of its end tells. Of deployments that ended under a release that wrote none, certain is an abort, a denial that
 * nothing followed, and an allow of the last stage; anything else is `uncertain`.
 *
 * @param records of this deployment, in any order
 */
export function pastResult(
  spec: Pick<DeploymentSpec, 'stages'>,
  records: readonly AuditRecord[],
): PastResult | undefined {
  const inOrder = records.filter(isGateRecord).sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
  const ended = inOrder.findLast((record) => record.kind === 'ended');
  if (ended) return { state: stateOf(ended), stage: ended.stage };
  const abort = inOrder.findLast((record) => record.kind === 'abort');
  if (abort) return { state: 'aborted', stage: abort.stage };
  const last = inOrder.findLast((record) => record.kind === 'decision' || record.kind === 'override');
  if (!last) return inOrder.length === 0 ? undefined : { state: 'uncertain', stage: inOrder[0]?.stage ?? '' };
  if (last.outcome === 'deny') return { state: 'denied', stage: last.stage };
  const finalStage = spec.stages.at(-1)?.name;
  if (last.outcome === 'allow' && last.stage === finalStage) return { state: 'done', stage: last.stage };
  return { state: 'uncertain', stage: last.stage };
}

/** A later release may know ends that this one does not. */
function stateOf({ details }: AuditRecord): PastResult['state'] {
  const end = details?.end;
  return typeof end === 'string' && STATES.includes(end) ? (end as DeploymentEnd) : 'uncertain';
}
