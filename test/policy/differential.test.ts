import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { HOST_BUILTINS } from '../../src/policy/capabilities';
import { parseValue, toPlain, writeJson } from '../../src/policy/builtins/rego-text';
import type { JsonValue } from '../../src/json';
import { loadWasmPolicy } from '../../src/policy/wasm-policy';
import { buildWasm, inFolder, opa } from './build-policy';
import { EXPRESSIONS, INPUTS } from './differential-cases';

/** Each expression is a rule of its own, so that an error in one leaves the others alone. */
const POLICY = [
  'package differential',
  ...EXPRESSIONS.map((expression, index) => `r${index} := x if x := ${expression}`),
  'all := {name: value | some name, value in rules}',
  `rules := object.union_n([${EXPRESSIONS.map((_, i) => `{"r${i}": v | v := r${i}}`).join(', ')}])`,
].join('\n');

type Answers = Record<string, unknown>;
let expected: Answers[];
let found: Answers[];

beforeAll(async () => {
  const wasm = await buildWasm(POLICY, 'differential/all');
  const policy = await loadWasmPolicy(wasm);
  found = INPUTS.map((input) => {
    const answer = policy.evaluateExactly('differential/all', input as JsonValue, 0n);
    return toPlain(parseValue(writeJson(answer!))) as Answers;
  });
  expected = await inFolder(async (folder) => {
    const [rego, data] = [join(folder, 'p.rego'), join(folder, 'data.json')];
    await writeFile(rego, POLICY);
    await writeFile(data, JSON.stringify({ inputs: INPUTS }));
    const query = 'x := [r | some i in data.inputs; r := data.differential.all with input as i]';
    const output = JSON.parse(await opa('eval', '-d', rego, '-d', data, '--format', 'json', query)) as {
      result: [{ bindings: { x: Answers[] } }];
    };
    return output.result[0].bindings.x;
  });
}, 120_000);

describe('the engine answers as opa eval does', () => {
  it('for at least 500 pairs of policy and input', () => {
    expect(EXPRESSIONS.length * INPUTS.length).toBeGreaterThanOrEqual(500);
    expect(expected).toHaveLength(INPUTS.length);
  });

  it.each(EXPRESSIONS.map((expression, index) => [expression, `r${index}`]))('%s', (_, rule) => {
    expect(found.map((answers) => answers[rule])).toEqual(expected.map((answers) => answers[rule]));
  });

  it('for every family of host built-ins', () => {
    const families = new Set(HOST_BUILTINS.map((name) => name.split('.')[0]!));
    for (const deprecated of ['cast_array', 'cast_boolean', 'cast_null', 'cast_object', 'cast_set', 'cast_string']) {
      families.delete(deprecated);
    }
    families.delete('trace');
    const untried = [...families].filter((family) => !EXPRESSIONS.some((expression) => expression.includes(family)));
    expect(untried).toEqual([]);
  });
});
