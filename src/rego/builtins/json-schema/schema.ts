import type { RE2JS } from 're2js';
import { BuiltinError } from '../builtin';
import { compile as compilePattern } from '../regex-matches';
import { decimalOf, isNumber, numberText, toBigInt, toInt64, type RegoNumber } from '../../values/number';
import type { RegoObject } from '../../values/rego-object';
import { isObject, type RegoValue } from '../../values/value';
import { marshalled } from './marshalled';

/** A compiled schema. */
export interface Schema {
  /** `true` or `false` in place of a schema */
  pass?: boolean;
  /** what `$ref` names; all else in the schema then counts for nothing */
  target?: Schema;
  types: string[];
  properties: [name: string, schema: Schema][];
  patternProperties: [pattern: RE2JS, schema: Schema][];
  additionalProperties?: Schema | boolean;
  propertyNames?: Schema;
  dependencies: Map<string, string[] | Schema>;
  required: string[];
  minProperties?: number;
  maxProperties?: number;
  /** for each item, or in their order */
  items?: Schema | Schema[];
  additionalItems?: Schema | boolean;
  contains?: Schema;
  minItems?: number;
  maxItems?: number;
  uniqueItems: boolean;
  /** as JSON */
  enum?: string[];
  const?: string;
  format?: string;
  minLength?: number;
  maxLength?: number;
  pattern?: { text: string; expression: RE2JS };
  multipleOf?: RegoNumber;
  minimum?: RegoNumber;
  maximum?: RegoNumber;
  exclusiveMinimum?: RegoNumber;
  exclusiveMaximum?: RegoNumber;
  allOf: Schema[];
  anyOf: Schema[];
  oneOf: Schema[];
  not?: Schema;
  if?: Schema;
  then?: Schema;
  else?: Schema;
}

/** A reference that is not supported here: the evaluation stops, where an answer of our own might differ from OPA's. */
export class SchemaUnsupportedError extends Error {
  override readonly name = 'SchemaUnsupportedError';
}

export function unsupported(what: string): SchemaUnsupportedError {
  return new SchemaUnsupportedError(`JSON schemas: ${what} is not supported here`);
}

export const JSON_TYPES = ['array', 'boolean', 'integer', 'number', 'null', 'object', 'string'];

const DRAFT = { four: 4, six: 6, seven: 7, hybrid: Infinity } as const;
const DRAFT_URL = /^http:\/\/json-schema\.org\/draft-0([467])\/schema#?$/;
const VALID_SCHEMA = 'Valid Schema';

/** @throws BuiltinError where OPA refuses the schema, in its words; SchemaUnsupportedError for a remote reference */
export function compileSchema(root: RegoValue): Schema {
  return new Compiler(root).compile();
}

class Compiler {
  /** by `$ref`, so that a schema may refer to itself */
  private readonly targets = new Map<string, Schema>();
  private draft: number = DRAFT.hybrid;

  constructor(private readonly root: RegoValue) {}

  compile(): Schema {
    if (typeof this.root !== 'boolean' && !isObject(this.root)) throw new BuiltinError('schema is invalid');
    if (isObject(this.root)) {
      const url = this.root.get('$schema');
      if (url !== undefined && typeof url !== 'string') throw new BuiltinError('$schema must be of type string');
      const [, draft] = DRAFT_URL.exec(url ?? '') ?? [];
      if (draft !== undefined) this.draft = Number(draft);
      checkIdentifiers(this.root);
    }
    return this.schema(this.root, createSchema());
  }

  /** @param schema filled while it is read, since it may be referred to from inside */
  private schema(value: RegoValue, schema: Schema): Schema {
    if (typeof value === 'boolean' && this.draft >= DRAFT.six) {
      schema.pass = value;
      return schema;
    }
    if (!isObject(value)) throw new BuiltinError(`Expected: ${VALID_SCHEMA}, given: Invalid JSON`);
    textAt(value, this.draft === DRAFT.four || value.has('id') ? 'id' : '$id');
    this.definitions(value.get('definitions'));
    textAt(value, 'title');
    textAt(value, 'description');
    const reference = textAt(value, '$ref');
    if (reference !== undefined) {
      schema.target = this.target(reference);
      return schema;
    }
    this.ofAnyValue(value, schema);
    this.ofObjects(value, schema);
    this.ofArrays(value, schema);
    ofNumbers(value, schema, this.draft);
    ofTexts(value, schema);
    ofSizes(value, schema);
    this.choices(value, schema);
    this.combinations(value, schema);
    return schema;
  }

