import { beforeAll, describe, expect, it } from '@jest/globals';
import { unreachedDenials } from '../../../src/rego/analysis/unreached-denials';
import { readBundle } from '../../../src/rego/bundle/bundle';
import { planReads, type PlanReads } from '../../../src/rego/plan/plan-reads';
import { readPlan } from '../../../src/rego/plan/read-plan';
import { checkPolicy } from '../../../src/releases/authoring/check-policy';
import { plainBundle } from '../../support/plain-bundle';
import { gate, schemaOf, withPolicy } from '../toolchain/policy-fixture';

const POLICY = `package gate

import rego.v1

response := {"allow": count(reasons) == 0, "deny_reasons": reasons}

reasons contains "a" if input.fleet.pending > data.config.limits.max

reasons contains "b" if late(input.clock)

reasons contains "c" if {
	i := input
	i["other-fact"] == 1
}

late(x) if x > input.deployment.attributes.hour

unreached if input.never
`;

describe('what a plan says that its rules read', () => {
  let reads: PlanReads;
  let bytes: Uint8Array;
  beforeAll(async () => {
    const properties = { fleet: {}, clock: {}, 'other-fact': {} };
    bytes = await plainBundle(POLICY, properties);
    const { plan } = await readBundle(bytes);
    reads = planReads(readPlan(plan!), 'gate/response');
  });

  it('planReads names each path of the input with the line that reads it first', () => {
    const facts = [...reads.input.values()].filter(({ path }) => path.length === 1);
    expect(facts.map(({ path: [id], at }) => `${id} ${at.row}`).sort()).toEqual([
      'clock 9',
      'deployment 16',
      'fleet 7',
      'other-fact 13',
    ]);
    expect([...reads.input.values()].map(({ path }) => path.join('.'))).toContain('fleet.pending');
    expect(reads.wholeInput).toBeUndefined();
  });

  it('planReads names what is read of data.config', () => {
    expect([...reads.data.values()].map(({ path }) => path.join('.'))).toEqual(
      expect.arrayContaining(['config.limits.max']),
    );
  });

  it.each([
    ['a key that is worked out', 'input[data.config.limits.key] == 1'],
    ['a walk', 'walk(input, [_, 7])'],
    ['an iteration', 'some k, v in input\n\tk == v'],
  ])('a bundle made elsewhere that reads the input by %s needs a closed input.json', async (_what, condition) => {
    const bundle = await plainBundle(gate(condition));
    const { plan } = await readBundle(bundle);
    expect(planReads(readPlan(plan!), 'gate/response').wholeInput).toBeDefined();
  });

  it('a bundle made elsewhere whose Rego reads a fact that its input.json does not name is refused', async () => {
    await expect(plainBundle(POLICY, { fleet: {}, clock: {} }).then((made) => readBundle(made))).rejects.toThrow(
      /^input\.json:\d+:\d+: does not describe other-fact, which \S*gate\.rego:13:\d+ reads$/,
    );
  });
});

describe('what checkPolicy warns of', () => {
  it('checkPolicy warns of a denial that the response never reaches, and of a file of tests without one', async () => {
    const files = {
      'gate.rego': gate('input.count > 1'),
      'lib/lib.rego': 'package lib\n\ndeny contains "never" if input.count > 2\n',
      'gate_test.rego': 'package gate_test\n\nhelper := 1\n',
      'input.json': schemaOf({ count: { type: 'integer' } }),
    };
    const { warnings } = await withPolicy(files, (dir) => checkPolicy(dir));
    expect(warnings.map(({ message }) => message)).toEqual([
      'lib/lib.rego:3:1: data.lib.deny denies nothing: the response of the package gate never reaches it',
      'gate_test.rego:1:1: holds no test: the name of a test begins with test_',
    ]);
  });

  it('a rule that is reached by a computed name counts as reached', () => {
    const rules = [
      { path: 'data.checks.a.deny', file: 'a.rego', line: 1 },
      { path: 'data.loose.deny', file: 'b.rego', line: 2 },
    ];
    const virtual = [
      [
        { type: 'var', value: 'data' },
        { type: 'string', value: 'checks' },
        { type: 'var', value: 'x' },
      ],
    ];
    expect(unreachedDenials(rules, { virtual }).map(({ where }) => where)).toEqual(['b.rego:2']);
  });
});
