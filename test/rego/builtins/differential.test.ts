import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { HOST_BUILTINS } from '../../../src/rego/capabilities';
import { writeJson } from '../../../src/rego/values/json';
import { toPlain } from '../../../src/rego/values/plain';
import { parseValue } from '../../../src/rego/values/wasm-text';
import { loadWasmPolicy } from '../../../src/rego/wasm-policy';
import { buildWasm, inFolder, opa } from '../../support/build-policy';
import { EXPRESSIONS, FIXED_EXPRESSIONS, INPUTS } from './differential-cases';

/** Each expression is a rule of its own, so that an error in one leaves the others alone. */
const toPolicy = (expressions: string[]) =>
  [
    'package differential',
    ...expressions.map((expression, index) => `r${index} := x if x := ${expression}`),
    `all := object.union_n([${expressions.map((_, i) => `{"r${i}": v | v := r${i}}`).join(', ')}])`,
  ].join('\n');

type Answers = Record<string, unknown>;

async function askEngine(source: string, inputs: unknown[]): Promise<Answers[]> {
  const policy = await loadWasmPolicy(await buildWasm(source, 'differential/all'));
  return inputs.map((input) => {
    const answer = policy.evaluateExactly('differential/all', JSON.stringify(input), 0n);
    return toPlain(parseValue(writeJson(answer!))) as Answers;
  });
}

function askOpa(source: string, inputs: unknown[]): Promise<Answers[]> {
  return inFolder(async (folder) => {
    const [rego, data] = [join(folder, 'p.rego'), join(folder, 'data.json')];
    await writeFile(rego, source);
    await writeFile(data, JSON.stringify({ inputs }));
    const query = 'x := [r | some i in data.inputs; r := data.differential.all with input as i]';
    const output = JSON.parse(await opa('eval', '-d', rego, '-d', data, '--format', 'json', query)) as {
      result: [{ bindings: { x: Answers[] } }];
    };
    return output.result[0].bindings.x;
  });
}

/** OPA looks at the keys of an object in a random order, and so lists what is wrong with several in any order. */
function ordered(expression: string, answer: unknown): unknown {
  if (!expression.startsWith('json.match_schema(') || !Array.isArray(answer)) return answer;
  const [isFit, errors] = answer as [boolean, unknown[]];
  const byText = (one: unknown, other: unknown) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1);
  return [isFit, [...errors].sort(byText)];
}

const suites = [
  { title: 'whatever the input', expressions: EXPRESSIONS, inputs: INPUTS },
  { title: 'at the edges of each built-in', expressions: FIXED_EXPRESSIONS, inputs: [{}] },
].map((suite) => ({ ...suite, expected: [] as Answers[], found: [] as Answers[] }));

describe.each(suites)('the engine answers as opa eval does, $title', (suite) => {
  beforeAll(async () => {
    const policy = toPolicy(suite.expressions);
    [suite.expected, suite.found] = await Promise.all([askOpa(policy, suite.inputs), askEngine(policy, suite.inputs)]);
  });

  it.each(
    suite.expressions.map((expression, index) => [`${index}: ${expression.slice(0, 90)}`, `r${index}`, expression]),
  )('%s', (_, rule, expression) => {
    const answersOf = (all: Answers[]) => all.map((answers) => ordered(expression, answers[rule]));
    expect(suite.expected).toHaveLength(suite.inputs.length);
    expect(answersOf(suite.found)).toEqual(answersOf(suite.expected));
  });
});

describe('the comparison with opa eval', () => {
  it('the comparison with opa eval is made for at least 500 pairs of policy and input', () => {
    expect(EXPRESSIONS.length * INPUTS.length).toBeGreaterThanOrEqual(500);
  });

  it('the comparison with opa eval is made for every family of host built-ins', () => {
    const families = new Set(HOST_BUILTINS.map((name) => name.split('.')[0]!));
    for (const deprecated of ['cast_array', 'cast_boolean', 'cast_null', 'cast_object', 'cast_set', 'cast_string']) {
      families.delete(deprecated);
    }
    const untried = [...families].filter(
      (family) => ![...EXPRESSIONS, ...FIXED_EXPRESSIONS].some((expression) => expression.includes(family)),
    );
    expect(untried).toEqual([]);
  });
});
