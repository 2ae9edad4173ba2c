import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import type { JsonObject } from '../../src/kernel/json';
import { createCapabilities } from '../../src/rego/capabilities';
import { findTool } from '../../src/platform/tools/find-tool';

const run = promisify(execFile);
const MOST_OUTPUT = 64 * 1024 * 1024;

export async function opa(...args: string[]): Promise<string> {
  const { path } = await findTool('opa');
  try {
    return (await run(path, args, { maxBuffer: MOST_OUTPUT })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(stdout + stderr, { cause: error });
  }
}

export async function currentCapabilities(): Promise<JsonObject> {
  return JSON.parse(await opa('capabilities', '--current')) as JsonObject;
}

/** Runs `use` with a folder that is gone afterwards. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'planning-engine-policy-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Compiles one Rego file with our capabilities; what opa says is wrong is the message of the error. */
export function buildWasm(source: string, ...entrypoints: string[]): Promise<Uint8Array> {
  return inFolder(async (folder) => {
    const [rego, capabilities, bundle] = ['p.rego', 'capabilities.json', 'b.tar.gz'].map((name) => join(folder, name));
    await writeFile(rego!, source);
    await writeFile(capabilities!, JSON.stringify(createCapabilities(await currentCapabilities())));
    const flags = entrypoints.flatMap((name) => ['-e', name]);
    await opa('build', '-t', 'wasm', ...flags, '--capabilities', capabilities!, '-o', bundle!, rego!);
    return wasmOf(await readFile(bundle!));
  });
}

async function wasmOf(archive: Buffer): Promise<Uint8Array> {
  const entries = extract();
  entries.end(gunzipSync(archive));
  const files = new Map<string, Buffer>();
  for await (const entry of entries) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    files.set(entry.header.name, Buffer.concat(chunks));
  }
  return files.get('/policy.wasm')!;
}
