import { describe, expect, it } from '@jest/globals';
import { Type } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import { toAjvSchema } from '../../../src/platform/documents/ajv-schema';
import { ReleaseConfig } from '../../../src/releases/config/release-config';
import { Settings } from '../../../src/settings/settings';
import { validate } from '../../../src/platform/documents/validate';
import { DeploymentSchema } from '../../../src/gate/deployments/deployment-spec';
import type { JsonValue } from '../../../src/kernel/json';
import { Manifest } from '../../../src/releases/manifest';
import { faultsOf, messagesOf } from '../../support/in-folder';

const place = { file: 'r.json' };
const level = { type: 'levelServer', base: 'http://l' };

describe('the schemas of documents', () => {
  it.each([
    ['settings', Settings],
    ['release configuration', ReleaseConfig],
    ['manifest', Manifest],
    ['deployment', DeploymentSchema],
  ])('the schema of a document is a valid JSON Schema: %s', (_name, schema) => {
    const ajv = new Ajv({ strict: false, discriminator: true });
    expect([ajv.validateSchema(toAjvSchema(schema)), ajv.errorsText()]).toEqual([true, 'No errors']);
  });
});

describe('a key that is a name', () => {
  const named = { env: 'X', hosts: ['h'] };
  it.each<[string, JsonValue, string]>([
    ['actions.secrets', { actions: { secrets: { 'a b': named } } }, '"a b"'],
    ['actions.modules', { actions: { modules: { '': { module: 'm' } } } }, '""'],
    ['alerts.labels', { alerts: { labels: { alertname: 'x' } } }, '"alertname"'],
  ])('is refused where it does not match, and not ignored: %s', (path, settings, found) => {
    expect(() => validate(Settings, settings, place)).toThrow(`expected the keys of ${path} to match`);
    expect(() => validate(Settings, settings, place)).toThrow(found);
  });
});

describe('a valid document', () => {
  it('a valid document gets the defaults of the schema, also within the branch of a union', () => {
    const config = validate(ReleaseConfig, { facts: { a: level } }, place);
    expect(config.facts).toEqual({ a: { ...level, ttl: '15s', maxAge: '45s', timeout: '5s' } });
    expect(config.limits).toEqual({ maxDelta: 500, maxPending: 2000 });
    expect(config.activities.alert.maximumAttempts).toBe(10);
  });

  it('a valid document is left as it was and comes back frozen to its leaves', () => {
    const document = { limits: { nested: { list: [1] } } };
    const config = validate(ReleaseConfig, document, place);
    expect(document).toEqual({ limits: { nested: { list: [1] } } });
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen((config.limits.nested as { list: number[] }).list)).toBe(true);
    expect(Object.isFrozen(config.activities.alert)).toBe(true);
  });

  it('a valid document shares no default with another one', () => {
    expect(validate(ReleaseConfig, {}, place).stages).not.toBe(validate(ReleaseConfig, {}, place).stages);
  });

  it.each<{ bearerToken: JsonValue }>([{ bearerToken: { file: 'x' } }, { bearerToken: { env: 'X' } }])(
    'a valid document takes a secret as %j',
    ({ bearerToken }) => {
      expect(validate(Settings, { http: { bearerToken } }, place).http.bearerToken).toEqual(bearerToken);
    },
  );
});

