import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'lossless-json';
import { FailureType, GateError, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonSchema } from '../../kernel/json';
import { parseNumber } from '../analysis/source-faults';
import { opaFaults, runOpa } from './opa';

/** A policy's folder as its author keeps it. */
export interface PolicyFolder {
  /** paths relative to the folder, ordered; tests are not among them */
  regoFiles: string[];
  /** parsed input.json; absent when there is none */
  inputSchema?: JsonSchema;
  inputSchemaBytes?: Uint8Array;
  /** every number that wasm would round in data.json files, and an input.json that is no JSON object */
  faults: Fault[];
}

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
  const folder: PolicyFolder = { regoFiles, faults: [] };
  const fault = (where: string, what: string): void =>
    void folder.faults.push({ type: FailureType.PolicyInvalid, message: `${where}: ${what}`, where });

  for (const name of names.filter((path) => path.split(/[\\/]/).at(-1) === 'data.json').sort()) {
    try {
      parse(await readFile(join(dir, name), 'utf8'), null, (text) => {
        const value = parseNumber(text);
        if (typeof value !== 'number') fault(name, `number ${text} is 2^53 or more and would be rounded in wasm`);
        return value;
      });
    } catch (error) {
      fault(name, `expected JSON: ${(error as Error).message}`);
    }
  }
  if (names.includes('input.json')) {
    const bytes = await readFile(join(dir, 'input.json'));
    try {
      const schema: unknown = JSON.parse(bytes.toString('utf8'));
      if (!isJsonObject(schema)) throw new TypeError('found another value than an object');
      folder.inputSchema = schema;
      folder.inputSchemaBytes = new Uint8Array(bytes);
    } catch (error) {
      fault('input.json', `expected a JSON Schema: ${(error as Error).message}`);
    }
  }
  return folder;
}

/** The syntax tree of one file, numbers that JavaScript cannot hold kept as they are written. */
export async function parseRego(dir: string, file: string): Promise<{ tree?: unknown; faults: Fault[] }> {
  const result = await runOpa(dir, ['parse', '--format', 'json', '--json-include', 'locations', file]);
  if (result.code !== 0) return { faults: opaFaults(result) };
  return { tree: parse(result.stdout, null, parseNumber), faults: [] };
}
