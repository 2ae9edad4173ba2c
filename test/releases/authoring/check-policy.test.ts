import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { ReleaseConfig } from '../../../src/releases/config/release-config';
import { checkPolicy } from '../../../src/releases/authoring/check-policy';
import { voteless } from '../../../src/releases/authoring/voteless';
import { gate, schemaOf, withPolicy } from '../../rego/toolchain/policy-fixture';

const config = (facts: string[], limits: object = { maxDelta: 500, maxPending: 2000 }): ReleaseConfig =>
  ({
    limits,
    parameters: {},
    facts: Object.fromEntries(facts.map((id) => [id, { type: 'levelServer', base: 'http://127.0.0.1:2' }])),
  }) as unknown as ReleaseConfig;
/** The fixture's policies are not formatted. */
const butFormatting = (faults: { message: string }[]): string[] =>
  messages(faults).filter((message) => !message.includes('is not formatted'));
const messages = (faults: { message: string }[]): string[] => faults.map((fault) => fault.message);
const countSchema = schemaOf({ count: { type: 'integer' } });

describe('checkPolicy', () => {
  it('checkPolicy finds nothing to say of the shipped policy with a provider for each fact', async () => {
    const shipped = join(__dirname, '../../../policy');
    const result = await checkPolicy(shipped, config(['max_pending', 'pending_delta', 'region_health']));
    expect(result).toMatchObject({ errors: [], warnings: [], declarations: [], withoutSecondOpinion: [] });
  });

  it('checkPolicy fails for a fact that no one provides and a limit that is not configured', async () => {
    const { errors } = await checkPolicy(join(__dirname, '../../fixtures/policies/lacks-provider'), config([]));
    expect(messages(errors)).toEqual([
      expect.stringMatching(/^gate\.rego:\d+:\d+: The policy reads error_rate, which no configured provider collects$/),
      expect.stringContaining('expected a value at data.config.limits.maxErrorRate, found nothing'),
    ]);
  });

  it('checkPolicy fails for a fact that input.json does not describe, strictness and formatting', async () => {
    const files = { 'gate.rego': `${gate('x := 1; input.other > 1')}\n\n`, 'input.json': countSchema };
    const { errors } = await withPolicy(files, (dir) => checkPolicy(dir, config(['other'])));
    expect(messages(errors)).toEqual(
      expect.arrayContaining([
        'gate.rego:8:2: assigned var x unused',
        expect.stringMatching(/^input\.json:1:\d+: does not describe other, which gate\.rego:8:10 reads$/),
        'gate.rego:4:1: is not formatted; run gate policy fmt',
      ]),
    );
  });

  it('checkPolicy fails where a configured value has another type than input.json says', async () => {
    const files = { 'gate.rego': gate('input.count > 1'), 'input.json': countSchema };
    const wrong = { ...config([], { text: 'a' }), facts: { count: { type: 'config', path: '/limits/text' } } };
    const { errors } = await withPolicy(files, (dir) => checkPolicy(dir, wrong as unknown as ReleaseConfig));
    expect(messages(errors)).toContain('facts.count: expected integer as in input.json, found string at /limits/text');
  });

  it('checkPolicy warns of a fact that input.json describes and the policy does not read', async () => {
    const files = {
      'gate.rego': gate('input.fleet > 1'),
      'input.json': schemaOf({ fleet: { type: 'integer' }, spare: { type: 'integer' } }),
    };
    const { warnings } = await withPolicy(files, (dir) => checkPolicy(dir, config(['fleet'])));
    expect(messages(warnings)).toEqual([
      expect.stringMatching(/^input\.json:1:\d+: describes spare, which the policy does not read$/),
    ]);
  });

  it('checkPolicy warns of unused providers and of defaults that are never reached', async () => {
    const files = {
      'gate.rego': gate('object.get(input, "fleet", {"k": 2}).k > 1'),
      'input.json': schemaOf({
        fleet: { type: 'object', properties: { k: { type: 'integer' } }, required: ['k'], additionalProperties: false },
      }),
    };
    const { warnings } = await withPolicy(files, (dir) => checkPolicy(dir, config(['fleet', 'extra'])));
    expect(messages(warnings)).toEqual([
      expect.stringContaining('gate.rego:8:2: the default of object.get(input, …) is never reached'),
      'facts.extra: provides a fact that the policy does not read',
    ]);
  });
});