  private part(value: RegoValue): Schema {
    return this.schema(value, createSchema());
  }

  private definitions(value: RegoValue | undefined): void {
    if (value === undefined) return;
    const entries = isObject(value) ? value.entries : undefined;
    if (!entries?.every(([, item]) => isSchema(item))) throw invalidType('Array Of Schemas', 'definitions');
    for (const [, item] of entries) this.part(item);
  }

  private target(reference: string): Schema {
    const known = this.targets.get(reference);
    if (known) return known;
    if (!reference.startsWith('#')) throw unsupported(`the reference ${reference}`);
    const target = createSchema();
    this.targets.set(reference, target);
    const found = find(this.root, reference.slice(1));
    if (!isSchema(found)) throw new BuiltinError(`${VALID_SCHEMA} must be of type object`);
    return this.schema(found, target);
  }

  private ofAnyValue(value: RegoObject, schema: Schema): void {
    const type = value.get('type');
    if (type === undefined) return;
    const types = Array.isArray(type) ? type : [type];
    for (const name of types) {
      if (typeof name !== 'string') throw invalidType('type', 'string/Array Of Strings');
      if (!JSON_TYPES.includes(name)) {
        const expected = `Expected valid values are:[${JSON_TYPES.join(' ')}]`;
        throw new BuiltinError(`has a primitive type that is NOT VALID -- given: /${name}/ ${expected}`);
      }
      if (schema.types.includes(name)) throw new BuiltinError(`${name} type is duplicated`);
      schema.types.push(name);
    }
  }

  private ofObjects(value: RegoObject, schema: Schema): void {
    const properties = value.get('properties');
    if (properties !== undefined) {
      if (!isObject(properties)) throw new BuiltinError('Properties must be of type object');
      schema.properties = properties.entries.map(([name, item]) => [String(name), this.part(item)]);
    }
    schema.additionalProperties = this.additional(value, 'additionalProperties');
    const patterns = value.get('patternProperties');
    if (patterns !== undefined) {
      if (!isObject(patterns)) throw invalidType(VALID_SCHEMA, 'patternProperties');
      schema.patternProperties = patterns.entries.map(([pattern, item]) => [
        expressionOf(String(pattern), `Invalid regex pattern '${String(pattern)}'`),
        this.part(item),
      ]);
    }
    const names = value.get('propertyNames');
    if (names !== undefined && this.draft >= DRAFT.six) {
      if (!isSchema(names)) throw invalidType(VALID_SCHEMA, 'patternProperties');
      schema.propertyNames = this.part(names);
    }
    this.dependencies(value.get('dependencies'), schema);
  }

  private additional(value: RegoObject, keyword: string): Schema | boolean | undefined {
    const additional = value.get(keyword);
    if (additional === undefined || typeof additional === 'boolean') return additional;
    if (!isObject(additional)) throw invalidType(`boolean/${VALID_SCHEMA}`, keyword);
    return this.part(additional);
  }

  private dependencies(value: RegoValue | undefined, schema: Schema): void {
    if (value === undefined) return;
    if (!isObject(value)) throw new BuiltinError('dependencies must be of type object');
    for (const [name, item] of value.entries) {
      if (isSchema(item)) schema.dependencies.set(String(name), this.part(item));
      else if (Array.isArray(item) && item.every((text) => typeof text === 'string')) {
        schema.dependencies.set(String(name), item as string[]);
      } else throw new BuiltinError('Dependency must be of type Schema Or Array Of Strings');
    }
  }

