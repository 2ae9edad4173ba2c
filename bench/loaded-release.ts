import { loadPolicy as loadBare } from '@open-policy-agent/opa-wasm';
import type { JsonObject, JsonValue } from '../src/kernel/json';
import type { PolicyBundle } from '../src/rego/bundle/policy-bundle';
import { createPolicyRunner } from '../src/rego/evaluation/policy-runner';
import { toRunnable } from '../src/rego/evaluation/prepare-release';
import type { RunnablePolicy } from '../src/rego/evaluation/runnable-policy';
import { loadPolicy } from '../src/rego/plan/load-policy';
import { fromPlain } from '../src/rego/values/plain';
import { instantiatePolicy } from '../src/rego/wasm-policy';
import { median, type BenchRow } from './bench-row';
import { collector } from './collector';

const TIMES = 31;
/** Held at once: one alone is lost in what else the heap does. */
const RELEASES = 50;
/** what opa-wasm's `loadPolicy` gives a module, in pages of 64 KiB */
const BARE_PAGES = 5;

const UNWATCHED = { begin: () => undefined, note: () => undefined, end: () => undefined };

/** What a release costs each thread that holds it, as time and as memory, beside opa-wasm's bare `loadPolicy`. */
export async function benchLoadedRelease(policy: PolicyBundle, data: JsonObject): Promise<BenchRow[]> {
  const runnable = await toRunnable(policy, data.config as JsonObject, {
    memoryMiB: 64,
    secondOpinion: 'when-possible',
  });
  const stated = { target: 'stated', met: true };
  const time = { ours: timeOf(() => loadPolicy(policy.plan!, fromPlain(data))), base: compileTime(policy) };
  const heap = {
    ours: await heapOf(() => hold(runnable)),
    base: await heapOf(async () => {
      const bare = await loadBare(policy.wasm.slice().buffer as ArrayBuffer);
      bare.setData(data);
      return bare;
    }),
  };
  const memory = { ours: moduleKiB(runnable), base: BARE_PAGES * 64 };
  return [
    {
      name: 'A plan is made ready',
      baseline: 'the module is compiled',
      ...time,
      ratio: time.ours / time.base,
      ...stated,
      unit: 'µs',
    },
    {
      name: 'A loaded release: heap, plan and module',
      baseline: 'bare opa-wasm loadPolicy',
      ...heap,
      ratio: heap.ours / heap.base,
      ...stated,
      unit: 'KiB',
    },
    {
      name: "A loaded release: the module's memory",
      baseline: 'bare opa-wasm loadPolicy',
      ...memory,
      ratio: memory.ours / memory.base,
      ...stated,
      unit: 'KiB',
    },
  ];
}

const compileTime = ({ wasm }: PolicyBundle): number => timeOf(() => new WebAssembly.Module(wasm));

/** microseconds */
function timeOf(work: () => unknown): number {
  const took = Array.from({ length: TIMES }, () => {
    const from = process.hrtime.bigint();
    work();
    return Number(process.hrtime.bigint() - from) / 1e3;
  });
  return median(took);
}

/** As a thread holds it: with texts of its own, and both evaluators made. */
function hold(runnable: RunnablePolicy): Promise<unknown> {
  const own = {
    ...runnable,
    planText: copied(runnable.planText!),
    dataText: copied(runnable.dataText),
    inputSchema: JSON.parse(JSON.stringify(runnable.inputSchema ?? {})) as JsonObject,
  };
  const runner = createPolicyRunner(own, UNWATCHED, () => process.hrtime.bigint());
  runner.run(1, '{}', 0);
  return Promise.resolve({ own, runner } as unknown as JsonValue);
}

const copied = (text: string): string => Buffer.from(text).toString();

function moduleKiB({ module, memoryMiB, dataText }: RunnablePolicy): number {
  const instance = instantiatePolicy(module!, { memoryMiB });
  instance.setData(dataText);
  return instance.memoryBytes / 1024;
}

/** KiB of V8's heap that one of many holds, after a collection; the memory of wasm is not part of it. */
async function heapOf(make: () => Promise<unknown>): Promise<number> {
  const collect = collector();
  const held = [await make()];
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let count = 0; count < RELEASES; count++) held.push(await make());
  collect();
  const after = process.memoryUsage().heapUsed;
  if (held.length !== RELEASES + 1) throw new Error('The releases must be held until the heap is read');
  return (after - before) / 1024 / RELEASES;
}
