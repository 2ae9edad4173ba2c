import type { JsonObject, JsonValue } from '../../../src/kernel/json';
import type { Note } from '../../../src/rego/plan/absence/note';
import { pathText } from '../../../src/rego/plan/absence/paths';
import {
  loadPolicy,
  type PlanEvaluation,
  type PlanPolicy,
  type PolicyOptions,
} from '../../../src/rego/plan/load-policy';
import { writeJson } from '../../../src/rego/values/json';
import { fromPlain } from '../../../src/rego/values/plain';
import type { RegoValue } from '../../../src/rego/values/value';
import { planOf } from './plan-fixture';

export const DECISION_TIME_NS = 1_767_323_045_006_000_000n;

/** Evaluates `name` of a policy that is given without its package, `gate`. */
export async function evaluateRule(
  rules: string,
  { name = 'response', input = {}, data = {}, options }: RuleOptions = {},
): Promise<PlanEvaluation> {
  const policy = await ruleOf(rules, name, data, options);
  return policy.evaluate(input === undefined ? undefined : fromPlain(input), {
    entrypoint: `gate/${name}`,
    decisionTimeNs: DECISION_TIME_NS,
  });
}

export interface RuleOptions {
  name?: string;
  input?: JsonValue;
  data?: JsonObject;
  options?: PolicyOptions;
}

async function ruleOf(rules: string, name: string, data: JsonObject, options?: PolicyOptions): Promise<PlanPolicy> {
  const plan = await planOf({ 'gate.rego': `package gate\n\n${rules}` }, `gate/${name}`);
  return loadPolicy(plan, fromPlain(data), options);
}

export const textOf = (value: RegoValue | undefined): string => (value === undefined ? 'undefined' : writeJson(value));

/** `absent input.a.b`, `builtin-error …`: what kind, and where or what. */
export function summaryOf({ kind, path, message }: Note): string {
  return path === undefined ? `${kind} ${message}` : `${kind} ${pathText(path)}`;
}

export function notesOf({ notes }: PlanEvaluation): string[] {
  if (notes === undefined) return [];
  const { absent, builtinErrors, comparisons } = notes;
  return [...absent, ...builtinErrors, ...comparisons].map(summaryOf);
}
