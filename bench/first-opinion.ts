import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPolicy as loadBare } from '@open-policy-agent/opa-wasm';
import type { JsonObject } from '../src/kernel/json';
import type { PolicyBundle } from '../src/rego/bundle/policy-bundle';
import { loadPolicy } from '../src/rego/plan/load-policy';
import { buildPolicy } from '../src/rego/toolchain/build-policy';
import { fromPlain, toPlain } from '../src/rego/values/plain';
import { alternate, type BenchRow } from './bench-row';
import { benchLoadedRelease } from './loaded-release';

const ROUNDS = 15;
const TIME_NS = 1_767_225_600_000_000_000n;

interface Case {
  name: string;
  policy: PolicyBundle;
  data: JsonObject;
  input: JsonObject;
  calls: number;
  /** the bound on the ratio; absent where the figure is only stated */
  atMost?: number;
}

/**
 * The plan's evaluator alone, notes included, objects in and objects out, against opa-wasm's bare `evaluate` of the same
 * policy and input; and what a loaded release costs.
 */
export async function benchFirstOpinion(shipped: PolicyBundle): Promise<BenchRow[]> {
  const [tenRules, lookup, iteration] = [await build(TEN_RULES), await build(LOOKUP), await build(ITERATION)];
  const limits = { config: { limits: { maxDelta: 500, maxPending: 2000 } } };
  const green = { eu: { status: 'green' }, us: { status: 'green' }, ap: { status: 'green' } };
  const facts = { pending_delta: 12, max_pending: 480, region_health: green };
  const numbers = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`n${at}`, at]));
  const entries = Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`key-${at}`, { limit: at }]));
  const sites = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`site-${at}`, { status: 'green' }]));
  const cases: Case[] = [
    { name: 'the shipped policy, allow', policy: shipped, data: limits, input: facts, calls: 20_000, atMost: 0.8 },
    {
      name: 'the shipped policy, deny',
      policy: shipped,
      data: limits,
      input: { ...facts, max_pending: 3100 },
      calls: 20_000,
      atMost: 0.8,
    },
    { name: 'ten rules, allow', policy: tenRules, data: {}, input: numbers, calls: 10_000, atMost: 0.8 },
    { name: 'ten rules, deny', policy: tenRules, data: {}, input: { ...numbers, n4: 200 }, calls: 10_000, atMost: 0.8 },
    { name: 'a lookup among 100,000', policy: lookup, data: { entries }, input: { key: 'key-77777' }, calls: 10_000 },
    { name: '1,000 elements', policy: iteration, data: {}, input: { sites }, calls: 200 },
  ];
  const rows: BenchRow[] = [];
  for (const one of cases) rows.push(await compare(one));
  return [...rows, ...(await benchLoadedRelease(shipped, limits))];
}

async function compare({ name, policy, data, input, calls, atMost }: Case): Promise<BenchRow> {
  const ours = loadPolicy(policy.plan!, fromPlain(data), {});
  const bare = await loadBare(policy.wasm.slice().buffer as ArrayBuffer, { initial: 64, maximum: 4_096 });
  bare.setData(data);
  const options = { entrypoint: policy.entrypoint, decisionTimeNs: TIME_NS };
  const evaluate = (): unknown => toPlain(ours.evaluate(fromPlain(input), options).result!);
  const { allow } = evaluate() as { allow: boolean };
  const [answer] = bare.evaluate(input, policy.entrypoint) as { result: { allow: boolean } }[];
  if (answer?.result.allow !== allow) throw new Error(`${name}: the two do not answer alike`);
  const measured = await alternate(
    ROUNDS,
    () => microseconds(evaluate, calls),
    () => microseconds(() => bare.evaluate(input, policy.entrypoint), calls),
  );
  return {
    name: `First opinion: ${name}`,
    baseline: 'bare opa-wasm evaluate',
    ...measured,
    target: atMost === undefined ? 'stated' : `<= ${atMost}`,
    met: atMost === undefined || measured.ratio <= atMost,
    unit: 'µs',
  };
}

function microseconds(call: () => unknown, calls: number): Promise<number> {
  const from = process.hrtime.bigint();
  for (let at = 0; at < calls; at++) call();
  return Promise.resolve(Number(process.hrtime.bigint() - from) / 1e3 / calls);
}

async function build({ rego, input, data }: { rego: string; input: object; data?: object }): Promise<PolicyBundle> {
  const dir = await mkdtemp(join(tmpdir(), 'bench-policy-'));
  try {
    await writeFile(join(dir, 'gate.rego'), `package gate\n\n${HEAD}\n${rego}`);
    await writeFile(
      join(dir, 'input.json'),
      JSON.stringify({ type: 'object', properties: input, additionalProperties: false }),
    );
    if (data !== undefined) await writeFile(join(dir, 'data.json'), JSON.stringify(data));
    return (await buildPolicy(dir)).bundle;
  } finally {
    await rm(dir, { recursive: true });
  }
}

const HEAD = `response := {"allow": allow, "deny_reasons": deny_reasons}
default allow := false
allow if count(deny_reasons) == 0
`;
const TEN_RULES = {
  rego: Array.from(
    { length: 10 },
    (_, at) => `deny_reasons contains sprintf("n${at}: %d", [input.n${at}]) if input.n${at} > ${100 + at}\n`,
  ).join('\n'),
  input: Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`n${at}`, { type: 'integer' }])),
};
const LOOKUP = {
  rego: 'deny_reasons contains "over" if data.entries[input.key].limit > 1000000\n',
  input: { key: { type: 'string' } },
  data: { entries: { 'key-1': { limit: 1 } } },
};
const ITERATION = {
  rego: 'deny_reasons contains sprintf("red: %s", [name]) if {\n\tsome name, site in input.sites\n\tsite.status != "green"\n}\n',
  input: { sites: { type: 'object', additionalProperties: { type: 'object' } } },
};
