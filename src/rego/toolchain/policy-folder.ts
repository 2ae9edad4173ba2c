import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'lossless-json';
import { FailureType, GateError, type Fault } from '../../kernel/failures';
import { placeText } from '../../kernel/fault-text';
import { isJsonObject, type JsonSchema, type JsonValue } from '../../kernel/json';
import { whyUnread } from '../../kernel/why-unread';
import { placeInJson } from '../../platform/documents/json-places';
import { jsonSyntaxFault, JsonTextError, parseJsonText } from '../../platform/documents/json-text';
import { factSchemaComplaints, schemaComplaints } from '../analysis/schema-complaints';
import { SCHEMA_FILES } from '../bundle/bundle';
import { opaFaults, runOpa } from './opa';

/** A policy's folder as its author keeps it. */
export interface PolicyFolder {
  /** paths relative to the folder, ordered; tests are not among them */
  regoFiles: string[];
  /** files of tests in which there is none */
  emptyTests: string[];
  /** parsed input.json; absent when there is none */
  inputSchema?: JsonSchema;
  /** parsed attributes.json and stage_attributes.json, where given */
  attributesSchema?: JsonSchema;
  stageAttributesSchema?: JsonSchema;
  /** the place in a schema of what a JSON Pointer names, `input.json:3:5` */
  placeOf(name: string, pointer: string): string;
  /** the bytes of input.json and of the other schemas, by name */
  schemas: ReadonlyMap<string, Uint8Array>;
  /** a data file that is no JSON, a schema that is no JSON object */
  faults: Fault[];
}

const FIELDS: Partial<Record<string, 'inputSchema' | 'attributesSchema' | 'stageAttributesSchema'>> = {
  'input.json': 'inputSchema',
  'attributes.json': 'attributesSchema',
  'stage_attributes.json': 'stageAttributesSchema',
};

/**
 * The files below a policy's folder, relative to it. Each command that runs `opa` in a folder asks this first: `opa` is not
 * found in a folder that is not there, as the system says it.
 *
 * @throws GateError PolicyInvalid when the folder cannot be read or holds no Rego, not even tests
 */
export async function policyFiles(dir: string): Promise<string[]> {
  const names = await readdir(dir, { recursive: true }).catch((cause: unknown) => {
    const why = (cause as NodeJS.ErrnoException).code === 'ENOTDIR' ? 'it is no folder' : whyUnread(cause);
    throw invalid(`Expected a policy folder at ${dir}, but ${why}`, cause);
  });
  if (!names.some((name) => name.endsWith('.rego'))) throw withoutRego(dir);
  return names;
}

const withoutRego = (dir: string): GateError => invalid(`Expected Rego files in ${dir}, found none`);

const invalid = (message: string, cause?: unknown): GateError =>
  new GateError(FailureType.PolicyInvalid, message, undefined, { cause });

/** @throws GateError PolicyInvalid when the folder cannot be read or holds no Rego */
export async function readPolicyFolder(dir: string): Promise<PolicyFolder> {
  const names = await policyFiles(dir);
  const regoFiles = names.filter((name) => name.endsWith('.rego') && !name.endsWith('_test.rego')).sort();
  if (regoFiles.length === 0) throw withoutRego(dir);
  const schemas = new Map<string, Uint8Array>();
  const placeOf = (name: string, pointer: string): string => {
    const bytes = schemas.get(name);
    if (bytes === undefined) return name;
    const { line, column } = placeInJson(Buffer.from(bytes).toString('utf8'), pointer);
    return placeText(name, line, column);
  };
  const folder: PolicyFolder = { regoFiles, emptyTests: [], placeOf, schemas, faults: [] };
  for (const name of names.filter((path) => path.endsWith('_test.rego')).sort()) {
    // As opa test finds them; todo_test_ is one that is skipped.
    if (!/^\s*(todo_)?test_/m.test(await readFile(join(dir, name), 'utf8'))) folder.emptyTests.push(name);
  }
  const fault = (where: string, what: string): void =>
    void folder.faults.push({ type: FailureType.PolicyInvalid, message: `${where}: ${what}`, where });

  for (const name of names.filter((path) => path.split(/[\\/]/).at(-1) === 'data.json').sort()) {
    const text = await readFile(join(dir, name), 'utf8');
    try {
      parse(text);
    } catch (error) {
      const { sentence, line, column } = jsonSyntaxFault(text);
      fault(placeText(name, line, column), line === undefined ? `${sentence}: ${(error as Error).message}` : sentence);
    }
  }
  for (const name of ['input.json', ...SCHEMA_FILES]) {
    if (!names.includes(name)) continue;
    const bytes = await readFile(join(dir, name));
    let schema: JsonValue;
    try {
      schema = parseJsonText(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch (error) {
      if (!(error instanceof JsonTextError)) fault(name, 'expected text in UTF-8, found another encoding');
      else for (const { sentence, line, column } of error.faults) fault(placeText(name, line, column), sentence);
      continue;
    }
    schemas.set(name, new Uint8Array(bytes));
    if (!isJsonObject(schema)) {
      fault(placeOf(name, ''), 'expected a JSON Schema, found another value than an object');
      continue;
    }
    const complaints = name === 'input.json' ? factSchemaComplaints(schema) : schemaComplaints(schema);
    for (const { what, pointer } of complaints) {
      fault(placeOf(name, pointer), `expected a JSON Schema (draft 2020-12), found: ${what}`);
    }
    const field = FIELDS[name];
    if (field !== undefined && complaints.length === 0) folder[field] = schema;
  }
  return folder;
}

/** The syntax tree of one file. */
export async function parseRego(dir: string, file: string): Promise<{ tree?: unknown; faults: Fault[] }> {
  const result = await runOpa(dir, ['parse', '--format', 'json', '--json-include', 'locations', file]);
  if (result.code === 0) return { tree: JSON.parse(result.stdout), faults: [] };
  const faults = opaFaults(result);
  return {
    faults: faults.some(({ message }) => V0.test(message)) ? [oldSyntax(file, faults[0]!), ...faults.slice(1)] : faults,
  };
}

/** What OPA says of a file that was written before OPA 1.0. */
const V0 = /`(?:if|contains)` keyword is required/;

function oldSyntax(file: string, fault: Fault): Fault {
  return { ...fault, message: `${fault.message}; this is Rego v0, which opa fmt --v0-v1 --write ${file} converts` };
}
