import type { GateLibrary } from 'planning-engine';

/**
 * The gate without Temporal: one decision, recorded before it is returned.
 *
 * @returns true when the stage may go on
 */
export async function mayGoOn(gate: GateLibrary, deploymentId: string, stage: string): Promise<boolean> {
  const { decision, record } = await gate.decide({ deploymentId, stage, attributes: { risk: 'low' } });
  const under = record.manifestVersion ?? 'no release';
  if (decision.outcome === 'allow')
    console.log(`${deploymentId} may go on (record ${record.decisionID}, under ${under})`);
  if (decision.outcome === 'deny')
    console.error(
      `${deploymentId} denied: ${decision.denyReasons.join('; ')} (record ${record.decisionID}, under ${under})`,
    );
  if (decision.outcome === 'error')
    console.error(
      `${deploymentId} no decision: ${decision.faults.map((fault) => fault.message).join('; ')} (under ${under})`,
    );
  return decision.outcome === 'allow';
}
