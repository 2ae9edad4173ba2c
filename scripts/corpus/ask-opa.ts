import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runOpa } from '../../src/rego/toolchain/opa';
import { writeJson } from '../../src/rego/values/json';
import { parseJson } from '../../src/rego/values/parse-json';
import { RegoObject } from '../../src/rego/values/rego-object';
import { isObject, type RegoValue } from '../../src/rego/values/value';
import type { Sample } from './samples';
import { refOf, type RuleName } from './tree';

/** JSON text, `undefined`, or that the evaluation ends with an error. */
export type Answer = { text: string } | { error: string };

export const UNDEFINED: Answer = { text: 'undefined' };

/** One question: a rule and a sample, each by its position. */
export type Answers = (rule: number, sample: number) => Answer;

const PACKAGE = 'planning_engine_asks';
const TIMEOUT_MS = 300_000;

/**
 * What OPA itself answers for each rule and sample, in as few runs as it takes: a conflict in one ends a run, which is then
 * repeated for its halves.
 *
 * @param nowNs what `time.now_ns()` answers
 */
export async function askOpa(
  dir: string,
  rules: readonly RuleName[],
  samples: readonly Sample[],
  nowNs: bigint,
): Promise<Answers> {
  const answers = new Map<string, Answer>();
  const groups = new Map<string, number[]>();
  for (const [at, { data }] of samples.entries()) {
    const key = JSON.stringify(data.map(({ path }) => path));
    groups.set(key, [...(groups.get(key) ?? []), at]);
  }
  for (const group of groups.values()) await ask([...rules.keys()], group);
  return (rule, sample) => answers.get(`${rule} ${sample}`) ?? UNDEFINED;

  async function ask(ofRules: number[], ofSamples: number[]): Promise<void> {
    const module = moduleFor(ofRules, rules, samples[ofSamples[0]!]!);
    const input = { now: nowNs, samples: ofSamples.map((at) => ({ at, ...samples[at]! })) };
    const found = await evaluate(dir, module, input);
    if ('error' in found) {
      const [split, other] = ofRules.length > 1 ? [ofRules, ofSamples] : [ofSamples, ofRules];
      if (split.length === 1) return void answers.set(`${ofRules[0]} ${ofSamples[0]}`, found);
      for (const half of [split.slice(0, split.length >> 1), split.slice(split.length >> 1)]) {
        await (split === ofRules ? ask(half, other) : ask(other, half));
      }
      return;
    }
    for (const entry of found.list) {
      if (isObject(entry))
        answers.set(writeJson(entry.get('key')!).slice(1, -1), { text: writeJson(entry.get('value')!) });
    }
  }
}

/** `with` wants its targets written out, so samples that replace other data have a module of their own. */
function moduleFor(ofRules: readonly number[], rules: readonly RuleName[], sample: Sample): string {
  const data = sample.data.map(({ path }, at) => ` with ${refOf(['data', ...path])} as one.data[${at}].value`).join('');
  const bodies = ofRules.map(
    (at) => `answers contains {"key": sprintf("%d %d", [${at}, one.at]), "value": value} if {
	now := input.now
	some one in input.samples
	value := ${refOf(['data', ...rules[at]!.path])} with input as one.input with time.now_ns as now${data}
}`,
  );
  return [`package ${PACKAGE}`, ...bodies].join('\n\n');
}

async function evaluate(
  dir: string,
  module: string,
  { now, samples }: { now: bigint; samples: readonly unknown[] },
): Promise<{ list: readonly RegoValue[] } | { error: string }> {
  await writeFile(join(dir, `${PACKAGE}_test.rego`), module);
  const input = join(dir, `${PACKAGE}.json`);
  await writeFile(input, `{"now": ${now}, "samples": ${JSON.stringify(samples)}}`);
  const args = ['eval', '--format', 'json', '-b', '.', '--input', input, `data.${PACKAGE}.answers`];
  const { code, stdout, stderr } = await runOpa(dir, args, { timeoutMs: TIMEOUT_MS });
  if (code !== 0) return { error: (stdout + stderr).replaceAll(/\s+/g, ' ').trim() };
  const value = stepInto(parseJson(stdout), 'result', 0, 'expressions', 0, 'value');
  return { list: Array.isArray(value) ? value : [] };
}

function stepInto(value: RegoValue | undefined, ...steps: (string | number)[]): RegoValue | undefined {
  let at = value;
  for (const step of steps) {
    if (at instanceof RegoObject) at = at.get(step);
    else at = Array.isArray(at) ? at[Number(step)] : undefined;
  }
  return at;
}
