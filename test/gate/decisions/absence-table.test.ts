import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { evaluateSnapshot } from '../../../src/gate/decisions/evaluate-snapshot';
import type { Decision } from '../../../src/gate/decisions/decision';
import type { JsonObject, JsonValue } from '../../../src/kernel/json';
import type { PolicyBundle } from '../../../src/rego/bundle/policy-bundle';
import type { EvaluatePolicy } from '../../../src/rego/evaluation/evaluate-policy';
import { checkRelease } from '../../../src/releases/check-release';
import type { Release } from '../../../src/releases/release';
import { buildPolicy } from '../../../src/rego/toolchain/build-policy';
import { evaluateHere } from '../../rego/evaluation/evaluate-here';
import { schemaOf, withPolicy } from '../../rego/toolchain/policy-fixture';
import { aFact, aSnapshot } from './a-snapshot';

/** The rows of the table "What absence means" in docs/policies.md, named by how they begin. */
const ROW = {
  noProvider: 'a fact that the policy reads has no provider',
  notAsSchema: 'a fact, an attribute or a parameter that is not as its schema says',
  miss: 'no key or index, or null, in a fact or an attribute',
  configMiss: 'the same in `data.config`',
  otherMiss: 'the same in other data, or in a value that the policy made',
  empty: 'an iteration, `sum`',
  pattern: 'an array or object pattern',
  builtin: 'a built-in that fails',
  types: 'values of different types',
} as const;

interface Case {
  row: keyof typeof ROW;
  /** holds for no case but this one */
  condition?: string;
  facts?: JsonObject;
  without?: string;
  attributes?: JsonObject;
  limits?: JsonObject;
  parameters?: JsonObject;
  type: string;
  where?: string;
}

const SAME: Pick<Case, 'row' | 'type'> = { row: 'types', type: 'PolicyEvaluation' };
const emptyFact = (condition: string): Case => ({ row: 'empty', condition, facts: { list: [] }, type: 'FactInvalid' });

