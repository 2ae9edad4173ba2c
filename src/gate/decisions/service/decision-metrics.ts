import type { Registry } from 'prom-client';
import type { GateRecord } from '../../../audit/audit-record';
import { createLabelCap } from '../../../platform/observability/label-cap';
import { metricsOn } from '../../../platform/observability/metrics-on';
import type { DecisionOutcome } from '../../../kernel/outcome';
import { reasonCodesOf } from '../../../kernel/reason-code';
import type { DecisionEvaluation } from '../decision';

/** What the code of decisions reports; no hook throws. */
export interface DecisionMetrics {
  /** the policy was evaluated, whatever it answered */
  evaluated(seconds: number): void;
  /** the compiled module was asked about an allow, or could not be; decisions that it was not asked about do not count */
  opined(vote: DecisionEvaluation['secondOpinion']): void;
  /** a paused or waiting stage was looked at; the look is no decision */
  looked(outcome: DecisionOutcome): void;
  /** @param count deployments whose rechecks are paused in Temporal, as they were last counted */
  rechecksPaused(count: number): void;
  /** a decision is recorded; records of acts do not count */
  recorded(record: Pick<GateRecord, 'kind' | 'outcome' | 'stage' | 'reasons' | 'masked'>): void;
}

/** Distinct stages and deny codes that the metrics tell apart; further ones count as `other`. */
export const DECISION_LABEL_LIMITS = { stage: 50, code: 100 } as const;
const EVALUATION_BUCKETS = [0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.01, 0.1, 1];

/** Declares the metrics of evaluations and decisions. */
export function createDecisionMetrics(registry: Registry): DecisionMetrics {
  const { counter, gauge, histogram } = metricsOn(registry);
  const durations = histogram(
    'gate_evaluation_duration_seconds',
    'Time that an evaluation of the policy took',
    EVALUATION_BUCKETS,
  );
  const opinions = counter(
    'gate_second_opinions_total',
    'What the compiled module said of an allow: agreed, disagreed, failed, or none where it has no vote',
    ['vote'],
  );
  const decisions = counter('gate_decisions_total', 'Decisions by outcome and stage', ['outcome', 'stage']);
  const looks = counter('gate_rechecks_total', 'Looks at a paused or waiting stage by outcome', ['outcome']);
  const paused = gauge(
    'gate_rechecks_paused',
    'Running workflows of the task queue whose rechecks are paused in Temporal, as this worker last counted them',
  );
  const reasons = counter('gate_deny_reasons_total', 'Deny reasons by code', ['code']);
  const stageLabel = createLabelCap(DECISION_LABEL_LIMITS.stage);
  const codeLabel = createLabelCap(DECISION_LABEL_LIMITS.code);
  return {
    evaluated: (seconds) => durations.observe(seconds),
    opined(vote) {
      if (vote !== 'not-asked') opinions.inc({ vote });
    },
    looked: (outcome) => looks.inc({ outcome }),
    rechecksPaused: (count) => paused.set(count),
    recorded(record) {
      if (record.kind !== 'decision' || !record.outcome) return;
      decisions.inc({ outcome: record.outcome, stage: stageLabel(record.stage) });
      for (const code of reasonCodesOf(record)) reasons.inc({ code: codeLabel(code) });
    },
  };
}