  private ofArrays(value: RegoObject, schema: Schema): void {
    const items = value.get('items');
    const wrongItems = () => invalidType(`${VALID_SCHEMA}/Array Of Schemas`, 'items');
    if (Array.isArray(items)) {
      schema.items = items.map((item) => {
        if (!isSchema(item)) throw wrongItems();
        return this.part(item);
      });
    } else if (items !== undefined) {
      if (!isSchema(items)) throw wrongItems();
      schema.items = this.part(items);
    }
    schema.additionalItems = this.additional(value, 'additionalItems');
  }

  private choices(value: RegoObject, schema: Schema): void {
    const contains = value.get('contains');
    if (contains !== undefined && this.draft >= DRAFT.six) schema.contains = this.part(contains);
    const constant = value.get('const');
    if (constant !== undefined && this.draft >= DRAFT.six) schema.const = marshalled(constant);
    const choices = listAt(value, 'enum');
    if (choices === undefined) return;
    schema.enum = choices.map(marshalled);
    if (new Set(schema.enum).size < choices.length) throw new BuiltinError('enum items must be unique');
  }

  private combinations(value: RegoObject, schema: Schema): void {
    for (const keyword of ['oneOf', 'anyOf', 'allOf'] as const) {
      schema[keyword] = (listAt(value, keyword) ?? []).map((item) => this.part(item));
    }
    const conditions = this.draft >= DRAFT.seven ? (['if', 'then', 'else'] as const) : [];
    for (const keyword of ['not', ...conditions] as const) {
      const item = value.get(keyword);
      if (item === undefined) continue;
      if (!isSchema(item)) throw new BuiltinError(`${keyword} must be of an object`);
      schema[keyword] = this.part(item);
    }
  }
}

function createSchema(): Schema {
  return {
    ...{ types: [], properties: [], patternProperties: [], dependencies: new Map(), required: [], uniqueItems: false },
    ...{ allOf: [], anyOf: [], oneOf: [] },
  };
}

const isSchema = (value: RegoValue | undefined) => typeof value === 'boolean' || isObject(value);

function invalidType(expected: string, given: string): BuiltinError {
  return new BuiltinError(`Invalid type. Expected: ${expected}, given: ${given}`);
}

function textAt(value: RegoObject, keyword: string): string | undefined {
  const text = value.get(keyword);
  if (text !== undefined && typeof text !== 'string') throw invalidType('string', keyword);
  return text;
}

function listAt(value: RegoObject, keyword: string): RegoValue[] | undefined {
  const list = value.get(keyword);
  if (list !== undefined && !Array.isArray(list)) throw new BuiltinError(`${keyword} must be of an array`);
  return list;
}

function countAt(value: RegoObject, keyword: string): number | undefined {
  const count = value.get(keyword);
  if (count === undefined) return undefined;
  // `2.0` is no count
  const isWritten = isNumber(count) && /^-?\d+$/.test(numberText(count));
  const integer = isWritten ? toInt64(count) : undefined;
  if (integer === undefined) throw new BuiltinError(`${keyword} must be of an integer`);
  if (integer < 0n) throw new BuiltinError(`${keyword} must be greater than or equal to 0`);
  return Number(integer);
}

function expressionOf(pattern: string, problem: string): RE2JS {
  try {
    return compilePattern(pattern);
  } catch (error) {
    if (error instanceof BuiltinError) throw new BuiltinError(problem, { cause: error });
    throw error;
  }
}

function ofNumbers(value: RegoObject, schema: Schema, draft: number): void {
  const multiple = value.get('multipleOf');
  if (multiple !== undefined) {
    if (!isNumber(multiple)) throw invalidType('Number', 'multipleOf');
    const { digits, negative } = decimalOf(multiple);
    if (digits === '' || negative) throw new BuiltinError('multipleOf must be strictly greater than 0');
    schema.multipleOf = multiple;
  }
  limits(value, schema, 'minimum', 'exclusiveMinimum', draft);
  limits(value, schema, 'maximum', 'exclusiveMaximum', draft);
}