const CASES: Record<string, Case> = {
  'a fact is not there': { row: 'noProvider', without: 'fleet', type: 'FactMissing' },
  'a fact of another type': { row: 'notAsSchema', facts: { list: 'none' }, type: 'FactInvalid' },
  'an attribute of another type': { row: 'notAsSchema', attributes: { risk: 5 }, type: 'FactInvalid' },
  'a parameter of another type': { row: 'notAsSchema', parameters: { regions: 'eu' }, type: 'ConfigInvalid' },
  'a key that is absent': { row: 'miss', condition: 'input.fleet.absent > 1', type: 'FactInvalid' },
  'a key that is null': {
    row: 'miss',
    condition: 'input.fleet.nothing == 1',
    facts: { fleet: { nothing: null } },
    type: 'FactInvalid',
  },
  'an index beyond the list': { row: 'miss', condition: 'input.list[9] > 1', type: 'FactInvalid' },
  'a stage that a map lacks': {
    row: 'miss',
    condition: 'input.fleet[input.deployment.stage] > 1',
    type: 'FactInvalid',
  },
  'an attribute that is absent': {
    row: 'miss',
    condition: 'input.deployment.attributes.owner == "none"',
    type: 'FactInvalid',
  },
  'a default of object.get': {
    row: 'miss',
    condition: 'object.get(input.fleet, "absent", 0) > 1',
    type: 'FactInvalid',
  },
  'a limit that is read through a rule': { row: 'configMiss', condition: 'limits.absent < 1', type: 'ConfigInvalid' },
  'a limit whose path is written out': { row: 'configMiss', limits: {}, type: 'ConfigInvalid' },
  'a key that other data lacks': {
    row: 'otherMiss',
    condition: 'data.owners[input.fleet.name] == "none"',
    type: 'PolicyEvaluation',
  },
  'a constant map that lacks a key': {
    row: 'otherMiss',
    condition: 'by_risk[input.fleet.name] < 1',
    type: 'PolicyEvaluation',
    where: 'data.gate.by_risk.a',
  },
  'an iteration over nothing': emptyFact('some one in input.list; one > 1'),
  'a sum of nothing': emptyFact('sum(input.list) > 1'),
  'a product of nothing': emptyFact('product(input.list) > 1'),
  'a max of nothing': emptyFact('max(input.list) > 1'),
  'a min of nothing': emptyFact('min(input.list) > 1'),
  'a sorted nothing': emptyFact('count(sort(input.list)) > 1'),
  'nothing that is joined': emptyFact('concat(",", input.list) == "a"'),
  'a member of nothing': emptyFact('1 in input.list'),
  'an iteration over an empty parameter': {
    row: 'empty',
    condition: 'some one in data.config.parameters.regions; one == "eu"',
    parameters: { regions: [] },
    type: 'ConfigInvalid',
  },
  'an iteration over empty data': {
    row: 'empty',
    condition: 'some one in data.nothing; one == "eu"',
    type: 'PolicyEvaluation',
  },
  'a list shorter than its pattern': {
    row: 'pattern',
    condition: '[a, b, c] := input.list; a + b + c > 9',
    type: 'FactInvalid',
  },
  'an object that its pattern does not fit': {
    row: 'pattern',
    condition: '{"one": x} := input.fleet; x > 1',
    type: 'FactInvalid',
  },
  'a version that is none': {
    row: 'builtin',
    condition: 'semver.compare(input.fleet.name, "1.0.0") < 0',
    type: 'PolicyEvaluation',
  },
  'a division by zero': { row: 'builtin', condition: 'input.fleet.pending / 0 > 1', type: 'PolicyEvaluation' },
  'a max that has no result': {
    row: 'builtin',
    condition: 'max([x | some x in input.list; x > 100]) > 1',
    type: 'PolicyEvaluation',
  },
  ...Object.fromEntries(
    ['<', '<=', '>', '>=', '==', '!='].map((sign) => [
      `a text and a number with ${sign}`,
      { ...SAME, condition: `not input.fleet.name ${sign} input.fleet.pending` },
    ]),
  ),
  ...Object.fromEntries(
    ['max(input.list) == 7', 'min(input.list) == 7', 'count(sort(input.list)) == 7'].map((condition) => [
      `${condition} of a text and a number`,
      { ...SAME, condition, facts: { list: ['a', 1] } },
    ]),
  ),
};

const stageOf = (name: string): string => name.replaceAll(/[^a-z]/g, (one) => `-${one.charCodeAt(0)}-`);

const REGO = [
  'package gate\n\nresponse := {"allow": count(deny_reasons) == 0, "deny_reasons": deny_reasons}',
  'limits := data.config.limits',
  'by_risk := {"low": 500}',
  'deny_reasons contains "over: always" if input.fleet.pending > data.config.limits.most',
  'deny_reasons contains "spare: none" if {\n\tsome one in input.spare\n\tone > 1\n}',
  'deny_reasons contains "read: none" if {\n\tcount(input.list) > 99\n\tinput.deployment.attributes.risk == "high"\n}',
  ...Object.entries(CASES).flatMap(([name, { condition }]) =>
    condition === undefined
      ? []
      : [
          `deny_reasons contains "no" if {\n\tinput.deployment.stage == "${stageOf(name)}"\n\t${condition.replaceAll('; ', '\n\t')}\n}`,
        ],
  ),
].join('\n\n');

const FILES = {
  'gate.rego': REGO,
  'input.json': schemaOf({
    fleet: { type: 'object' },
    list: { type: 'array' },
    spare: { type: 'array', minItems: 0 },
  }),
  'attributes.json': schemaOf({ risk: { type: 'string' }, owner: { type: 'string' } }),
  'parameters.json': schemaOf({ regions: { type: 'array' } }),
  'data.json': JSON.stringify({ owners: { eu: 'platform' }, nothing: [] }),
};
const FACTS: JsonObject = { fleet: { pending: 1, name: 'a' }, list: [1, 2], spare: [] };

