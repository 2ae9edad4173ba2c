import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadPolicy } from '../../../src/rego/plan/load-policy';
import { writeJson } from '../../../src/rego/values/json';
import { parseJson } from '../../../src/rego/values/parse-json';
import { RegoObject } from '../../../src/rego/values/rego-object';
import { inFolder, opa } from '../../support/build-policy';
import { DECISION_TIME_NS } from './evaluate-fixture';
import { planOf } from './plan-fixture';
import { Random } from './random-rego';

const RULES = 300;
const DATA = `{"base": {"1": "one", "2": {"x": [1.0, 2e0, {"0": "zero"}]}, "list": ["a", "b", null]}, "n": [3, 1, 2], "empty": []}`;
const INPUT = `{"a": 1, "b": "two", "c": [1, 2.50, "x", null, {"k": false}], "d": {"x": 1, "y": {"z": [true]}}, "e": 9007199254740993, "s": ["p", "q", "p"], "n": null, "t": true}`;

const HELPERS = [
  'id(x) := x',
  'f(x) := x + 1 if is_number(x)',
  'f(x) := concat("-", [x, "f"]) if is_string(x)',
  'g(x, [y, z]) := {"x": x, "yz": [z, y]}',
  'g(x, {"k": k}) := [x, k]',
  'default h := "none"',
  'h := input.d.x if input.t',
  'part contains x if some x in input.s',
  'part contains x if some x in data.n',
  'map[x] := i if some i, x in data.base.list',
  'nested[x][y] := [x, y] if {\n\tsome x in input.s\n\tsome y in data.n\n}',
  'chain := 1 if input.zz\nelse := 2 if input.n\nelse := 3 if input.a == 1\nelse := 4',
];

/** Both evaluators see the same text of the rules; what is undefined in OPA is absent from its answer. */
async function compare(rules: readonly string[]): Promise<void> {
  const source = `package gate\n\n${rules.join('\n')}\n`;
  const plan = await planOf({ 'gate.rego': source }, 'gate/out');
  const policy = loadPolicy(plan, parseJson(DATA));
  const { result } = policy.evaluate(parseJson(INPUT), { entrypoint: 'gate/out', decisionTimeNs: DECISION_TIME_NS });
  const wanted = await inFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    await Promise.all([
      writeFile(at('gate.rego'), source),
      writeFile(at('data.json'), DATA),
      writeFile(at('in.json'), INPUT),
    ]);
    const out = await opa(
      'eval',
      '--format',
      'raw',
      '-d',
      at('gate.rego'),
      '-d',
      at('data.json'),
      '-i',
      at('in.json'),
      'data.gate.out',
    );
    return parseJson(out);
  });
  const [found, expected] = [result, wanted].map(textsOf);
  for (const [index, rule] of rules.entries()) {
    const key = String(index);
    if (rule.startsWith('out[')) expect([rule, found!.get(key)]).toEqual([rule, expected!.get(key)]);
  }
}

function textsOf(value: unknown): Map<string, string> {
  if (!(value instanceof RegoObject)) throw new TypeError('Expected an object of answers');
  // JSON has no sets and no keys but texts; both sides are written as OPA writes JSON
  return new Map(value.entries.map(([key, item]) => [String(key), writeJson(parseJson(writeJson(item)))]));
}

describe("OPA's own evaluator and the plan's give the same", () => {
  it.each([1, 2, 3, 4, 5, 6])(
    "OPA's own evaluator and the plan's give the same for random rules of seed %s",
    async (seed) => {
      const random = new Random(seed);
      const rules = Array.from({ length: RULES }, (_, index) => `out["${index}"] contains v if ${random.body()}`);
      await compare([...rules, ...HELPERS]);
    },
  );
});

describe('the notes of an evaluation', () => {
  it.each([1, 2])(
    'the notes of an evaluation are the same in whatever order the rules are written, and in how many files: seed %s',
    async (seed) => {
      const random = new Random(seed);
      const rules = Array.from({ length: RULES }, (_, index) => `out["${index}"] contains v if ${random.body()}`);
      const all = [...rules, ...HELPERS.filter((rule) => !/^(?:else|chain)/.test(rule))].map((rule) =>
        rule.replaceAll('chain', 'h'),
      );
      const inOrder = await notesOfFiles([all]);
      expect(inOrder.length).toBeGreaterThan(20);
      expect(await notesOfFiles([[...all].reverse()])).toEqual(inOrder);
      const halves = [0, 1].map((half) => all.filter((_, index) => index % 2 === half));
      expect(await notesOfFiles(halves)).toEqual(inOrder);
    },
  );
});

/** Each note without its line, once. */
async function notesOfFiles(files: readonly (readonly string[])[]): Promise<string[]> {
  const named = files.map((rules, index) => [`${index}.rego`, `package gate\n\n${rules.join('\n')}\n`]);
  const plan = await planOf(Object.fromEntries(named) as Record<string, string>, 'gate/out');
  const { notes } = loadPolicy(plan, parseJson(DATA)).evaluate(parseJson(INPUT), {
    entrypoint: 'gate/out',
    decisionTimeNs: DECISION_TIME_NS,
  });
  const { absent, builtinErrors, comparisons } = notes!;
  return [
    ...new Set(
      [...absent, ...builtinErrors, ...comparisons].map(({ kind, rule, message }) => `${rule} ${kind} ${message}`),
    ),
  ].sort();
}
