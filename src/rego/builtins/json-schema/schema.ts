import type { RE2JS } from 're2js';
import { BuiltinError } from '../builtin';
import { compile as compilePattern } from '../regex-matches';
import { isNumber, toIndex, type RegoNumber } from '../../values/number';
import type { RegoObject } from '../../values/rego-object';
import { isObject, typeName, type RegoValue } from '../../values/value';

/** A compiled schema: `true` and `false`, or its keywords. */
export type Schema = boolean | Keywords;

export interface Keywords {
  types: string[];
  properties: [name: string, schema: Schema][];
  patternProperties: [pattern: RE2JS, schema: Schema][];
  additionalProperties: Schema;
  required: string[];
  minProperties?: number;
  maxProperties?: number;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  uniqueItems: boolean;
  enum?: RegoValue[];
  const?: RegoValue;
  minLength?: number;
  maxLength?: number;
  pattern?: { text: string; expression: RE2JS };
  minimum?: RegoNumber;
  maximum?: RegoNumber;
  exclusiveMinimum?: RegoNumber;
  exclusiveMaximum?: RegoNumber;
  allOf: Schema[];
  anyOf: Schema[];
  oneOf: Schema[];
  not?: Schema;
}

/**
 * A keyword, or a use of one, that is not supported here: the evaluation stops, where an answer of our own might differ
 * from OPA's.
 */
export class SchemaUnsupportedError extends Error {
  override readonly name = 'SchemaUnsupportedError';
}

export const JSON_TYPES = ['array', 'boolean', 'integer', 'number', 'null', 'object', 'string'];
const ANNOTATIONS = ['title', 'description', 'default', 'examples', '$comment', 'readOnly', 'writeOnly', 'deprecated'];

/** @throws BuiltinError where OPA refuses the schema, SchemaUnsupportedError where it is more than is known here */
export function compileSchema(value: RegoValue): Schema {
  if (typeof value === 'boolean') return value;
  if (!isObject(value)) throw unsupported('a schema that is neither an object nor a boolean');
  const reader = new KeywordReader(value);
  return reader.keywords();
}

class KeywordReader {
  private readonly unread: Set<RegoValue>;

  constructor(private readonly schema: RegoObject) {
    this.unread = new Set(schema.keys.filter((key) => !ANNOTATIONS.includes(key as string)));
  }

  keywords(): Keywords {
    const keywords: Keywords = {
      types: this.types(),
      properties: this.named('properties').map(([name, schema]) => [name, compileSchema(schema)]),
      patternProperties: this.named('patternProperties').map(([pattern, schema]) => [
        compilePattern(pattern),
        compileSchema(schema),
      ]),
      additionalProperties: this.schemaAt('additionalProperties') ?? true,
      required: this.texts('required'),
      minProperties: this.count('minProperties'),
      maxProperties: this.count('maxProperties'),
      items: this.schemaAt('items'),
      minItems: this.count('minItems'),
      maxItems: this.count('maxItems'),
      uniqueItems: this.read('uniqueItems', (value) => (typeof value === 'boolean' ? value : undefined)) ?? false,
      enum: this.read('enum', (value) => (Array.isArray(value) ? value : undefined)),
      const: this.read('const', (value) => value),
      minLength: this.count('minLength'),
      maxLength: this.count('maxLength'),
      pattern: this.read('pattern', (value) =>
        typeof value === 'string' ? { text: value, expression: compilePattern(value) } : undefined,
      ),
      minimum: this.number('minimum'),
      maximum: this.number('maximum'),
      exclusiveMinimum: this.number('exclusiveMinimum'),
      exclusiveMaximum: this.number('exclusiveMaximum'),
      allOf: this.schemas('allOf'),
      anyOf: this.schemas('anyOf'),
      oneOf: this.schemas('oneOf'),
      not: this.schemaAt('not'),
    };
    const [unknown] = this.unread;
    if (unknown !== undefined) throw unsupported(`the keyword ${String(unknown)}`);
    return keywords;
  }

  /** @param of undefined where the keyword's value is of a wrong type */
  private read<T>(keyword: string, of: (value: RegoValue) => T | undefined): T | undefined {
    this.unread.delete(keyword);
    const value = this.schema.get(keyword);
    if (value === undefined) return undefined;
    const read = of(value);
    if (read === undefined) throw unsupported(`${keyword} as ${typeName(value)}`);
    return read;
  }

  private types(): string[] {
    const types = this.read('type', (value) => (Array.isArray(value) ? value : [value])) ?? [];
    for (const [index, type] of types.entries()) {
      if (typeof type !== 'string') throw unsupported('a type that is no text');
      if (!JSON_TYPES.includes(type)) {
        const expected = `Expected valid values are:[${JSON_TYPES.join(' ')}]`;
        throw new BuiltinError(`has a primitive type that is NOT VALID -- given: /${type}/ ${expected}`);
      }
      if (types.indexOf(type) !== index) throw new BuiltinError(`${type} type is duplicated`);
    }
    return types as string[];
  }

  private named(keyword: string): [string, RegoValue][] {
    const entries = this.read(keyword, (value) => (isObject(value) ? value.entries : undefined)) ?? [];
    return entries.map(([name, schema]) => [String(name), schema]);
  }

  private texts(keyword: string): string[] {
    return (
      this.read(keyword, (value) => {
        const isTexts = Array.isArray(value) && value.every((item) => typeof item === 'string');
        return isTexts ? (value as string[]) : undefined;
      }) ?? []
    );
  }

  private count(keyword: string): number | undefined {
    return this.read(keyword, (value) => {
      const count = isNumber(value) ? toIndex(value) : undefined;
      return count !== undefined && count >= 0 ? count : undefined;
    });
  }

  private number(keyword: string): RegoNumber | undefined {
    return this.read(keyword, (value) => (isNumber(value) ? value : undefined));
  }

  private schemaAt(keyword: string): Schema | undefined {
    return this.read(keyword, (value) => compileSchema(value));
  }

  private schemas(keyword: string): Schema[] {
    return this.read(keyword, (value) => (Array.isArray(value) ? value.map(compileSchema) : undefined)) ?? [];
  }
}

export function unsupported(what: string): SchemaUnsupportedError {
  return new SchemaUnsupportedError(`JSON schemas: ${what} is not supported here`);
}
