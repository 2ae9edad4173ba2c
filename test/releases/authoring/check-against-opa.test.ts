import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { JsonObject } from '../../../src/kernel/json';
import type { PolicyBundle } from '../../../src/rego/bundle/policy-bundle';
import { createTracer } from '../../../src/rego/evaluation/trace';
import { buildPolicy } from '../../../src/rego/toolchain/build-policy';
import { checkAgainstOpa } from '../../../src/releases/authoring/check-against-opa';
import { changedAt, generateInputs } from '../../../src/releases/authoring/generated-inputs';
import type { Release } from '../../../src/releases/release';
import { gate, schemaOf, withPolicy } from '../../rego/toolchain/policy-fixture';

const SHIPPED = join(__dirname, '../../../policy');
const LIMITS = { limits: { maxDelta: 500, maxPending: 2000 }, parameters: {} };

const releaseOf = (policy: PolicyBundle, configDocument: JsonObject = LIMITS): Release =>
  ({ ref: {}, policy, config: {}, configDocument, loadedAtMs: Date.UTC(2026, 0, 1) }) as unknown as Release;

const built = async (condition: string): Promise<PolicyBundle> => {
  const files = { 'gate.rego': gate(condition), 'input.json': schemaOf({ fleet: { type: 'object' } }) };
  return (await withPolicy(files, (dir) => buildPolicy(dir))).bundle;
};

describe('checkAgainstOpa', () => {
  it('OPA agrees with the plan’s evaluator on the shipped policy', async () => {
    const { bundle } = await buildPolicy(SHIPPED);
    const asked = { input: { deployment: { id: 'd' } }, decisionTimeMs: Date.UTC(2025, 5, 1) };
    const compared = await checkAgainstOpa(releaseOf(bundle), [asked]);
    expect(compared).toEqual({ generated: expect.any(Number), recorded: 1, faults: [] });
    expect(compared.generated).toBeGreaterThan(50);
  });

  it('a plan that decides in another way than its Rego is refused with the input', async () => {
    const [policy, other] = await Promise.all([built('count(input.fleet) > 1'), built('count(input.fleet) > 5')]);
    const { faults } = await checkAgainstOpa(releaseOf({ ...policy, plan: other.plan! }));
    expect(faults.length).toBeGreaterThan(0);
    expect(faults[0]!.message).toMatch(
      /^OPA answers \{"allow":false,"deny_reasons":\["no"\]\}, the plan's evaluator \{"allow":true,"deny_reasons":\[\]\}, for the input \{"fleet":/,
    );
  });

  it('a policy that OPA cannot answer is refused with what OPA says', async () => {
    const [policy, other] = await Promise.all([
      built('x := {1, 2}[_]; y := input.fleet[x]; y > 1'),
      built('count(input.fleet) > 5'),
    ]);
    const sources = { 'gate.rego': 'package gate\n\nresponse := 1\n\nresponse := 2\n' };
    const { faults } = await checkAgainstOpa(releaseOf({ ...policy, sources, plan: other.plan! }));
    expect(faults.map(({ message }) => message)).toEqual([expect.stringContaining('conflict')]);
  });
});

describe('recorded decisions', () => {
  it('a recorded decision that OPA decides in another way refuses the release, and is decided at its own time', async () => {
    const condition = (year: number): string =>
      `input.fleet.name == "one that no generator makes"; time.now_ns() > ${year - 1970}*365*24*3600*1000000000`;
    const [policy, other] = await Promise.all([built(condition(2020)), built(condition(2050))]);
    const input = { fleet: { name: 'one that no generator makes' }, deployment: {} };
    const release = releaseOf({ ...policy, plan: other.plan! });
    const at = (year: number) => checkAgainstOpa(release, [{ input, decisionTimeMs: Date.UTC(year, 6, 1) }]);
    expect((await at(2010)).faults).toEqual([]);
    const { faults, recorded } = await at(2030);
    expect(recorded).toBe(1);
    expect(faults).toEqual([expect.objectContaining({ message: expect.stringContaining(JSON.stringify(input)) })]);
    expect((await at(2060)).faults).toEqual([]);
  });
});

describe('generateInputs', () => {
  it('inputs are around each limit, and without each key or with null in its place', async () => {
    const { bundle } = await buildPolicy(SHIPPED);
    const release = releaseOf(bundle);
    const trace = await createTracer(bundle, LIMITS);
    const decisionTimeMs = release.loadedAtMs;
    const { calm, inputs } = await generateInputs(release, (input) => trace!(input, decisionTimeMs), {
      count: 500,
      decisionTimeMs,
    });
    expect(trace!(calm, decisionTimeMs).response).toEqual({ allow: true, deny_reasons: [] });
    expect(inputs.length).toBeLessThanOrEqual(500);
    const deltas = new Set(inputs.map((input) => input.pending_delta));
    for (const delta of [499, 500, 501, null, undefined]) expect(deltas).toContain(delta);
    expect(inputs).toContainEqual(changedAt(calm, ['region_health', 'one', 'status'], null));
  });
});

describe('changedAt', () => {
  const value = { a: [{ b: 1 }, 2], c: 3 };
  it.each<[string[], number | undefined, unknown]>([
    [['c'], undefined, { a: [{ b: 1 }, 2] }],
    [['a', '0'], undefined, { a: [2], c: 3 }],
    [['a', '0', 'b'], 5, { a: [{ b: 5 }, 2], c: 3 }],
    [['a', '0', 'b'], undefined, { a: [{}, 2], c: 3 }],
  ])('a copy has %j changed to %j', (path, to, wanted) => {
    expect(changedAt(value, path, to)).toEqual(wanted);
    expect(value).toEqual({ a: [{ b: 1 }, 2], c: 3 });
  });
});
