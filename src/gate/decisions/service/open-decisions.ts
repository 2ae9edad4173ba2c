import type { FailureType } from '../../../kernel/failures';
import { accounted, type PolicyEvaluator } from '../../../rego/evaluation/evaluate-policy';
import { createEvaluator } from '../../../rego/evaluation/evaluator';
import type { Release } from '../../../releases/release';
import type { ReleaseRef } from '../../../releases/release-ref';
import type { Snapshot } from '../../facts/snapshot';
import type { Decision, DecisionEvaluation } from '../decision';
import { evaluateSnapshot } from '../evaluate-snapshot';
import type { DecisionMetrics } from './decision-metrics';

export interface DecisionsOptions {
  /** threads that evaluate side by side, at least 1 */
  threads: number;
  /** the program's own evaluator, in place of the threads; the program closes it */
  own?: PolicyEvaluator;
  /** names this process in records */
  instance: string;
  metrics: DecisionMetrics;
  /** counts each fault of a decision */
  onFault(type: FailureType): void;
  /** the two evaluators of a release do not agree on an allow, or the second one failed */
  onDisagreement(release: ReleaseRef, at: { decisionId: string; deploymentId: string; stage: string }): void;
}

/** The threads that evaluate policies, and the decisions that they make. */
export interface Decisions {
  /** any evaluation: a smoke test of a release, a mask */
  evaluatePolicy: PolicyEvaluator['evaluate'];
  /** the decision about a snapshot, counted; not masked */
  decide(release: Release, snapshot: Snapshot): Promise<Decision>;
  close(): Promise<void>;
}

export function openDecisions(options: DecisionsOptions): Decisions {
  const { threads, own, instance, metrics, onFault, onDisagreement } = options;
  const threaded = own === undefined ? createEvaluator({ threads }) : undefined;
  const evaluator = threaded ?? accounted(own!);
  return {
    evaluatePolicy: (request) => evaluator.evaluate(request),
    decide: async (release, snapshot) => {
      const evaluated = await evaluateSnapshot({
        release,
        snapshot,
        evaluate: (request) => evaluator.evaluate(request),
      });
      const { evaluation } = evaluated;
      const decision = evaluation === undefined ? evaluated : { ...evaluated, evaluation: { instance, ...evaluation } };
      if (decision.evalDurationNs > 0) metrics.evaluated(decision.evalDurationNs / 1e9);
      if (decision.evaluation !== undefined) {
        metrics.opined(decision.evaluation.secondOpinion);
        if (DISAGREEMENTS.includes(decision.evaluation.secondOpinion)) {
          const { decisionId, target } = snapshot;
          onDisagreement(release.ref, { decisionId, deploymentId: target.deploymentId, stage: target.stage });
        }
      }
      for (const fault of decision.faults) onFault(fault.type);
      return decision;
    },
    close: async () => threaded?.close(),
  };
}

const DISAGREEMENTS: readonly DecisionEvaluation['secondOpinion'][] = ['disagreed', 'failed'];
