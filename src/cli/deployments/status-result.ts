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

/** An explanation as `-o json` prints it. */
export function explanationResult(explanation: Explanation): object {
  return { ...explanation, facts: explanation.facts.map(factResult) };
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
