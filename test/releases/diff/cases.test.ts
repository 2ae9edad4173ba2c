import { describe, expect, it } from '@jest/globals';
import { casesLines } from '../../../src/cli/policy/diff-text';
import type { JsonObject } from '../../../src/kernel/json';
import { candidatesOf } from '../../../src/releases/diff/candidates';
import { domainsOf, findCalm, generateCases, inputOf, type Domain } from '../../../src/releases/diff/cases';
import type { ComparedRelease } from '../../../src/releases/diff/compare-releases';
import { tryCases, type TriedDecision } from '../../../src/releases/diff/try-cases';
import type { Release } from '../../../src/releases/release';
import { aConfig, aPolicy } from '../a-release';

const material = { numbers: [500], texts: ['green'] };
const one = { one: 'green' };

describe('candidatesOf', () => {
  it.each<[JsonObject, unknown[]]>([
    [{ type: 'integer' }, [0, 500, 499, 501]],
    [{ type: 'integer', minimum: 1, maximum: 500 }, [1, 2, 500, 499]],
    [{ type: 'number', minimum: 400 }, [400, 401, 400.4, 499, 500, 501, 499.5, 500.5]],
    [{ type: 'boolean' }, [false, true]],
    [{ type: 'string' }, ['green', 'another']],
    [{ type: 'string', format: 'date' }, ['2026-01-01', '2030-01-01', 'green', 'another']],
    [{ type: 'string', pattern: '^x', examples: ['x1'] }, ['x1', 'green', 'another']],
    [{ enum: ['a', 'b'] }, ['a', 'b']],
    [{ const: 7 }, [7]],
    [{ type: ['boolean', 'null'] }, [false, true, null]],
    [{ anyOf: [{ const: 1 }, { type: 'boolean' }] }, [1, false, true]],
    [{ default: 'd', type: 'boolean' }, ['d', false, true]],
    [{}, [0, 499, 500, 501, 499.5, 500.5, false, true, 'green', 'another']],
    [{ type: 'array', items: { type: 'boolean' } }, [[false], [true], [false, false], [false, true]]],
    [{ items: { const: 1 }, minItems: 3 }, [[1, 1, 1]]],
    [{ type: 'array', items: { const: 1 }, minItems: 0 }, [[1], [1, 1], []]],
    [{ type: 'array', items: { $ref: '#/none' }, minItems: 0 }, [[]]],
    [
      { type: 'object', additionalProperties: { type: 'string' } },
      [one, { one: 'another' }, { one: 'green', two: 'green' }, { one: 'green', two: 'another' }],
    ],
    [{ type: 'object', minProperties: 0, additionalProperties: { const: 1 } }, [{ one: 1 }, { one: 1, two: 1 }, {}]],
    [
      { properties: { a: { type: 'boolean' }, b: { enum: [1, 2] } }, additionalProperties: false },
      [
        { a: false, b: 1 },
        { a: true, b: 1 },
        { a: false, b: 2 },
      ],
    ],
    [{ type: 'object', additionalProperties: false }, [{}]],
    [{ $ref: '#/$defs/x~1y', $defs: { 'x/y': { const: 3 } } }, [3]],
    [{ $ref: 'other.json' }, []],
    [{ $ref: '#' }, []],
  ])('candidatesOf of %j are %j', (schema, expected) => {
    expect(candidatesOf(schema, material)).toEqual(expected);
  });
});

function release(change: Partial<Release['policy']>, limits: JsonObject, texts: string[] = []): ComparedRelease {
  const { config } = aConfig('c');
  return {
    release: {
      ref: { policySha: 'p', configRev: 'c', manifestVersion: 'v' },
      policy: { ...aPolicy('p'), ...change },
      config,
      configDocument: { limits, other: { count: 77 } },
      loadedAtMs: 0,
    },
    source: { rules: [], calls: new Set(), texts: new Set(texts), numbers: new Set() },
  };
}
const reads = {
  facts: ['n'],
  inputPaths: [['n']],
  configPaths: [['limits', 'max']],
  collections: [],
  wholeInput: false,
};
const numberSchema = { type: 'object', properties: { n: { type: 'integer', minimum: 0 } } };

describe('domainsOf', () => {
  it('domainsOf takes the limits that either reads, not the others, and what fits the schema', () => {
    const a = release({ reads, inputSchema: numberSchema }, { max: 10, unread: 50 });
    const b = release({ reads, inputSchema: numberSchema }, { max: 8 });
    expect(domainsOf([a, b])).toEqual([{ path: ['n'], values: [0, 1, 8, 7, 9, 10, 11] }]);
  });

  it('domainsOf takes every limit where the configuration is read as a whole, and attributes that are read', () => {
    const inputPaths = [
      ['deployment', 'attributes', 'risk'],
      ['deployment', 'stage'],
    ];
    const whole = { ...reads, facts: [], inputPaths, configPaths: [[]] };
    const [risk, ...others] = domainsOf([release({ reads: whole }, { deep: { max: 10 } }, ['low', 'reason: %v'])]);
    expect(others).toEqual([]);
    expect(risk).toEqual({
      path: ['deployment', 'attributes', 'risk'],
      values: [0, 9, 10, 11, 9.99, 10.01, false, true, 'low', 'another'],
    });
    expect(inputOf([risk!], [8])).toEqual({ deployment: { attributes: { risk: 'low' } } });
  });

  it('domainsOf has no values for what no candidate fits', () => {
    const inputSchema = { type: 'object', properties: { n: { type: 'string', pattern: '^[0-9]{9}$' } } };
    expect(domainsOf([release({ reads, inputSchema }, { max: 1 })])).toEqual([{ path: ['n'], values: [] }]);
  });
});

