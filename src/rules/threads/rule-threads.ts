import type { JsonObject } from '../../kernel/json';
import type { CheckedPolicy, EvaluateResult } from './messages';
import type { RuleEvaluator } from './rule-evaluator';
import { createThreadPool, type ThreadPoolOptions } from './thread-pool';

/** Threads that evaluate stored rules, each with a copy of the set. */
export function createRuleThreads(options: ThreadPoolOptions): RuleEvaluator {
  const { ask, close } = createThreadPool(options);
  return {
    check: async (set, changed) => (await ask<CheckedPolicy>(set, { kind: 'check', changed })).result,
    evaluate: (set, question) => ask<EvaluateResult>(set, { kind: 'evaluate', ...question }),
    simulate: async (set, question) => (await ask<JsonObject>(set, { kind: 'simulate', ...question })).result,
    close,
  };
}