/** Before draft 6 an exclusive limit is a flag beside the limit; without a draft it may be either. */
function limits(
  value: RegoObject,
  schema: Schema,
  limit: 'minimum' | 'maximum',
  exclusive: 'exclusiveMinimum' | 'exclusiveMaximum',
  draft: number,
): void {
  const size = value.get(limit);
  if (size !== undefined && !isNumber(size)) throw new BuiltinError(`${limit} must be of a Number`);
  schema[limit] = size;
  const given = value.get(exclusive);
  if (given === undefined) return;
  const [asFlag, asNumber] = [draft === DRAFT.four || draft === DRAFT.hybrid, draft !== DRAFT.four];
  if (isNumber(given) && asNumber) {
    schema[exclusive] = given;
    return;
  }
  if (typeof given !== 'boolean' || !asFlag) {
    throw invalidType([asFlag && 'boolean', asNumber && 'number'].filter(Boolean).join('/'), exclusive);
  }
  if (size === undefined) throw new BuiltinError(`${exclusive} cannot be used without ${limit}`);
  if (!given) return;
  schema[exclusive] = size;
  schema[limit] = undefined;
}

function ofTexts(value: RegoObject, schema: Schema): void {
  schema.minLength = countAt(value, 'minLength');
  schema.maxLength = countAt(value, 'maxLength');
  checkOrder(schema, 'minLength', 'maxLength');
  const pattern = textAt(value, 'pattern');
  if (pattern !== undefined) {
    schema.pattern = { text: pattern, expression: expressionOf(pattern, 'pattern must be a valid regex') };
  }
  schema.format = textAt(value, 'format');
}

function ofSizes(value: RegoObject, schema: Schema): void {
  schema.minProperties = countAt(value, 'minProperties');
  schema.maxProperties = countAt(value, 'maxProperties');
  checkOrder(schema, 'minProperties', 'maxProperties');
  for (const name of listAt(value, 'required') ?? []) {
    if (typeof name !== 'string') throw invalidType('string', 'required');
    if (schema.required.includes(name)) throw new BuiltinError('required items must be unique');
    schema.required.push(name);
  }
  schema.minItems = countAt(value, 'minItems');
  schema.maxItems = countAt(value, 'maxItems');
  const unique = value.get('uniqueItems');
  if (unique !== undefined && typeof unique !== 'boolean') throw new BuiltinError('uniqueItems must be of a boolean');
  schema.uniqueItems = unique ?? false;
}

function checkOrder(schema: Schema, least: 'minLength' | 'minProperties', most: 'maxLength' | 'maxProperties'): void {
  if ((schema[least] ?? 0) > (schema[most] ?? Infinity)) {
    throw new BuiltinError(`${least} cannot be greater than ${most}`);
  }
}

/** What a JSON Pointer in a fragment finds; a fragment that is no pointer names the whole. */
function find(root: RegoValue, fragment: string): RegoValue {
  let value = root;
  const pointer = decodeFragment(fragment);
  if (!pointer.startsWith('/')) return root;
  for (const written of pointer.slice(1).split('/')) {
    const token = written.replaceAll('~1', '/').replaceAll('~0', '~');
    const next = isObject(value) ? value.get(token) : Array.isArray(value) ? itemAt(value, token) : undefined;
    if (next === undefined) throw new BuiltinError(`Object has no key '${token}'`);
    value = next;
  }
  return value;
}

const itemAt = (list: RegoValue[], token: string) => (/^[-+]?\d+$/.test(token) ? list[Number(token)] : undefined);

function decodeFragment(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch (cause) {
    throw new BuiltinError(`invalid URL escape in ${JSON.stringify(fragment)}`, { cause });
  }
}

/** Identifiers change what references mean: where both are there, the evaluation stops. */
function checkIdentifiers(root: RegoValue): void {
  let [identifiers, references] = [0, 0];
  const pending: RegoValue[] = [root];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (Array.isArray(value)) pending.push(...value);
    if (!isObject(value)) continue;
    for (const [key, item] of value.entries) {
      if (typeof item !== 'string') pending.push(item);
      else if (key === 'id' || key === '$id') identifiers++;
      else if (key === '$ref') references++;
    }
  }
  if (identifiers > 1 || (identifiers === 1 && references > 0)) throw unsupported('an $id beside others or a $ref');
}

/** 2.0 is an integer. */
export function isInteger(value: RegoNumber): boolean {
  return toBigInt(value) !== undefined;
}
