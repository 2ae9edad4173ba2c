import { beforeAll, describe, expect, it } from '@jest/globals';
import { evaluateSnapshot } from '../../../src/gate/decisions/evaluate-snapshot';
import { decisionRecord } from '../../../src/gate/decisions/to-audit-record';
import { maskRecord } from '../../../src/gate/masking/mask-record';
import type { Decision } from '../../../src/gate/decisions/decision';
import type { JsonObject, JsonValue } from '../../../src/kernel/json';
import type { PolicyBundle } from '../../../src/rego/bundle/policy-bundle';
import type { EvaluatePolicy } from '../../../src/rego/evaluation/evaluate-policy';
import type { Release } from '../../../src/releases/release';
import { buildPolicy } from '../../../src/rego/toolchain/build-policy';
import { evaluateHere } from '../../rego/evaluation/evaluate-here';
import { gate, schemaOf, withPolicy } from '../../rego/toolchain/policy-fixture';
import { aFact, aSnapshot } from './a-snapshot';

const OPEN = { type: 'object' };
const INPUT = schemaOf({ fleet: OPEN, health: OPEN, list: { type: 'array' } });

async function policyOf(condition: string, more = '', entrypointCustom = ''): Promise<PolicyBundle> {
  const rego = gate(condition, more);
  const text =
    entrypointCustom === '' ? rego : rego.replace('response :=', `# METADATA\n${entrypointCustom}\nresponse :=`);
  const { bundle } = await withPolicy({ 'gate.rego': text, 'input.json': INPUT }, (dir) => buildPolicy(dir));
  return bundle;
}

interface World {
  facts?: JsonObject;
  attributes?: JsonObject;
  config?: JsonObject;
  stage?: string;
}

async function decide(policy: PolicyBundle, world: World, evaluate?: EvaluatePolicy): Promise<Decision> {
  const { facts = {}, attributes = {}, config = { limits: { other: 1 } }, stage = 'canary' } = world;
  const snapshot = aSnapshot(Object.entries(facts).map(([id, value]) => aFact(id, value as JsonValue)));
  const release = {
    ref: snapshot.release,
    policy,
    config: { allowedClockSkew: '2s', evaluation: { deadline: '1s', secondOpinion: 'when-possible' } },
    configDocument: config,
    loadedAtMs: 0,
  } as unknown as Release;
  return evaluateSnapshot({
    release,
    snapshot: { ...snapshot, target: { ...snapshot.target, stage, attributes } },
    evaluate: evaluate ?? (await evaluateHere(policy)),
  });
}

describe('what OPA allows because something is absent', () => {
  it.each<[string, string, string, World, string]>([
    [
      'a limit that is read through a rule',
      'input.fleet.pending > l.maxPending',
      'l := data.config.limits',
      { facts: { fleet: { pending: 9 } } },
      'ConfigInvalid',
    ],
    [
      'an attribute that is read through a rule',
      'a.risk == "high"',
      'a := input.deployment.attributes',
      {},
      'FactInvalid',
    ],
    [
      'a stage that is not in a map',
      'input.health[input.deployment.stage] != "green"',
      '',
      { facts: { health: { fleet: 'red' } } },
      'FactInvalid',
    ],
    ['an index beyond a list', 'input.list[3] > 1', '', { facts: { list: [1] } }, 'FactInvalid'],
    [
      'a field that a helper reads',
      'f(input.fleet)',
      'f(x) if x.pending > 1',
      { facts: { fleet: { other: 1 } } },
      'FactInvalid',
    ],
    [
      'a default that object.get gives',
      'object.get(input.fleet, "pending", 0) > 1',
      '',
      { facts: { fleet: { other: 1 } } },
      'FactInvalid',
    ],
    [
      'a version that is none',
      'semver.compare(input.fleet.version, "1.0.0") < 0',
      '',
      { facts: { fleet: { version: 'unknown' } } },
      'PolicyEvaluation',
    ],
    [
      'a division by zero',
      'input.fleet.bad / input.fleet.all > 0.1',
      '',
      { facts: { fleet: { bad: 1, all: 0 } } },
      'PolicyEvaluation',
    ],
    [
      'a time that is none',
      'time.parse_rfc3339_ns(input.fleet.at) < 0',
      '',
      { facts: { fleet: { at: 'never' } } },
      'PolicyEvaluation',
    ],
    [
      'a number that is a text',
      'input.fleet.pending > 5',
      '',
      { facts: { fleet: { pending: '3' } } },
      'PolicyEvaluation',
    ],
    ['a list that is empty', 'some one in input.list; one > 1', '', { facts: { list: [] } }, 'FactInvalid'],
  ])('is an error here: %s', async (_, condition, more, world, type) => {
    const decision = await decide(await policyOf(condition, more), world);
    expect(decision.outcome).toBe('error');
    expect(decision.faults.map((fault) => fault.type)).toContain(type);
    expect(decision.faults[0]!.where).toMatch(/^gate\.rego:\d+$/);
  });
});