describe('what checkPolicy says of declarations and attributes', () => {
  const fleet = { fleet: { type: 'object' } };
  const optional = (...patterns: string[]): string =>
    `# METADATA\n# custom:\n#   gate: {optional: ${JSON.stringify(patterns)}}\ndeny_reasons contains "note: bad" if input.fleet.note.text == "bad"`;
  const check = (more: string, files: Record<string, string> = {}) =>
    withPolicy({ 'gate.rego': gate('input.fleet.pending > 1', more), 'input.json': schemaOf(fleet), ...files }, (dir) =>
      checkPolicy(dir, config(['fleet'])),
    );

  it('checkPolicy lists a declaration with its place, its patterns and the lines that it covers', async () => {
    const { errors, warnings, declarations } = await check(optional('input.fleet.note', 'input.fleet.note.*'));
    expect([butFormatting(errors), warnings]).toEqual([[], []]);
    expect(declarations).toMatchObject([
      {
        where: 'gate.rego:10',
        optional: [{ text: 'input.fleet.note' }, { text: 'input.fleet.note.*' }],
        ranges: [{ file: 'gate.rego', first: 13, last: 13 }],
      },
    ]);
  });

  it.each([
    ['input.fleet.remark', 'the policy reads nothing there'],
    ['input.fleets.*', 'the policy reads nothing there'],
    ['input.fleet.**', 'hides every absence'],
  ])('checkPolicy warns of the pattern %s', async (pattern, message) => {
    const { warnings } = await check(optional(pattern));
    expect(messages(warnings)).toEqual([expect.stringContaining(`gate.rego:10:1: optional ${pattern}: ${message}`)]);
  });

  it('checkPolicy accepts that an optional limit is not configured', async () => {
    const more =
      '# METADATA\n# custom:\n#   gate: {optional: ["data.config.limits.spare"]}\ndeny_reasons contains "spare: over" if input.fleet.spare > data.config.limits.spare';
    expect(butFormatting((await check(more)).errors)).toEqual([]);
  });

  it('checkPolicy warns of an attribute that is read and has no type', async () => {
    const more = 'deny_reasons contains "risk: high" if input.deployment.attributes.risk == "high"';
    const schema = (properties: object) => JSON.stringify({ type: 'object', properties });
    const untyped = ['attributes.json: gives no type to risk, which the policy reads'];
    expect(messages((await check(more)).warnings)).toEqual(untyped);
    expect(messages((await check(more, { 'attributes.json': schema({ risk: {} }) })).warnings)).toEqual(untyped);
    expect((await check(more, { 'attributes.json': schema({ risk: { type: 'string' } }) })).warnings).toEqual([]);
  });

  it('checkPolicy names the lines where the compiled module may have no vote', async () => {
    const more =
      'deny_reasons contains "share: over" if input.fleet.bad / input.fleet.all > 1\n\nlisted := [k | some k, _ in input.fleet]\n\ndeny_reasons contains "first: a" if listed[0] == "a"';
    const { withoutSecondOpinion } = await check(more);
    expect(withoutSecondOpinion).toEqual([
      { where: 'gate.rego:10', reason: 'fraction' },
      { where: 'gate.rego:12', reason: 'unordered-list' },
    ]);
  });

  it('checkPolicy names literals beyond 2^53, moments in nanoseconds and computed keys into data', async () => {
    const more = [
      'deny_reasons contains "pending: over" if input.fleet.pending > 9007199254740993',
      'deny_reasons contains "late: 1" if time.now_ns() > 1',
      'deny_reasons contains "owner: 1" if data.owners[input.fleet.owner] == "none"',
      'deny_reasons contains "first: 1" if data.list[0] == "none"',
      'deny_reasons contains "named: 1" if data.owners.canary == 9007199254740992',
      'deny_reasons contains "small: 1" if data.owners.canary == 9007199254740991',
    ].join('\n\n');
    const result = await check(more, { 'data.json': '{"owners": {"canary": 1}, "list": [9007199254740993]}' });
    expect(result.bundle).toBeDefined();
    expect(result.withoutSecondOpinion).toEqual([
      { where: 'data', reason: 'large-integer' },
      { where: 'gate.rego:10', reason: 'large-integer' },
      { where: 'gate.rego:12', reason: 'large-integer' },
      { where: 'gate.rego:14', reason: 'number-key' },
      { where: 'gate.rego:16', reason: 'number-key' },
      { where: 'gate.rego:18', reason: 'large-integer' },
    ]);
  });

  it('a module that does not load is named before the lines', async () => {
    const { bundle } = await check('deny_reasons contains "share: over" if input.fleet.bad / input.fleet.all > 1');
    const broken = { ...bundle!, wasm: bundle!.wasm.slice(0, 100) };
    const config = { parameters: { most: 2 ** 60 } };
    expect(await voteless(broken, config)).toEqual([
      { where: 'policy.wasm', reason: 'no-module', message: expect.stringContaining('could not be loaded') as unknown },
      { where: 'data.config', reason: 'large-integer' },
      { where: 'gate.rego:10', reason: 'fraction' },
    ]);
  });
});
