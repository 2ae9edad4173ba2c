import type { Static, TSchema } from './typebox';
import type { ErrorObject } from 'ajv';
import { FailureType, faultsToError, type Fault } from '../../kernel/failures';
import { placeText } from '../../kernel/fault-text';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { closeName } from './close-name';
import { escapePointer } from '../../kernel/json-pointer';
import { documentCheck } from './document-check';
import { deepFreeze, describeKind, displayPath, toJsonDocument } from './json-document';

/** Where a document was found, for what is said about its faults. */
export interface DocumentPlace {
  file: string;
  /** the line of a JSON Pointer, from 1, or of the nearest thing around it */
  lineOf?(pointer: string): number | undefined;
  /** the column in that line, from 1 */
  columnOf?(pointer: string): number | undefined;
}

/** The place of a part of a document: what is said of its faults has the lines of the whole. */
export function placeBelow({ file, lineOf, columnOf }: DocumentPlace, pointer: string): DocumentPlace {
  return {
    file,
    lineOf: (below) => lineOf?.(`${pointer}${below}`),
    columnOf: (below) => columnOf?.(`${pointer}${below}`),
  };
}

/**
 * A frozen copy of `document` with the schema's defaults filled in.
 *
 * @throws GateError ConfigInvalid with every fault: keys that the schema does not know, missing and mistyped ones, and what
 *   `toJsonDocument` refuses. Each message says where, what was expected and what was found; it holds no text found where
 *   a secret may be
 */
export function validate<S extends TSchema>(schema: S, document: JsonValue, where: DocumentPlace): Static<S>;
export function validate<T>(schema: TSchema, document: JsonValue, where: DocumentPlace): T;
export function validate(schema: TSchema, document: JsonValue, where: DocumentPlace): unknown {
  const { document: checked, faults } = checkDocument(schema, document);
  if (faults.length === 0) return deepFreeze(checked);
  throw faultsToError(faults.map(({ pointer, sentence }) => faultAt(where, pointer, sentence)));
}

/** One thing that is wrong in a document: where, and what was expected and found there. */
export interface SchemaFault {
  /** a JSON Pointer (RFC 6901) */
  pointer: string;
  /** begins in lower case; holds no text found where a secret may be */
  sentence: string;
}

/**
 * A copy of `document` with the schema's defaults filled in, and every fault that `validate` would throw, each once. For
 * documents whose faults are data: an API answers with them.
 */
export function checkDocument(
  schema: TSchema,
  document: JsonValue,
): { document: JsonValue; faults: readonly SchemaFault[] } {
  const { document: copy, faults } = toJsonDocument(document);
  if (faults.length > 0) {
    const sentences = faults.map(({ pointer, expected, found }) => ({
      pointer,
      sentence: `expected ${displayPath(pointer)} to be ${expected}, got ${found}`,
    }));
    return { document: copy, faults: sentences };
  }
  const check = documentCheck(schema);
  if (check(copy)) return { document: copy, faults: [] };
  return { document: copy, faults: unique(withoutBranches(check.errors ?? []).map(toFault)) };
}

/** One fault at a JSON Pointer, worded like the ones that `validate` finds. `sentence` begins in lower case. */
export function faultAt(where: DocumentPlace, pointer: string, sentence: string): Fault {
  const file = placeText(where.file, where.lineOf?.(pointer), where.columnOf?.(pointer));
  const place = pointer === '' ? file : `${file} ${displayPath(pointer)}`;
  return { type: FailureType.ConfigInvalid, message: `${file}: ${sentence}`, where: place };
}

/**
 * A value that fits no branch of a union is one fault, not one for each branch; but where only one branch takes values of
 * its kind, what is wrong by that branch is told. What a condition (`if`) asks for is told by the fault within.
 */
function withoutBranches(errors: readonly ErrorObject[]): ErrorObject[] {
  const told = new Set(errors.filter(({ keyword }) => keyword !== 'if'));
  for (const [place, union] of errors.entries()) {
    if (union.keyword !== 'anyOf') continue;
    const branches = branchesBefore(errors, place);
    const ofItsKind = branches.filter((branch) => !branch.some((each) => saysKind(each, union)));
    const [only] = ofItsKind.length === 1 ? ofItsKind : [];
    for (const branch of branches) if (branch !== only) branch.forEach((error) => told.delete(error));
    if (only !== undefined) told.delete(union);
  }
  return [...told];
}

/** What is wrong by each branch of a union that is at a place: Ajv tells it right before, and nothing of other values between. */
function branchesBefore(errors: readonly ErrorObject[], place: number): ErrorObject[][] {
  const { schemaPath, instancePath } = errors[place]!;
  const branches = new Map<string, ErrorObject[]>();
  for (let at = place - 1; at >= 0; at -= 1) {
    const error = errors[at]!;
    if (!`${error.instancePath}/`.startsWith(`${instancePath}/`)) break;
    if (!error.schemaPath.startsWith(`${schemaPath}/`)) continue;
    const [index = ''] = error.schemaPath.slice(schemaPath.length + 1).split('/', 1);
    const branch = branches.get(index);
    if (branch === undefined) branches.set(index, [error]);
    else branch.push(error);
  }
  return [...branches.values()];
}

