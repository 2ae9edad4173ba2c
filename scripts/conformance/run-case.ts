import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { compareValues } from '../../src/rego/values/compare';
import { writeJson } from '../../src/rego/values/json';
import { fromPlain } from '../../src/rego/values/plain';
import type { RegoValue } from '../../src/rego/values/value';
import { parseValue } from '../../src/rego/values/wasm-text';
import { findNumberKeys } from '../../src/rego/analysis/number-keys';
import { loadWasmPolicy } from '../../src/rego/wasm-policy';
import type { ConformanceCase, Want } from './cases';

/**
 * What became of a case: answered as wanted; refused when it was built, and because of what; answered otherwise; or no
 * answer at all. The last two must not happen: a policy that builds must do as in OPA.
 */
export interface CaseResult {
  note: string;
  outcome: 'passed' | 'refused' | 'wrong' | 'failed';
  /** the refused built-in's name where it is one, else what was found */
  detail?: string;
}

export interface Builder {
  opa: string;
  capabilities: string;
  folder: string;
}

const NUMBER_KEY = 'a reference into data with a number as key';
const DECISION_TIME_NS = BigInt(Date.now()) * 1_000_000n;

export async function runCase(wanted: ConformanceCase, index: number, builder: Builder): Promise<CaseResult> {
  const { note } = wanted;
  const folder = join(builder.folder, String(index));
  try {
    const built = await build(wanted, folder, builder);
    if ('error' in built) return { note, outcome: 'refused', detail: refusal(built.error) };
    const policy = await loadWasmPolicy(built.wasm);
    policy.setData(toText(wanted.data ?? {}));
    const input = wanted.input === undefined ? undefined : toText(wanted.input);
    const found = policy.evaluateExactly(wanted.entrypoint, input, DECISION_TIME_NS);
    if (answers(wanted.want, found)) return { note, outcome: 'passed' };
    const text = found === undefined ? 'undefined' : writeJson(found);
    return { note, outcome: 'wrong', detail: `wanted ${show(wanted.want)}, found ${text}` };
  } catch (error) {
    return { note, outcome: 'failed', detail: error instanceof Error ? error.message : String(error) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function build(
  { modules, entrypoint }: ConformanceCase,
  folder: string,
  { opa, capabilities }: Builder,
): Promise<{ wasm: Uint8Array } | { error: string }> {
  const [numberKey] = modules.flatMap(findNumberKeys);
  if (numberKey) return { error: `${NUMBER_KEY}: ${numberKey.text}` };
  await mkdir(folder, { recursive: true });
  const files = modules.map((_, index) => join(folder, `module-${index}.rego`));
  await Promise.all(files.map((file, index) => writeFile(file, modules[index]!)));
  const bundle = join(folder, 'bundle.tar.gz');
  const args = ['build', '-t', 'wasm', '-e', entrypoint, '--capabilities', capabilities, '-o', bundle, ...files];
  const error = await new Promise<string | undefined>((resolve) => {
    // opa build says on stdout what is wrong with a policy
    execFile(opa, args, (failure, stdout, stderr) => resolve(failure ? stdout + stderr : undefined));
  });
  if (error !== undefined) return { error };
  return { wasm: await extractWasm(await readFile(bundle)) };
}

async function extractWasm(archive: Buffer): Promise<Uint8Array> {
  const entries = Readable.from([archive]).pipe(createGunzip()).pipe(extract());
  let wasm: Uint8Array | undefined;
  for await (const entry of entries) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    if (entry.header.name.endsWith('policy.wasm')) wasm = Buffer.concat(chunks);
  }
  if (wasm === undefined) throw new Error('the bundle holds no policy.wasm');
  return wasm;
}

function refusal(error: string): string {
  if (error.startsWith(NUMBER_KEY)) return error;
  if (error.includes('with keyword target')) return 'a built-in named by `with`';
  const names = [...error.matchAll(/undefined function (\S+)/g)].map((match) => match[1]!);
  return names.length > 0 ? [...new Set(names)].sort().join(', ') : error.replaceAll(/\s+/g, ' ').trim();
}

const toText = (value: unknown): string => writeJson(fromPlain(value));

function answers(want: Want, found: RegoValue | undefined): boolean {
  switch (want.kind) {
    case 'value':
      // OPA's cases hold their results as JSON: sets as ordered arrays, keys as text
      return found !== undefined && compareValues(parseValue(writeJson(found)), fromPlain(want.value)) === 0;
    case 'undefined':
      return found === undefined;
    case 'holds':
      return found !== undefined && found !== false;
    case 'fails':
      return found === undefined || found === false;
  }
}

function show(want: Want): string {
  return want.kind === 'value' ? writeJson(fromPlain(want.value)) : want.kind;
}
