import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/kernel/json';
import { runOpa } from '../../src/rego/toolchain/opa';
import { lineOf, objects, refOf, sourceOf, textsOf, type ModuleTree } from './tree';
import type { Unit } from './units';

/** What a policy is asked with. */
export interface Sample {
  /** `gate_test.rego:12`, `samples/calm.json` */
  from: string;
  input: JsonValue;
  /** base documents that a test puts in the place of others */
  data: readonly DataValue[];
}

export interface DataValue {
  /** without `data` */
  path: readonly string[];
  value: JsonValue;
}

const RULE = 'planning_engine_samples';

/**
 * The samples of a unit: the files of its folder `samples`, and each value that one of its tests puts in the place of
 * `input`. What a test puts in the place of a rule or a built-in is left out, as is a test whose values need a rule that
 * fails without it.
 */
export async function samplesOf(root: string, unit: Unit): Promise<Sample[]> {
  const samples = [...(await filesOf(join(root, unit.name, 'samples'))), ...(await samplesOfTests(unit))];
  const byText = new Map(samples.map((sample) => [JSON.stringify([sample.input, sample.data]), sample]));
  return [...byText.values()];
}

async function filesOf(folder: string): Promise<Sample[]> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.endsWith('.json')).sort();
  return Promise.all(
    files.map(async (name) => ({
      from: `samples/${name}`,
      input: JSON.parse(await readFile(join(folder, name), 'utf8')) as JsonValue,
      data: [],
    })),
  );
}

/** OPA itself evaluates what the tests say: the expressions before the one that has the `with`, and its values. */
async function samplesOfTests({ dir, policies, tests }: Unit): Promise<Sample[]> {
  const rules = [...tests].flatMap(([file, tree]) =>
    tree.rules.flatMap((rule) => rulesFor(file, rule)).map((text) => ({ tree, text })),
  );
  const found = await evaluate(dir, rules);
  const packages = [...policies.values()].map(({ packagePath }) => packagePath);
  return found.flatMap((one) => toSample(one, packages));
}

interface SampleRule {
  tree: ModuleTree;
  text: string;
}

/** All in one run; where that fails, halves, so that one rule that does not compile costs itself alone. */
async function evaluate(dir: string, rules: readonly SampleRule[]): Promise<unknown[]> {
  if (rules.length === 0) return [];
  const names = rules.map((_rule, at) => `${RULE}_${at}`);
  const files = names.map((name) => join(dir, `${name}_test.rego`));
  try {
    await Promise.all(rules.map(({ tree, text }, at) => writeFile(files[at]!, moduleOf(tree, text, names[at]!))));
    const refs = rules.map(({ tree }, at) => refOf(['data', ...tree.packagePath, names[at]!]));
    const query = `[${refs.join(', ')}]`;
    const { code, stdout } = await runOpa(dir, ['eval', '--format', 'json', '-b', '.', query], { timeoutMs: 300_000 });
    if (code === 0) return (valueIn(JSON.parse(stdout)) as unknown[][]).flat();
  } finally {
    await Promise.all(files.map((file) => rm(file, { force: true })));
  }
  if (rules.length === 1) return [];
  const half = rules.length >> 1;
  return [...(await evaluate(dir, rules.slice(0, half))), ...(await evaluate(dir, rules.slice(half)))];
}

function valueIn(output: unknown): unknown {
  const { result } = output as { result: { expressions: { value: unknown }[] }[] };
  return result[0]!.expressions[0]!.value;
}

function moduleOf({ packagePath, imports }: ModuleTree, rule: string, name: string): string {
  return [`package ${refOf(packagePath)}`, ...imports, rule.replace(RULE, name)].join('\n\n');
}

/** One rule for each expression of a test that replaces the input. */
function rulesFor(file: string, rule: JsonObject): string[] {
  const body = objects(rule.body);
  return body.flatMap((expression, at) => {
    const replaced = objects(expression.with).map(({ target, value }) => ({
      path: isJsonObject(target) ? textsOf(target.value) : [],
      value: sourceOf(value),
    }));
    const inputs = replaced.filter(({ path }) => path[0] === 'input');
    if (inputs.length === 0) return [];
    const terms = replaced
      .filter(({ path }) => path[0] === 'input' || path[0] === 'data')
      .map(({ path, value }) => `{"path": ${JSON.stringify(path)}, "value": ${value}}`);
    const before = body.slice(0, at).map(sourceOf);
    const from = JSON.stringify(`${file}:${lineOf(expression)}`);
    const last = `planning_engine_terms := [${terms.join(', ')}]`;
    const head = `${RULE} contains {"from": ${from}, "terms": planning_engine_terms}`;
    return [`${head} if {\n${[...before, last].join('\n')}\n}`];
  });
}

function toSample(found: unknown, packages: readonly (readonly string[])[]): Sample[] {
  if (!isJsonObject(found)) return [];
  let input: JsonValue = {};
  const data: DataValue[] = [];
  for (const { path: steps, value } of objects(found.terms)) {
    const [root, ...path] = (steps as string[]).map(String);
    if (root === 'input') input = putAt(input, path, value!);
    else if (path.length > 0 && !packages.some((one) => overlap(one, path))) data.push({ path, value: value! });
  }
  return [{ from: String(found.from), input, data }];
}

const overlap = (a: readonly string[], b: readonly string[]): boolean =>
  a.slice(0, b.length).every((step, at) => step === b[at]);

/** A copy with a value at a path, objects made on the way. */
export function putAt(document: JsonValue, [step, ...rest]: readonly string[], value: JsonValue): JsonValue {
  if (step === undefined) return value;
  const object = isJsonObject(document) ? document : {};
  return { ...object, [step]: putAt(object[step] ?? {}, rest, value) };
}
