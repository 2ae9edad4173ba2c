import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'lossless-json';
import { FailureType, GateError, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonSchema } from '../../kernel/json';
import { parseJsonText } from '../../platform/documents/json-text';
import { schemaFault } from '../analysis/value-schema';
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

/** @throws GateError PolicyInvalid when the folder cannot be read or holds no Rego */
export async function readPolicyFolder(dir: string): Promise<PolicyFolder> {
  const names = await readdir(dir, { recursive: true }).catch((error: Error) => {
    throw new GateError(FailureType.PolicyInvalid, `Expected a policy folder at ${dir}: ${error.message}`, undefined, {
      cause: error,
    });
  });
  const regoFiles = names.filter((name) => name.endsWith('.rego') && !name.endsWith('_test.rego')).sort();
  if (regoFiles.length === 0)
    throw new GateError(FailureType.PolicyInvalid, `Expected Rego files in ${dir}, found none`);
  const schemas = new Map<string, Uint8Array>();
  const folder: PolicyFolder = { regoFiles, emptyTests: [], schemas, faults: [] };
  for (const name of names.filter((path) => path.endsWith('_test.rego')).sort()) {
    // As opa test finds them; todo_test_ is one that is skipped.
    if (!/^\s*(todo_)?test_/m.test(await readFile(join(dir, name), 'utf8'))) folder.emptyTests.push(name);
  }
  const fault = (where: string, what: string): void =>
    void folder.faults.push({ type: FailureType.PolicyInvalid, message: `${where}: ${what}`, where });

  for (const name of names.filter((path) => path.split(/[\\/]/).at(-1) === 'data.json').sort()) {
    try {
      parse(await readFile(join(dir, name), 'utf8'));
    } catch (error) {
      fault(name, `expected JSON: ${(error as Error).message}`);
    }
  }
  for (const name of ['input.json', ...SCHEMA_FILES]) {
    if (!names.includes(name)) continue;
    const bytes = await readFile(join(dir, name));
    try {
      const schema = parseJsonText(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
      if (!isJsonObject(schema)) throw new TypeError('found another value than an object');
      const wrong = name === 'input.json' ? undefined : schemaFault(schema);
      if (wrong !== undefined) throw new TypeError(wrong);
      const field = FIELDS[name];
      if (field !== undefined) folder[field] = schema;
      schemas.set(name, new Uint8Array(bytes));
    } catch (error) {
      fault(name, `expected a JSON Schema: ${(error as Error).message}`);
    }
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
