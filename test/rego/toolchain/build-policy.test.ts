import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { GateError } from '../../../src/kernel/failures';
import { readBundle } from '../../../src/rego/bundle/bundle';
import { buildPolicy } from '../../../src/rego/toolchain/build-policy';
import { gate, schemaOf, withPolicy } from './policy-fixture';

const shipped = join(__dirname, '../../../policy');

const facts = schemaOf({
  count: { type: 'integer' },
  fleet: { type: 'object', properties: { k: { type: 'integer' } }, required: ['k'], additionalProperties: false },
  tags: { type: 'array', items: { type: 'string' }, minItems: 0 },
});
const build = (condition: string, more = '', input = facts) =>
  withPolicy({ 'gate.rego': gate(condition, more), 'input.json': input }, (dir) => buildPolicy(dir));

async function refusal(files: Record<string, string>): Promise<string[]> {
  const error = await withPolicy(files, (dir) => buildPolicy(dir)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(GateError);
  expect((error as GateError).type).toBe('PolicyInvalid');
  return (error as GateError).faults.map((fault) => fault.message);
}

describe('buildPolicy', () => {
  it('buildPolicy keeps what the shipped policy reads with the bundle', async () => {
    const { bundle } = await buildPolicy(shipped);
    expect(bundle.reads).toEqual({
      facts: ['max_pending', 'pending_delta', 'region_health'],
      inputPaths: [['max_pending'], ['pending_delta'], ['region_health']],
      configPaths: [
        ['limits', 'maxDelta'],
        ['limits', 'maxPending'],
      ],
      collections: [['region_health']],
      wholeInput: false,
    });
    expect(bundle.entrypoint).toBe('gate/response');
    expect(Object.keys(bundle.sources)).toEqual(['gate.rego']);
  });

  it('buildPolicy gives the same bytes each time, whose digest is the bundle’s and which read back as the same bundle', async () => {
    const [first, second] = [await buildPolicy(shipped), await buildPolicy(shipped)];
    expect(second.bytes).toEqual(first.bytes);
    expect(first.bundle.sha).toBe(createHash('sha256').update(first.bytes).digest('hex'));
    expect(await readBundle(first.bytes)).toEqual(second.bundle);
  });

  it.each([
    ['i := input; i.count > 1', '', [['count']]],
    ['fleet.k > 1', 'import input.fleet as fleet', [['fleet', 'k']]],
    ['object.get(input.fleet, "k", 0) > 1', '', [['fleet']]],
    ['f(input.fleet)', 'f(x) if x.k > 1', [['fleet']]],
    ['input.fleet[_] > 1', '', [['fleet']]],
    ['input.deployment.attributes.risk == "high"', '', [['deployment', 'attributes', 'risk']]],
    ['input.decision_time == input.deployment.stage', '', []],
  ])('buildPolicy takes %s %s to read exactly its full paths', async (condition, more, expected) => {
    const rego = gate(condition, more.startsWith('import') ? '' : more);
    const text = more.startsWith('import') ? rego.replace('package gate\n', `package gate\n\n${more}\n`) : rego;
    const { bundle } = await withPolicy({ 'gate.rego': text, 'input.json': facts }, (dir) => buildPolicy(dir));
    expect(bundle.reads).toMatchObject({ inputPaths: expected, wholeInput: false });
  });

  const bare: [string, string][] = [
    ['f(input)', 'f(x) if x.count > 1'],
    ['some x in ["count"]; input[x] > 1', ''],
    ['object.get(input, "count", 0) > 1', ''],
    ['walk(input, [_, 1])', ''],
    ['object.keys(input) == {"count"}', ''],
    ['json.filter(input, ["count"]) == {}', ''],
  ];
  it.each(bare)(
    'buildPolicy takes every property of input.json as read where %s reads bare input',
    async (condition, more) => {
      const { bundle } = await build(condition, more);
      expect(bundle.reads).toMatchObject({
        wholeInput: true,
        facts: ['count', 'fleet', 'tags'],
        inputPaths: [['count'], ['fleet'], ['tags']],
        collections: [['fleet']],
      });
    },
  );

  it.each(bare)('buildPolicy refuses %s over an input.json that is not closed', async (condition, more) => {
    const open = schemaOf({ count: { type: 'integer' } }, {});
    const [message] = await refusal({ 'gate.rego': gate(condition, more), 'input.json': open });
    expect(message).toContain('expected additionalProperties: false');
  });

  it.each([
    ['x := data.config; count(x) > 1', [[]]],
    ['some x in data.config.limits; x > 1', [['limits']]],
    ['data.config.limits["a b"] > 1', [['limits', 'a b']]],
  ])('buildPolicy takes %s to read the configuration %j', async (condition, expected) => {
    expect((await build(condition)).bundle.reads.configPaths).toEqual(expected);
  });

  it.each([
    [
      'http.send({"url": "x"}).status_code == 200',
      'gate.rego:8:2: built-in http.send is not available: it reaches the network',
    ],
    ['rand.intn("x", 3) == 1', 'gate.rego:8:2: built-in rand.intn is not available: it is random'],
    ['input.count > nothing', 'gate.rego:8:2: var nothing is unsafe'],
    ['input.count > > 1', 'gate.rego:8:16: '],
    ['true\n}\nold(x) {\n\tx', 'this is Rego v0, which opa fmt --v0-v1 --write gate.rego converts'],
    ['{"count": 1} = input', 'gate.rego:8:2: match error'],
    ['input.deployment.colour == "red"', 'gate.rego:8:2: the policy reads input.deployment.colour'],
  ])('buildPolicy refuses %s by name, file, line and column', async (condition, expected) => {
    const messages = await refusal({ 'gate.rego': gate(condition), 'input.json': facts });
    expect(messages).toContainEqual(expect.stringContaining(expected));
  });

  it.each([
    'f with input as {"count": 1}',
    'f with data.config.limits as {"max": 1}',
    'input.count > 9007199254740993',
    'data.list[0] > 1',
    'some key in ["max"]; input.count > data.config.limits[key]',
  ])('buildPolicy accepts %s, which wasm alone could not be trusted with', async (condition) => {
    const files = {
      'gate.rego': gate(condition, 'f if input.count > 1'),
      'input.json': facts,
      'data.json': '{"list": [1]}',
    };
    expect((await withPolicy(files, (dir) => buildPolicy(dir))).bundle.plan).toContain('"plans"');
  });

  it('buildPolicy accepts data that is absent where a rule declares that optional', async () => {
    const declared = '# METADATA\n# custom:\n#   gate: {optional: ["data.freeze.on"]}\nfrozen if data.freeze.on';
    const { bundle } = await build('frozen', declared);
    expect(bundle.declarations).toMatchObject({
      deniesWithNotes: false,
      rules: [{ optional: [{ text: 'data.freeze.on' }] }],
    });
  });

  it('buildPolicy admits with in tests, which are no part of the bundle', async () => {
    const tests = 'package gate_test\n\nimport data.gate\n\ntest_x if gate.allow with input as {"count": 1}\n';
    const files = { 'gate.rego': gate('input.count > 1'), 'gate_test.rego': tests, 'input.json': facts };
    const { bundle } = await withPolicy(files, (dir) => buildPolicy(dir));
    expect(Object.keys(bundle.sources)).toEqual(['gate.rego']);
  });

  it.each([
    [{ 'gate.rego': gate('input.count > 1') }, 'input.json: missing'],
    [{ 'gate.rego': gate('input.count > 1'), 'input.json': '[]' }, 'input.json:1:1: expected a JSON Schema'],
    [{ 'gate.rego': gate('true'), 'input.json': facts, 'data.json': '{"config": {}}' }, 'data.json:1:2: holds config'],
    [{ 'gate.rego': gate('true'), 'input.json': facts, 'data.json': '{"a": 1' }, 'data.json:1:8: expected JSON'],
    [
      { 'gate.rego': gate('true'), 'input.json': facts, 'attributes.json': '[]' },
      'attributes.json:1:1: expected a JSON',
    ],
    [
      { 'gate.rego': gate('true'), 'input.json': facts, 'parameters.json': '{"type": "txt"}' },
      'parameters.json:1:2: expected',
    ],
    [
      { 'gate.rego': gate('data.freeze.on'), 'input.json': facts },
      'gate.rego:8:2: data.freeze.on: expected a rule or a value in a data',
    ],
    [
      { 'gate.rego': gate('data.inventory["storage.k8s.io/v1"].fast'), 'input.json': facts },
      'gate.rego:8:2: data.inventory["storage.k8s.io/v1"].fast: expected a rule or a value in a data',
    ],
    [{ 'gate.rego': gate('true'), 'input.json': schemaOf({ deployment: {} }) }, 'deployment is reserved'],
    [{ 'gate.rego': gate('true'), 'input.json': schemaOf({ decision_time: {} }) }, 'decision_time is reserved'],
    [{ 'gate.rego': 'package other\n\nx := 1\n', 'input.json': facts }, 'gate/response'],
    [{ 'input.json': facts }, 'Expected Rego files'],
  ])('buildPolicy refuses the folder %#: %s', async (files, expected) => {
    const messages = await refusal(files as Record<string, string>);
    expect(messages).toContainEqual(expect.stringContaining(expected));
  });

  it('buildPolicy names a missing response beside all else that is missing', async () => {
    expect(await refusal({ 'other.rego': 'package other\n\nx := 1\n' })).toEqual([
      expect.stringContaining('gate/response: expected a rule response in the package gate'),
      expect.stringContaining('input.json: missing'),
    ]);
  });

  it('buildPolicy gives all faults at once', async () => {
    const messages = await refusal({
      'gate.rego': gate('http.send({}) == 1'),
      'input.json': schemaOf({ deployment: {} }),
    });
    expect(messages).toHaveLength(2);
  });
});