/** The left and the right column. */
function tableRows(): [string, string][] {
  const text = readFileSync(join(__dirname, '../../../docs/policies.md'), 'utf8');
  const [, table = ''] = text.split('| what the evaluation finds | the error |\n|---|---|\n');
  return table
    .split('\n\n')[0]!
    .split('\n')
    .map((line) => {
      const [, found = '', error = ''] = line.split(' | ').length === 2 ? /^\| (.*) \| (.*) \|$/.exec(line)! : [];
      return [found, error];
    });
}

describe('the table of what absence means', () => {
  let policy: PolicyBundle;
  let evaluate: EvaluatePolicy;
  beforeAll(async () => {
    ({ bundle: policy } = await withPolicy(FILES, (dir) => buildPolicy(dir)));
    evaluate = await evaluateHere(policy);
  });

  // one for each configuration: its checks are compiled once
  const releases = new Map<string, Release>();
  function releaseOf(configDocument: JsonObject): Release {
    const key = JSON.stringify(configDocument);
    const known = releases.get(key);
    if (known !== undefined) return known;
    const release = {
      ref: aSnapshot([]).release,
      policy,
      config: { allowedClockSkew: '2s', evaluation: { deadline: '1s', secondOpinion: 'when-possible' } },
      configDocument,
      loadedAtMs: 0,
    } as unknown as Release;
    releases.set(key, release);
    return release;
  }

  function decide(stage: string, world: Omit<Case, 'row' | 'type'>): Promise<Decision> {
    const { facts = {}, without, attributes = { risk: 'low' }, limits = { most: 9 } } = world;
    const { parameters = { regions: ['eu'] } } = world;
    const given = Object.entries({ ...FACTS, ...facts }).filter(([id]) => id !== without);
    const snapshot = aSnapshot(given.map(([id, value]) => aFact(id, value as JsonValue)));
    const release = releaseOf({ limits, parameters });
    const target = { ...snapshot.target, stage, attributes };
    return evaluateSnapshot({ release, snapshot: { ...snapshot, target }, evaluate });
  }

  it('has a case for each of its rows, and no row but these', () => {
    const rows = tableRows();
    expect(rows).toHaveLength(Object.keys(ROW).length);
    Object.values(ROW).forEach((begin, at) => expect(rows[at]![0].startsWith(begin)).toBe(true));
    expect(new Set(Object.values(CASES).map(({ row }) => row))).toEqual(new Set(Object.keys(ROW)));
  });

  it.each(Object.entries(CASES))(
    'gives the error that its row names: %s',
    async (name, { row, type, where, ...world }) => {
      const rows = tableRows();
      const at = Object.keys(ROW).indexOf(row);
      const named = rows[at]![1] === 'the same' ? rows[at - 1]![1] : rows[at]![1];
      expect(named).toContain(`\`${type}\``);
      const decision = await decide(stageOf(name), world);
      expect(decision.outcome).toBe('error');
      expect(decision.faults.map((fault) => fault.type)).toContain(type);
      if (where !== undefined) expect(decision.faults.map(({ message }) => message).join()).toContain(where);
    },
  );

  it('allows where nothing is absent, an empty collection whose schema says so included', async () => {
    expect(await decide('another', {})).toMatchObject({ outcome: 'allow', faults: [] });
  });

  it('refuses a release whose fact has no provider, or whose written limit is absent', () => {
    const config = { limits: {}, parameters: { regions: ['eu'] } };
    const faults = checkRelease(policy, { facts: {} }, config);
    const types = faults.map(({ type, message }) => `${type} ${message}`).join('\n');
    expect(types).toMatch(/fleet/);
    expect(types).toMatch(/ConfigInvalid .*limits\.most/);
  });
});
