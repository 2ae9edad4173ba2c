import type { AuditRecord } from '../../audit/audit-record';
import type { DeploymentStatus, Explanation } from '../../gate/deployments/deployment-state';
import type { Look, RecordedDecision } from '../../gate/deployments/recorded-decision';
import { factValue, quoted } from '../command-json';

/** A status as `-o json` prints it: the values of facts are JSON, and labels and records keep their keys. */
export function statusResult(status: DeploymentStatus): object {
  const { incident, lastDecision, lastLook } = status;
  return {
    ...status,
    incident: incident && { ...incident, labels: quoted(incident.labels) },
    lastDecision: lastDecision && decisionResult(lastDecision),
    lastLook: lastLook && decisionResult(lastLook),
  };
}

/**
 * An explanation as `-o json` prints it.
 *
 * @param records who did what, of an execution of a plan; left out where there are none
 */
export function explanationResult(explanation: Explanation, records: readonly AuditRecord[] = []): object {
  return {
    ...explanation,
    facts: explanation.facts.map(factResult),
    ...(records.length === 0 ? {} : { records: records.map(quoted) }),
  };
}

function decisionResult(found: Look): object {
  const { record, ...decision } = found.decision;
  return {
    ...found,
    decision: { ...decision, record: record && quoted(record) },
    facts: found.facts.map(factResult),
  };
}

function factResult({ value, ...fact }: RecordedDecision['facts'][number]): object {
  return { ...fact, ...factValue(value) };
}
