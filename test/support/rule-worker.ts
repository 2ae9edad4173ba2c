import { appendFileSync } from 'node:fs';
import { createRuleActivities, type ExecutionParts } from '../../src/activities/create-rule-activities';
import type { Alert } from '../../src/alerts/alert';
import type { JsonObject } from '../../src/kernel/json';
import { createHttpFetch } from '../../src/platform/http/http-client';
import { findOutcome, makePlan, type PlanParts } from '../../src/rules/execution/make-plan';
import type { ExecutionReport } from '../../src/rules/execution/report';
import { shardDomain } from '../../src/shards/domain';
import { createHttpShardManager } from '../../src/shards/manager/http-shard-manager';
import { createShardSteps } from '../../src/shards/manager/step-runner';
import type { DomainState, DomainStep } from '../../src/rules/domain';
import { runWorkerProcess } from './worker-process';

/** What a worker of the tests executes: the steps that it is given, on the shard manager that is there. */
export interface RuleWorkerOptions {
  managerUrl: string;
  steps: readonly DomainStep[];
  /** gets each report, a line each */
  journalFile?: string;
  onReport?(report: ExecutionReport): Promise<void> | void;
  onAlert?(alert: Alert): void;
  over?: Partial<ExecutionParts>;
}

export const step = (kind: string, settings: JsonObject): DomainStep => ({
  kind,
  action: 0,
  settings,
  sentence: `${kind} ${JSON.stringify(settings)}`,
});

/** The activities of executions over a real shard manager, with a plan that is given. */
export function ruleParts(options: RuleWorkerOptions): ExecutionParts {
  const manager = createHttpShardManager({
    url: options.managerUrl,
    fetch: createHttpFetch({ env: {}, folder: '.' }),
    readToken: async () => undefined,
    timeoutMs: 10_000,
  });
  const pin = { policyId: '5f0e8b9e-7a40-4d6f-9f0a-3f2d6b1c0001', name: 'given', type: 'placement', revision: 3 };
  const readState = (document: unknown, _where: unknown, { nowMs }: { nowMs: number }): DomainState => ({
    evaluation: { nowMs, metrics: {}, candidates: [] },
    subjects: [{ id: 's1', labels: {}, metrics: {} }],
    observedAtMs: Date.parse(String((document as JsonObject).observed_at)),
    version: String((document as JsonObject).version),
    own: document,
  });
  const plans: PlanParts = {
    domain: { ...shardDomain, readState } as PlanParts['domain'],
    answer: () => ({
      results: [{ policy: 'given', matched: true, missing: [] }],
      actions: [{ subject: { id: 's1' }, policies: ['given'], steps: options.steps }],
      refusals: [],
    }),
  };
  return {
    planner: {
      plan: async (asked) => makePlan(asked.question, asked.policies, asked.state, plans, asked),
      outcome: async (asked) => findOutcome(asked.question, asked.policies, asked.state, plans, asked),
    },
    policies: { current: async () => ({ policies: [], setRevision: 7, pins: new Map([['given', pin]]) }) },
    state: {
      read: async (signal) => ({
        document: await manager.state(signal),
        source: options.managerUrl,
        guardsVersion: true,
      }),
    },
    maxAgeMs: 45_000,
    runner: createShardSteps({ manager, moveTimeoutMs: 20_000, pollMs: 50 }),
    journal: {
      write: async (report) => {
        await options.onReport?.(report);
        if (options.journalFile !== undefined) appendFileSync(options.journalFile, `${JSON.stringify(report)}\n`);
      },
    },
    defaults: {
      stepTimeoutMs: 30_000,
      heartbeatTimeoutMs: 2_000,
      stepAttempts: 3,
      rollbackAttempts: 2,
      rollbackRetryMs: 500,
      maxGenerations: 3,
      remindAfterMs: 60_000,
      remindAtMostMs: 60_000,
      labels: { team: 'storage' },
    },
    metrics: {
      stepped: () => undefined,
      rolledBack: () => undefined,
      noncompliant: () => undefined,
      impact: () => undefined,
    },
    alerts: { send: async (alert) => options.onAlert?.(alert) },
    nowMs: () => Date.now(),
    ...options.over,
  };
}

// A worker process of its own, which a test kills.
if (require.main === module) {
  runWorkerProcess((options: RuleWorkerOptions) => createRuleActivities(ruleParts(options)));
}