describe('what OPA answers by its own order and arithmetic', () => {
  it.each<[string, string, JsonObject]>([
    [
      'the order of an object',
      '[r | some r, h in input.health; h == "red"][0] == "canary"',
      { health: { prod: 'red', canary: 'red' } },
    ],
    ['a fraction in binary', 'input.fleet.rate - input.fleet.base > 0.2', { fleet: { rate: 0.5, base: 0.3 } }],
  ])('is decided as OPA decides it: %s', async (_, condition, facts) => {
    const policy = await policyOf(condition);
    const decision = await decide(policy, { facts });
    expect({ outcome: decision.outcome, faults: decision.faults }).toEqual({
      outcome: condition.includes('0.2') ? decision.outcome : 'deny',
      faults: [],
    });
    if (decision.outcome === 'allow') expect(decision.evaluation?.secondOpinion).toBe('none');
  });
});

describe('a denial with notes', () => {
  const condition = 'input.fleet.pending > 5';
  const more = 'deny_reasons contains "note: bad" if input.fleet.note == "bad"';
  const world = { facts: { fleet: { pending: 9 } } };

  it('is an error that says what would be denied', async () => {
    const decision = await decide(await policyOf(condition, more), world);
    expect(decision).toMatchObject({ outcome: 'error', denyReasons: [], faults: [{ factId: 'fleet' }] });
    expect(decision.evaluation?.wouldDeny).toHaveLength(1);
  });

  it('is a denial that lists its notes where the entrypoint says so', async () => {
    const policy = await policyOf(condition, more, '# custom:\n#   gate: {deny_with_notes: deny}');
    const decision = await decide(policy, world);
    expect(decision).toMatchObject({ outcome: 'deny', faults: [], evaluation: { notes: [{ factId: 'fleet' }] } });
  });

  it('shows no masked value in its record', async () => {
    const rego = 'deny_reasons contains sprintf("serial_bad: %s", [input.fleet.serial]) if input.fleet.serial == "S-1"';
    const facts = { fleet: { pending: 9, serial: 'S-1' } };
    const decision = await decide(await policyOf(condition, `${rego}\n\n${more}`), { facts });
    const snapshot = aSnapshot([aFact('fleet', facts.fleet)]);
    const record = decisionRecord(snapshot, decision, {});
    expect(JSON.stringify(record.evaluation)).toContain('S-1');
    expect(JSON.stringify(maskRecord(record, ['/input/fleet/serial']))).not.toContain('S-1');
  });
});

describe('an optional path', () => {
  it('that is absent is no error, and the record names it', async () => {
    const more =
      '# METADATA\n# custom:\n#   gate: {optional: ["input.fleet.note"]}\ndeny_reasons contains "note: bad" if input.fleet.note == "bad"';
    const decision = await decide(await policyOf('input.fleet.pending > 5', more), {
      facts: { fleet: { pending: 1 } },
    });
    expect(decision).toMatchObject({ outcome: 'allow', evaluation: { optionalAbsent: ['input.fleet.note'] } });
  });
});

describe('the record of a decision', () => {
  let policy: PolicyBundle;
  beforeAll(async () => {
    policy = await policyOf('input.fleet.pending > 5; input.health.eu != "green"');
  });

  it('says which facts the evaluation looked at, by whom and within which budget', async () => {
    const facts = { fleet: { pending: 1 }, health: { eu: 'green' } };
    const decision = await decide(policy, { facts });
    const snapshot = aSnapshot([aFact('fleet', facts.fleet), aFact('health', facts.health)]);
    const record = decisionRecord(snapshot, decision, {});
    expect(record.usedFacts.map(({ id, lookedAt }) => [id, lookedAt])).toEqual([
      ['fleet', true],
      ['health', false],
    ]);
    expect(record.evaluation).toEqual({
      evaluators: ['plan 1 (OPA 1.22.2)', 'opa-wasm 1.10.0'],
      secondOpinion: 'agreed',
      budget: { steps: 10_000_000, elements: 1_000_000, characters: 16_777_216 },
    });
  });

  it('is an error where an evaluator answers that cannot notice absence', async () => {
    const answer = { response: { allow: true, deny_reasons: [] }, evalDurationNs: 1 };
    const decision = await decide(policy, { facts: { fleet: {}, health: {} } }, () => Promise.resolve(answer));
    expect(decision).toMatchObject({ outcome: 'error', faults: [{ type: 'PolicyEvaluation' }] });
  });
});
