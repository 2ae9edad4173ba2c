import type { GateRecord, RecordedEvaluation, UsedFact } from '../../audit/audit-record';
import { toTimestamp } from '../../kernel/time';
import type { Fact, FactTarget } from '../facts/fact';
import type { Snapshot, SnapshotFailure } from '../facts/snapshot';
import { BUDGET } from '../../rego/builtins/plan-builtin';
import type { Decision, DecisionEvaluation } from './decision';

export interface RunRef {
  workflowId?: string;
  runId?: string;
}

/** The record of a decision: under the snapshot's id and time, so that a step that runs again writes the same. */
export function decisionRecord(snapshot: Snapshot, decision: Decision, run: RunRef): GateRecord {
  return {
    ...base(snapshot, run, decision.evaluation?.lookedAt),
    outcome: decision.outcome,
    reasons: decision.denyReasons,
    errorDetails: decision.faults,
    evalDurationNS: decision.evalDurationNs,
    ...(decision.evaluation === undefined ? {} : { evaluation: recordedEvaluation(decision.evaluation) }),
    ...(decision.leaseExpiresAtMs === undefined ? {} : { leaseExpiresAt: toTimestamp(decision.leaseExpiresAtMs) }),
  };
}

/** The record of a decision that could not be made because facts failed: it holds those that could be had. */
export function failureRecord(failure: SnapshotFailure, run: RunRef): GateRecord {
  return { ...base(failure, run), outcome: 'error', reasons: [], errorDetails: failure.faults, evalDurationNS: 0 };
}

type Base = Omit<GateRecord, 'outcome' | 'reasons' | 'errorDetails' | 'evalDurationNS'>;

function base(
  { decisionId, decisionTimeMs, target, release, facts }: Snapshot | SnapshotFailure,
  run: RunRef,
  lookedAt?: readonly string[],
): Base {
  return {
    schemaVersion: 1,
    decisionID: decisionId,
    kind: 'decision',
    deploymentID: target.deploymentId,
    stage: target.stage,
    timestamp: toTimestamp(decisionTimeMs),
    usedFacts: facts.map((fact) => usedFact(fact, lookedAt)),
    ...(release === undefined
      ? {}
      : { policySHA: release.policySha, configRev: release.configRev, manifestVersion: release.manifestVersion }),
    ...(run.workflowId === undefined ? {} : { workflowID: run.workflowId }),
    ...(run.runId === undefined ? {} : { runID: run.runId }),
    actor: 'gate',
    deployment: deploymentInput(target),
  };
}

/** `input.deployment` as the policy sees it. */
export function deploymentInput(target: FactTarget) {
  return {
    id: target.deploymentId,
    stage: target.stage,
    stage_index: target.stageIndex,
    attributes: target.attributes,
    stage_attributes: target.stageAttributes,
  };
}

function recordedEvaluation({ lookedAt: _onTheFacts, ...evaluation }: DecisionEvaluation): RecordedEvaluation {
  return { ...evaluation, budget: { ...BUDGET } };
}

function usedFact(fact: Fact, lookedAt: readonly string[] | undefined): UsedFact {
  return {
    id: fact.id,
    value: fact.value,
    observedAt: toTimestamp(fact.observedAtMs),
    collectedAt: toTimestamp(fact.collectedAtMs),
    source: fact.source,
    ...(lookedAt === undefined ? {} : { lookedAt: lookedAt.includes(fact.id) }),
    ...(fact.isDefault ? { isDefault: true } : {}),
    ...(fact.warnings === undefined ? {} : { warnings: [...fact.warnings] }),
  };
}