/** Whether an error says that the value of a union is of another kind than a branch takes. */
function saysKind({ keyword, instancePath }: ErrorObject, union: ErrorObject): boolean {
  return instancePath === union.instancePath && ['type', 'const', 'enum', 'not', 'anyOf'].includes(keyword);
}

function unique(faults: readonly SchemaFault[]): SchemaFault[] {
  return [...new Map(faults.map((fault) => [`${fault.pointer} ${fault.sentence}`, fault])).values()];
}

function toFault(error: ErrorObject): SchemaFault {
  const { instancePath, data } = error;
  const params = error.params as JsonObject;
  const path = displayPath(instancePath);
  const expected = (what: string, found: string, pointer = instancePath): SchemaFault => ({
    pointer,
    sentence: `expected ${displayPath(pointer)} to be ${what}, got ${found}`,
  });

  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      const pointer = `${instancePath}/${escapePointer(key)}`;
      const { properties = {}, patternProperties } = error.parentSchema as Record<string, JsonObject>;
      if (patternProperties !== undefined) {
        const [pattern] = Object.keys(patternProperties);
        return { pointer, sentence: `expected the keys of ${path} to match ${pattern}, got ${show(key)}` };
      }
      return { pointer, sentence: `unknown key ${key} in ${path}; ${suggest(key, Object.keys(properties))}` };
    }
    case 'required': {
      const key = String(params.missingProperty);
      return { pointer: instancePath, sentence: `expected ${path} to have the key ${key}, but it is missing` };
    }
    case 'discriminator': {
      const tags = tagsOf(error.parentSchema as JsonObject);
      const pointer = `${instancePath}/type`;
      const tag = params.tagValue;
      const hint = typeof tag === 'string' ? closeName(tag, tags) : undefined;
      const found = tag === undefined ? 'nothing' : typeof tag === 'string' ? show(tag) : describeKind(tag);
      return expected(oneOf(tags) + (hint === undefined ? '' : ` (did you mean ${hint}?)`), found, pointer);
    }
    case 'enum':
      return expected(oneOf(params.allowedValues as JsonValue[]), show(data));
    case 'type':
      return expected(kindOf(params.type), describeKind(data));
    case 'anyOf':
      return expected((error.schema as JsonObject[]).map(describeBranch).join(' or '), describeKind(data));
    case 'pattern': {
      const { description } = error.parentSchema as { description?: string };
      return expected(description ?? `a text that matches ${String(params.pattern)}`, show(data));
    }
    case 'minLength':
      return expected('a text that is not empty', show(data));
    case 'maxLength':
      return expected(`at most ${String(params.limit)} characters`, `${(data as string).length}`);
    case 'const':
      return expected(show(params.allowedValue), show(data));
    case 'uniqueItems':
      return expected('a list without repetitions', `item ${String(params.j)} twice`);
    case 'false schema': {
      const key = instancePath.slice(instancePath.lastIndexOf('/') + 1);
      return { pointer: instancePath, sentence: `expected no key ${key} here, got ${describeKind(data)}` };
    }
    default:
      // minimum, maximum, minItems, maxItems
      return expected(boundOf(error), Array.isArray(data) ? `${data.length} items` : show(data));
  }
}

function boundOf({ keyword, params, message }: ErrorObject): string {
  const limit = String((params as { limit?: unknown }).limit);
  const bounds: Record<string, string> = {
    minimum: `at least ${limit}`,
    maximum: `at most ${limit}`,
    minItems: `a list of at least ${limit}`,
    maxItems: `a list of at most ${limit}`,
  };
  return bounds[keyword] ?? message ?? keyword;
}

function suggest(key: string, known: readonly string[]): string {
  const close = closeName(key, known);
  return close === undefined ? `known are ${known.join(', ')}` : `did you mean ${close}?`;
}

function tagsOf(schema: JsonObject): string[] {
  return (schema.oneOf as { properties: { type: { const: string } } }[]).map((branch) => branch.properties.type.const);
}

function oneOf(values: readonly JsonValue[]): string {
  return values.length === 1 ? show(values[0]) : `one of ${values.map((value) => String(value)).join(', ')}`;
}

function kindOf(type: unknown): string {
  switch (type) {
    case 'string':
      return 'a text';
    case 'integer':
      return 'a whole number';
    case 'boolean':
      return 'true or false';
    case 'object':
    case 'array':
      return `an ${type}`;
    default:
      return `a ${String(type)}`;
  }
}

function describeBranch(branch: JsonObject): string {
  const keys = Object.keys((branch.properties as JsonObject | undefined) ?? {});
  return keys.length === 0 ? kindOf(branch.type) : `{ ${keys.map((key) => `${key}: …`).join(', ')} }`;
}

function show(value: unknown): string {
  if (typeof value === 'object') return describeKind(value);
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
