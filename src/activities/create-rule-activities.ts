import { CancelledFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import type { Alert } from '../alerts/alert';
import { FailureType } from '../kernel/failures';
import type { ExecutionDefaults } from '../rules/execution/execution-defaults';
import type { ExecutionMetrics } from '../rules/execution/execution-metrics';
import { stateDigest } from '../rules/execution/make-plan';
import type { ExecutionQuestion } from '../rules/execution/execution';
import type { Planner, PlanQuestion } from '../rules/execution/planner';
import type { PolicySource } from '../rules/execution/policy-source';
import type { ExecutionJournal } from '../rules/execution/report';
import type { StateSource } from '../rules/execution/state-source';
import type { StepRunner } from '../rules/execution/step-runner';
import { beating } from './beating';
import type { RuleActivities } from './rule-activities';
import { translated } from './to-application-failure';

/** What executions of rule policies are made of. */
export interface ExecutionParts {
  planner: Planner;
  policies: PolicySource;
  state: StateSource;
  /** a state that was observed earlier is stale */
  maxAgeMs: number;
  runner: StepRunner;
  journal: ExecutionJournal;
  defaults: ExecutionDefaults;
  metrics: ExecutionMetrics;
  alerts: { send(alert: Alert): Promise<void> };
  nowMs(): number;
}

/** The activities of executions: each calls a feature and translates its errors. */
export function createRuleActivities(parts: ExecutionParts): RuleActivities {
  const reportUnmet = (unmet: Readonly<Record<string, number>>): void => {
    for (const [policy, subjects] of Object.entries(unmet)) parts.metrics.noncompliant(policy, subjects);
  };
  const readFor = async (question: ExecutionQuestion): Promise<PlanQuestion> => {
    const policies = await parts.policies.current();
    const state = await parts.state.read(Context.current().cancellationSignal);
    return { question, policies, state, nowMs: parts.nowMs() };
  };
  return {
    readExecutionDefaults: async () => parts.defaults,
    planExecution: ({ question }) =>
      translated(FailureType.PolicyEvaluation, async () => {
        const { maxAgeMs } = parts;
        const plan = await parts.planner.plan({ ...(await readFor(question)), maxAgeMs });
        reportUnmet(plan.unmet);
        return plan;
      }),
    checkState: (plan) =>
      translated(FailureType.FactSourceUnavailable, async () => {
        const { document } = await parts.state.read(Context.current().cancellationSignal);
        const changed =
          plan.stateVersion === undefined
            ? stateDigest(document) !== plan.stateDigest
            : document.version !== plan.stateVersion;
        return { changed };
      }),
    runStep: async ({ step, key, onVersion }) => {
      const startedAtMs = parts.nowMs();
      const seconds = (): number => (parts.nowMs() - startedAtMs) / 1000;
      const guard = onVersion === undefined ? {} : { onVersion };
      try {
        const result = await acted(() => beating((signal) => parts.runner.run(step, { key, signal, ...guard })));
        parts.metrics.stepped(step.kind, 'done', seconds());
        return result;
      } catch (error) {
        if (!(error instanceof CancelledFailure)) parts.metrics.stepped(step.kind, 'failed', seconds());
        throw error;
      }
    },
    undoStep: async ({ step, ...call }) => {
      try {
        const result = await acted(() => beating((signal) => parts.runner.undo(step, { ...call, signal })));
        parts.metrics.rolledBack(step.kind, 'done');
        return result;
      } catch (error) {
        if (!(error instanceof CancelledFailure)) parts.metrics.rolledBack(step.kind, 'failed');
        throw error;
      }
    },
    reportExecution: (report) => translated(FailureType.AuditWriteFailed, () => parts.journal.write(report)),
    measureImpact: ({ policies, impact, observedAtMs, question }) =>
      translated(FailureType.FactSourceUnavailable, async () => {
        const outcome = await parts.planner.outcome({ ...(await readFor(question)), plannedOnMs: observedAtMs });
        if (outcome === undefined) return null;
        reportUnmet(outcome.unmet);
        const { found } = outcome;
        if (found === undefined) return null;
        const types = [...new Set(policies.map(({ type }) => type))];
        parts.metrics.impact(types, impact?.predicted, found);
        return found;
      }),
    sendExecutionAlert: (alert) => parts.alerts.send(alert),
  };
}

/** A call that was stopped because its activity was cancelled ends as a cancellation, whatever it threw. */
function acted<T>(act: () => Promise<T>): Promise<T> {
  return translated(FailureType.ActionFailed, async () => {
    try {
      return await act();
    } catch (error) {
      if (Context.current().cancellationSignal.aborted) throw new CancelledFailure('stopped');
      throw error;
    }
  });
}
