import { createGate, type ServiceOptions } from 'planning-engine';

/**
 * The gate without Temporal: one decision, recorded before it is returned.
 *
 * @param settings path of a settings file
 * @returns true when the stage may go on
 */
export async function mayGoOn(
  settings: string,
  deploymentId: string,
  stage: string,
  options?: ServiceOptions,
): Promise<boolean> {
  const gate = await createGate(settings, options);
  try {
    const { decision, record } = await gate.decide({ deploymentId, stage, attributes: { risk: 'low' } });
    if (decision.outcome === 'deny')
      console.error(`denied: ${decision.denyReasons.join('; ')} (record ${record.decisionID})`);
    if (decision.outcome === 'error')
      console.error(`no decision: ${decision.faults.map((fault) => fault.message).join('; ')}`);
    return decision.outcome === 'allow';
  } finally {
    await gate.close();
  }
}
