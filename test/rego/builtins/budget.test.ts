import { describe, expect, it } from '@jest/globals';
import { BUILTINS } from '../../../src/rego/builtins';
import { BUDGET, BudgetExceededError, EvaluationBudget } from '../../../src/rego/builtins/plan-builtin';
import { RegoObject } from '../../../src/rego/values/rego-object';
import { RegoSet } from '../../../src/rego/values/rego-set';
import type { RegoValue } from '../../../src/rego/values/value';

const call = (name: string, ...operands: RegoValue[]) =>
  BUILTINS[name]!(operands, { decisionTimeNs: 0n, budget: new EvaluationBudget() });

const longText = 'a'.repeat(5_000_000);
const longList = Array.from({ length: 600_000 }, (_, index) => index);
const sets = (from: number) => new RegoSet(longList.map((item) => from + item));
const deep = (depth: number) => {
  let value: RegoValue = 0;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
};

describe('a built-in asks the budget before it makes something large', () => {
  it.each<[string, RegoValue[]]>([
    ['numbers.range', [1, 1_000_000_000]],
    ['numbers.range', [0, BUDGET.elements]],
    ['numbers.range_step', [0, 1_000_000_000_000, 2]],
    ['bits.lsh', [1, 1_000_000_000]],
    ['concat', ['', [longText, longText, longText, longText]]],
    ['replace', [longText, 'a', 'bbbb']],
    ['replace', [longText, '', 'bbbb']],
    ['strings.replace_n', [new RegoObject([['a', 'bbbbb']]), longText]],
    ['regex.replace', [longText.slice(0, 200_000), 'a', '$0'.repeat(200)]],
    ['split', [longText, '']],
    ['split', [longText, 'a']],
    ['array.concat', [longList, longList]],
    ['or', [sets(0), sets(600_000)]],
    ['union', [new RegoSet([sets(0), sets(600_000)])]],
    ['object.union_n', [[objectOf(0), objectOf(600_000)]]],
    ['walk', [deep(5_000)]],
    ['net.cidr_expand', ['10.0.0.0/8']],
    ['json.unmarshal', [`[${'1,'.repeat(1_500_000)}1]`]],
    ['internal.template_string', [[longText, longText, longText, longText]]],
    ['strings.render_template', ['{{range .l}}{{$.t}}{{end}}', RegoObject.from({ l: longList, t: 'a'.repeat(99) })]],
  ])('%s is stopped (case %#)', (name, operands) => {
    expect(() => call(name, ...operands)).toThrow(BudgetExceededError);
  });

  it.each<[string, RegoValue[]]>([
    ['numbers.range', [1, BUDGET.elements]],
    ['concat', [',', [longText, longText]]],
    ['split', [longText, 'b']],
    ['walk', [deep(500)]],
    ['bits.lsh', [0, 1_000_000_000]],
  ])('%s within the budget is answered (case %#)', (name, operands) => {
    expect(call(name, ...operands)).toBeDefined();
  });
});

function objectOf(from: number): RegoObject {
  return new RegoObject(longList.map((item) => [from + item, item] as const));
}
