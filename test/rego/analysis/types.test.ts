import { describe, expect, it } from '@jest/globals';
import { policyTypes } from '../../../src/rego/analysis/types';
import type { JsonObject } from '../../../src/kernel/json';

const typeOf = (schema: JsonObject): string =>
  /f\?: ([\s\S]*);\n\}/.exec(policyTypes({ properties: { f: schema }, additionalProperties: false }))?.[1] ?? '';

describe('policyTypes', () => {
  it.each([
    [{ type: 'integer' }, 'number'],
    [{ type: ['number', 'null'] }, 'number | null'],
    [{ type: ['integer', 'number'] }, 'number'],
    [{ type: 'boolean' }, 'boolean'],
    [{ enum: ['red', 1] }, '"red" | 1'],
    [{ const: 'x' }, '"x"'],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, 'string | null'],
    [{ type: 'array', items: { type: 'string' } }, 'Array<string>'],
    [{ type: 'array' }, 'Array<unknown>'],
    [{ type: 'object' }, 'Record<string, unknown>'],
    [{ type: 'object', additionalProperties: { type: 'number' } }, 'Record<string, number>'],
    [{ type: 'object', additionalProperties: false }, 'Record<string, never>'],
    [{ type: 'other' }, 'unknown'],
    [{}, 'unknown'],
  ])('%j is %s', (schema, expected) => {
    expect(typeOf(schema as JsonObject)).toBe(expected);
  });

  it('policyTypes keeps descriptions, quotes odd names, and leaves open objects open', () => {
    const properties = { 'a-b': { type: 'string', description: 'ends */ here' }, n: { type: 'number' } };
    expect(policyTypes({ properties, required: ['n'] })).toBe(
      '// Written by `gate policy types` from input.json; do not edit.\n\nexport interface Facts {\n' +
        '  /** ends *\\/ here */\n  "a-b"?: string;\n  n: number;\n  [key: string]: unknown;\n}\n',
    );
  });
});