describe('an invalid document', () => {
  it.each<[string, JsonValue, string[]]>([
    [
      'an object',
      { count: 0, by: 1, also: true },
      [
        'expected tags.count to be at least 1, got 0',
        'expected tags.by to be a text, got a number',
        'unknown key also in tags; known are count, by',
      ],
    ],
    ['a list', ['a', 2], ['expected tags[1] to be a text, got a number']],
    ['a number', 3, ['expected tags to be { count: …, by: … } or an array, got a number']],
  ])('is told by the only branch of a union that takes values of its kind: %s', async (_kind, tags, sentences) => {
    const count = Type.Integer({ minimum: 1 });
    const object = Type.Object({ count, by: Type.String() }, { additionalProperties: false });
    const schema = Type.Object({ tags: Type.Union([object, Type.Array(Type.String())]) });
    const found = await messagesOf(() => validate(schema, { tags }, place));
    expect([...found].sort()).toEqual(sentences.map((sentence) => `r.json: ${sentence}`).sort());
  });

  const provider = (fields: object): JsonValue => ({ facts: { a: { ...level, ...fields } } });
  it.each<[string, JsonValue, string]>([
    ['null', null, 'expected the document to be an object, got null'],
    ['an array', [], 'expected the document to be an object, got an array'],
    ['a text', 'limits', 'expected the document to be an object, got a text'],
    ['a key in another case', { Limits: {} }, 'unknown key Limits in the document; did you mean limits?'],
    ['a misspelt key', provider({ maxAeg: '1s' }), 'unknown key maxAeg in facts.a; did you mean maxAge?'],
    [
      'a key like no other',
      { circuitBreaker: { colour: 1 } },
      'unknown key colour in circuitBreaker; known are failures, halfOpenAfter',
    ],
    [
      'a missing key',
      { facts: { a: { type: 'http', url: 'x' } } },
      'expected facts.a to have the key value, but it is missing',
    ],
    [
      'no type',
      { facts: { a: {} } },
      'expected facts.a.type to be one of levelServer, http, prometheus, config, module, image, static, got nothing',
    ],
    [
      'an unknown type',
      { facts: { a: { type: 'levelserver' } } },
      'expected facts.a.type to be one of levelServer, http, prometheus, config, module, image, static (did you mean levelServer?), got "levelserver"',
    ],
    [
      'a type that is no text',
      { facts: { a: { type: 5 } } },
      'expected facts.a.type to be one of levelServer, http, prometheus, config, module, image, static, got a number',
    ],
    [
      'an unknown choice',
      { stages: { mode: 'watch' } },
      'expected stages.mode to be one of enforce, observe, got "watch"',
    ],
    [
      'no duration',
      provider({ ttl: 'soon' }),
      'expected facts.a.ttl to be a duration such as 500ms, 45s, 6h, got "soon"',
    ],
    ['a bare number as duration', provider({ ttl: 5 }), 'expected facts.a.ttl to be a text, got a number'],
    [
      'a text as number',
      { evaluation: { memoryMiB: '64' } },
      'expected evaluation.memoryMiB to be a whole number, got a text',
    ],
    [
      'a fraction',
      { evaluation: { memoryMiB: 8.5 } },
      'expected evaluation.memoryMiB to be a whole number, got a number',
    ],
    [
      'a number just too small',
      { evaluation: { memoryMiB: 7 } },
      'expected evaluation.memoryMiB to be at least 8, got 7',
    ],
    [
      'a number just too large',
      { evaluation: { memoryMiB: 2049 } },
      'expected evaluation.memoryMiB to be at most 2048, got 2049',
    ],
    ['an empty text', provider({ base: '' }), 'expected facts.a.base to be a text that is not empty, got ""'],
    [
      'a text as boolean',
      { stages: { autoResume: 'yes' } },
      'expected stages.autoResume to be true or false, got a text',
    ],
    [
      'a number as header',
      provider({ headers: { x: 4 } }),
      'expected facts.a.headers.x to be a text or { file: … } or { env: … }, got a number',
    ],
  ])('%s', async (_, document, message) => {
    expect(await messagesOf(() => validate(ReleaseConfig, document, place))).toEqual([`r.json: ${message}`]);
  });

  it('an invalid document has all its faults reported at once, each with its place', async () => {
    const document = { limits: 4, facts: { 'a b': { type: 'config' } }, stages: { onDeny: 1 } };
    expect((await faultsOf(() => validate(ReleaseConfig, document, place))).map(({ where }) => where)).toEqual([
      'r.json limits',
      'r.json facts["a b"]',
      'r.json stages.onDeny',
    ]);
  });

  it('an invalid document shows no text where a secret may stand', async () => {
    const documents = [
      { bearerToken: 'tok-123' },
      { bearerToken: { value: 'tok-123' } },
      { headers: { x: ['tok-123'] } },
    ];
    for (const fields of documents) {
      const [fault] = await faultsOf(() => validate(ReleaseConfig, provider(fields), place));
      expect(fault?.message).toMatch(
        /expected facts\.a\.(bearerToken|headers\.x) to be .*\{ file: … \} or \{ env: … \}/,
      );
      expect(fault?.message).not.toContain('tok-123');
    }
  });

  it('an invalid document refuses a secret that names a file and a variable', async () => {
    const faults = await messagesOf(() =>
      validate(Settings, { http: { bearerToken: { file: 'a', env: 'b' } } }, place),
    );
    expect(faults).toEqual([
      'r.json: expected http.bearerToken to be { file: … } or { env: … } or { encrypted: … }, got an object with the keys file, env',
    ]);
  });

  it('an invalid document names the line when it is known', async () => {
    const [fault] = await faultsOf(() => validate(ReleaseConfig, { limits: 4 }, { ...place, lineOf: () => 7 }));
    expect(fault).toMatchObject({
      where: 'r.json:7 limits',
      message: 'r.json:7: expected limits to be an object, got a number',
    });
  });
});

describe('numbers', () => {
  it.each([0, -1.5, 2 ** 53 - 1, -(2 ** 53 - 1), 0.1])('the number %d may be anywhere', (limit) => {
    expect(validate(ReleaseConfig, { limits: { a: [limit] } }, place).limits).toEqual({ a: [limit] });
  });

  it.each([2 ** 53, -(2 ** 53), 1e300, NaN, Infinity])('the number %d is refused, however deep', async (limit) => {
    const [message] = await messagesOf(() => validate(ReleaseConfig, { limits: { a: { b: [limit] } } }, place));
    expect(message).toMatch(/^r\.json: expected limits\.a\.b\[0\] to be a (finite|whole) number/);
  });
});

describe('what is not JSON', () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  let deep: unknown = 1;
  for (let level = 0; level < 101; level += 1) deep = [deep];
  it.each<[string, unknown, RegExp]>([
    ['a date', new Date(0), /to be a JSON value, got an object of class Date/],
    ['a function', () => 1, /to be a JSON value, got a function/],
    ['a bigint', 1n, /to be a JSON value, got a bigint/],
    ['a cycle', cycle, /value\.self to be a value that does not contain itself, got a cycle/],
    ['101 levels', deep, /at most 100 levels, got more/],
    ['the key __proto__', JSON.parse('{"__proto__": {"a": 1}}'), /the reserved key __proto__/],
  ])('the check refuses %s', async (_, value, message) => {
    const schema = Type.Object({ value: Type.Unknown() });
    expect((await messagesOf(() => validate(schema, { value } as JsonValue, place)))[0]).toMatch(message);
  });

  it('the check leaves out keys whose value is undefined', () => {
    const schema = Type.Object({ a: Type.Optional(Type.String()) }, { additionalProperties: false });
    expect(validate(schema, { a: undefined, b: undefined } as unknown as JsonValue, place)).toEqual({});
  });
});
