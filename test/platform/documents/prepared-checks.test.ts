import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { ValidateFunction } from 'ajv';
import { describe, expect, it } from '@jest/globals';
import type { JsonSchema, JsonValue } from '../../../src/kernel/json';
import { toAjvSchema } from '../../../src/platform/documents/ajv-schema';
import { checkKey, documentCheck } from '../../../src/platform/documents/document-check';
import { DIALECT_ID, JsonSchemaCompiler } from '../../../src/platform/documents/json-schema-compiler';
import { ReleaseConfig } from '../../../src/releases/config/release-config';
import { Settings } from '../../../src/settings/settings';

const BUILT = join(__dirname, '../../../dist/platform/documents');
const load = createRequire(__filename);
const { PREPARED_CHECKS } = load(join(BUILT, 'prepared-checks.js')) as {
  PREPARED_CHECKS: Record<string, () => ValidateFunction>;
};
const compilerOf = (folder: string): JsonSchemaCompiler =>
  new (
    load(join(folder, 'json-schema-compiler.js')) as { JsonSchemaCompiler: typeof JsonSchemaCompiler }
  ).JsonSchemaCompiler();

/** What a check fills in and complains of; the code that it was written as is no part of that. */
function answerOf(check: ValidateFunction, document: JsonValue): unknown {
  const copy = structuredClone(document);
  const isGood = check(copy);
  const faults = (check.errors ?? []).map(({ instancePath, schemaPath, keyword, params, message, data, schema }) => ({
    ...{ instancePath, schemaPath, keyword, params, message, data, schema },
  }));
  return { copy, isGood, faults };
}

describe('the checks that the build has compiled', () => {
  it('are those of settings, release configurations and JSON Schemas', () => {
    const keys = [ReleaseConfig, Settings].map((schema) => checkKey(toAjvSchema(schema)));
    expect(Object.keys(PREPARED_CHECKS)).toEqual([...keys, DIALECT_ID]);
  });

  it.each<[string, typeof Settings | typeof ReleaseConfig, JsonValue]>([
    ['no document at all', Settings, null],
    ['empty settings', Settings, {}],
    ['settings of a worker', Settings, { temporal: { address: 'here:7233' }, audit: { store: { type: 'none' } } }],
    ['settings that are all wrong', Settings, { temporal: 7, audit: { store: { type: 'nun' } }, release: [], more: 1 }],
    ['an empty configuration', ReleaseConfig, {}],
    ['a configuration with a fact', ReleaseConfig, { facts: { a: { type: 'http', url: 'http://a/', path: '/a' } } }],
    [
      'a configuration that is all wrong',
      ReleaseConfig,
      { facts: { a: { type: 'htp' }, b: { type: 'http', timeout: 'soon' }, c: [] }, limits: 7, stages: { more: true } },
    ],
  ])('answer of %s what is compiled when it is asked for', (_what, schema, document) => {
    const prepared = PREPARED_CHECKS[checkKey(toAjvSchema(schema))]!();
    expect(answerOf(prepared, document)).toEqual(answerOf(documentCheck(schema), document));
  });

  it.each<[string, JsonSchema]>([
    ['a good one', { type: 'object', properties: { a: { type: 'integer', minimum: 1 } }, required: ['a'] }],
    ['one that names its dialect', { $schema: DIALECT_ID, type: 'string' }],
    ['one of another dialect', { $schema: 'http://json-schema.org/draft-07/schema#', type: 'string' }],
    ['one whose dialect is no text', { $schema: 7 } as unknown as JsonSchema],
    ['one with several faults', { properties: { a: { type: 'strin', minLength: -1 }, b: 5 }, required: 'a' }],
    ['one with a bad pattern', { pattern: '(' }],
    ['one with an unknown keyword', { propertys: {} }],
    ['one that refers to the dialect', { properties: { schema: { $ref: DIALECT_ID } } }],
  ])('say of a schema, %s, what is compiled when it is asked for', (_what, schema) => {
    const said = (compiler: JsonSchemaCompiler): string => {
      try {
        return `a schema: ${JSON.stringify(compiler.compile(schema)({ a: 0, schema: { type: 7 } }))}`;
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(said(compilerOf(BUILT))).toBe(said(new JsonSchemaCompiler()));
  });
});
