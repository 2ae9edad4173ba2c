import type { JsonValue } from '../../kernel/json';
import { mustNotBeEmpty, schemaAt } from '../analysis/input-schema';
import type { Doubt } from '../plan/doubts';
import { loadPolicy, type PolicyOptions } from '../plan/load-policy';
import { parseJson } from '../values/parse-json';
import { fromPlain, toPlain } from '../values/plain';
import type { EvaluationAccount } from '../evaluation-account';
import type { RunnablePolicy } from './runnable-policy';

/** What the plan answers, before anything else is asked. */
export interface PlanAnswer {
  response: JsonValue | undefined;
  account: EvaluationAccount;
  /** something was noted that no declaration allows */
  hasNotes: boolean;
  /** why the compiled module has no vote */
  doubts(): Doubt[];
}

/**
 * The first evaluator of a policy.
 *
 * @param watch for callers that ask why: what an evaluation looks up and calls
 * @returns a function that throws what the evaluation throws
 * @throws PlanInvalidError where the plan is not understood
 */
export function createPlanEvaluator(
  policy: Omit<RunnablePolicy, 'planText'>,
  planText: string,
  watch: Pick<PolicyOptions, 'onLookups' | 'onBuiltin'> = {},
): (inputText: string, decisionTimeNs: bigint) => PlanAnswer {
  const { entrypoint, inputSchema, declarations, packages } = policy;
  const loaded = loadPolicy(planText, parseJson(policy.dataText), {
    ...(declarations === undefined ? {} : { declarations }),
    ...(packages === undefined ? {} : { packages }),
    ...watch,
    mayBeEmpty: ([root, ...path]) => {
      const schema = root === 'input' && inputSchema !== undefined ? schemaAt(inputSchema, path) : undefined;
      return schema !== undefined && !mustNotBeEmpty(schema);
    },
  });
  return (inputText, decisionTimeNs) => {
    // JSON.stringify wrote it: the spelling of each of its numbers is JavaScript's own
    const input = fromPlain(JSON.parse(inputText));
    const { result, touched, doubts, notes } = loaded.evaluate(input, { entrypoint, decisionTimeNs });
    const account: EvaluationAccount = { evaluator: 'plan', secondOpinion: { vote: 'not-asked' } };
    if (touched !== undefined) account.touched = touched;
    if (notes !== undefined) account.notes = notes;
    return {
      response: result === undefined ? undefined : (toPlain(result) as JsonValue),
      hasNotes: notes !== undefined && notes.absent.length + notes.builtinErrors.length + notes.comparisons.length > 0,
      doubts,
      account,
    };
  };
}
