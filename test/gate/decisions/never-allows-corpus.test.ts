import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pathText } from '../../../src/rego/plan/absence/paths';
import { createTracer } from '../../../src/rego/evaluation/trace';
import { generateInputs } from '../../../src/releases/authoring/generated-inputs';
import { changed, changesOf, type Change } from './corpus-changes';
import { corpusSamples, decideIn, type CorpusSample, type World } from './corpus-policies';

/** Of each policy, beside its samples. */
const GENERATED = 40;
/** CORPUS_RUNS and CORPUS_SEED ask for more, or others. */
const RUNS = Number(process.env.CORPUS_RUNS ?? 400);
const SEED = Number(process.env.CORPUS_SEED ?? 1);

interface Allowed extends World {
  name: string;
  changes: Change[];
}

let samples: CorpusSample[];
beforeAll(async () => {
  samples = await corpusSamples();
});

describe('the policies in test/fixtures/corpus', () => {
  it('each sample is decided as its name says, without a fault', async () => {
    for (const sample of samples) {
      const { outcome, faults } = await decideIn(sample);
      expect([sample.name, outcome, faults]).toEqual([sample.name, sample.wanted, []]);
    }
  });

  it('no allow is left when a value that was looked up is gone, or one has a type that its schema forbids', async () => {
    const allowed = await allowedWorlds();
    const kinds = fc.constantFrom<Change['kind']>('removed', 'null', 'mistyped');
    const choice = fc.record({ policy: fc.nat(), world: fc.nat(), kind: kinds, change: fc.nat() });
    const reached = new Set<string>();
    await fc.assert(
      fc.asyncProperty(choice, async ({ policy, world, kind, change }) => {
        const chosen = pick(pick(allowed, policy)!, world)!;
        const made = pick(
          chosen.changes.filter((one) => one.kind === kind),
          change,
        );
        if (made === undefined) return;
        const { outcome, evaluation } = await decideIn(changed(chosen, made));
        const isDeclared = kind !== 'mistyped' && evaluation?.optionalAbsent?.includes(pathText(made.path));
        reached.add(`${kind} ${outcome}`);
        if (outcome === 'allow' && !isDeclared) throw new Error(`${chosen.name} allows with ${JSON.stringify(made)}`);
      }),
      { numRuns: RUNS, seed: SEED, endOnFailure: true },
    );
    expect([...reached]).toEqual(expect.arrayContaining(['mistyped error', 'null error', 'removed error']));
  });

  it('a value that the policy declares optional may be gone, and the decision names it', async () => {
    const sample = samples.find(({ name }) => name === 'quota-left/allow-canary.json')!;
    const path = ['data', 'config', 'parameters', 'factors', 'canary'];
    const { outcome, evaluation } = await decideIn(changed(sample, { kind: 'removed', path }));
    expect([outcome, evaluation?.optionalAbsent]).toEqual(['allow', [pathText(path)]]);
  });
});

const pick = <T>(list: readonly T[], at: number): T | undefined => list[at % list.length];

/** The samples that are allowed, and inputs that are generated for their policies and are allowed too, by policy. */
async function allowedWorlds(): Promise<Allowed[][]> {
  const releases = new Map(samples.map(({ name, release }) => [release, name.split('/')[0]!]));
  const byPolicy: Allowed[][] = [];
  for (const [release, policyName] of releases) {
    const decisionTimeMs = Date.UTC(2026, 2, 2, 9, 30);
    const trace = (await createTracer(release.policy, release.configDocument))!;
    const evaluate = (input: World['input']) => trace(input, decisionTimeMs);
    const { inputs } = await generateInputs(release, evaluate, { count: GENERATED, decisionTimeMs });
    const own = samples.filter((sample) => sample.release === release);
    const generated = inputs.map((input, at) => ({ name: `${policyName}, generated ${at}`, release, input }));
    const worlds: Allowed[] = [];
    for (const world of [...own, ...generated]) {
      const { outcome } = await decideIn(world);
      if (outcome === 'allow') worlds.push({ ...world, changes: changesOf(world, trace) });
    }
    byPolicy.push(worlds);
  }
  return byPolicy;
}