describe('generateCases', () => {
  const domains: Domain[] = [
    { path: ['a'], values: [0, 1, 2] },
    { path: ['b'], values: [0, 1] },
    { path: ['c'], values: [] },
  ];
  const made = (count: number, seed = 1): string[] =>
    generateCases(domains, [0, 0, 0], count, seed).map((one) => one.join(''));

  it('generateCases begins with the calm one, changes one value in turn, then two, each case once', () => {
    expect(made(1)).toEqual(['000']);
    expect(made(4)).toEqual(['000', '100', '010', '200']);
    expect(made(100).slice(4).sort()).toEqual(['110', '210']);
  });

  it('generateCases gives the calm case alone where nothing can vary', () => {
    expect(generateCases([], [], 10, 1)).toEqual([[]]);
  });
});

describe('findCalm', () => {
  const domains: Domain[] = [
    { path: ['a'], values: [0, 1, 2] },
    { path: ['b'], values: [0, 1, 2] },
  ];
  it('findCalm stops at once where the first is calm, and continues until none is better', async () => {
    const asked: string[] = [];
    await findCalm(domains, async (at) => (asked.push(at.join('')), 0));
    expect(asked).toEqual(['00']);
    expect(await findCalm(domains, async ([a, b]) => Math.abs(a! - 2) + Math.abs(b! - 1))).toEqual([2, 1]);
    expect(await findCalm(domains, async () => 5)).toEqual([0, 0]);
  });
});

describe('tryCases', () => {
  const domains: Domain[] = [
    { path: ['n'], values: [0, 1, 2, 3] },
    { path: ['m'], values: [0, 1] },
  ];
  const [a, b] = [release({}, {}).release, release({}, {}).release];
  const denyFrom = (limit: number, input: JsonObject): TriedDecision => {
    const denyReasons = [...((input.n as number) >= limit ? ['n'] : []), ...(input.m === 1 ? ['m'] : [])];
    return { outcome: denyReasons.length > 0 ? 'deny' : 'allow', denyReasons, faults: [] };
  };
  const attempt = (decide: (which: 'a' | 'b', input: JsonObject) => TriedDecision, count = 100) =>
    tryCases({ a, b, domains, count, seed: 1, decide: async (one, input) => decide(one === a ? 'a' : 'b', input) });

  it('tryCases brings each difference down to the facts that make it, and tells each once', async () => {
    const result = await attempt((which, input) => denyFrom(which === 'a' ? 3 : 2, input));
    expect(result).toMatchObject({
      tried: 8,
      single: 5,
      differing: 2,
      calm: { n: 0, m: 0 },
      isCalmAllowed: true,
      withoutValues: [],
    });
    expect(result.differences).toEqual([
      {
        input: { n: 2 },
        a: { outcome: 'allow', denyReasons: [], faults: [] },
        b: { outcome: 'deny', denyReasons: ['n'], faults: [] },
      },
    ]);
  });

  it('tryCases shows the whole input where even the calm one differs', async () => {
    const result = await attempt((which) => ({
      outcome: which === 'a' ? 'allow' : 'error',
      denyReasons: [],
      faults: which === 'a' ? [] : [{ type: 'FactInvalid', message: 'bad' }],
    }));
    expect(result).toMatchObject({ isCalmAllowed: false, differing: 8, differences: [{ input: { n: 0, m: 0 } }] });
    expect(casesLines(result, 0).slice(0, 2)).toEqual([
      'cases: 8 tried, 8 differ (seed 1, decided at 1970-01-01T00:00:00.000Z)',
      '  no input was found that both allow: a denial may hide another',
    ]);
  });

  it('tryCases puts other outcomes before other reasons', async () => {
    const result = await attempt((which, input) => {
      if (input.n === 3) return { outcome: 'deny', denyReasons: [`${which} says`], faults: [] };
      return denyFrom(which === 'a' ? 4 : input.m === 0 && input.n === 2 ? 2 : 4, input);
    });
    expect(result.differences.map(({ input }) => input)).toEqual([{ n: 2 }, { n: 3 }]);
  });

  it('tryCases is cut short in text, never in JSON', () => {
    const difference = { input: {}, a: denyFrom(9, {}), b: denyFrom(9, {}) };
    const differences = Array(23).fill(difference) as (typeof difference)[];
    const result = {
      seed: 1,
      tried: 30,
      single: 31,
      differing: 23,
      calm: {},
      isCalmAllowed: true,
      withoutValues: ['x'],
      differences,
    };
    const lines = casesLines(result, 0);
    expect(lines.at(-1)).toBe('  and 3 more; -o json shows all');
    expect(lines.slice(1, 3)).toEqual([
      '  not every value was tried: there are 31 inputs with one value changed',
      '  no value could be made for x',
    ]);
  });
});
