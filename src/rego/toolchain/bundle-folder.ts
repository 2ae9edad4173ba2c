import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readArchive } from '../bundle/archive/read-archive';
import { SCHEMA_FILES } from '../bundle/bundle';

/** The file that stands in for a rule which the compiler left out; faults of other files are the author's. */
export const STAND_IN_FILE = 'planning_engine_stand_in.rego';

/**
 * Calls `work` with a folder that holds what a bundle's author kept in one: Rego, data and schemas, without what a compiler
 * made. The folder is removed after it.
 *
 * @param options.leftOut the entrypoint, `gate/response`, where `opa build -t wasm` left its rule out of the Rego and imports
 *   it instead: a rule that reads nothing stands in for it @default the Rego is whole
 * @throws GateError PolicyInvalid for an archive that cannot be read; what `work` throws
 */
export async function withBundleFolder<T>(
  bytes: Uint8Array,
  work: (dir: string) => Promise<T>,
  { leftOut }: { leftOut?: string } = {},
): Promise<T> {
  const files = await readArchive(bytes);
  const isSource = (name: string): boolean =>
    /\.rego$|(^|\/)data\.(json|ya?ml)$/.test(name) || ['input.json', ...SCHEMA_FILES].includes(name);
  const folder = await mkdtemp(join(tmpdir(), 'gate-bundle-'));
  try {
    for (const [name, content] of files) {
      if (!isSource(name)) continue;
      await mkdir(dirname(join(folder, name)), { recursive: true });
      const isRego = leftOut !== undefined && name.endsWith('.rego');
      await writeFile(join(folder, name), isRego ? withoutImport(content, leftOut) : content);
    }
    if (leftOut !== undefined) await writeFile(join(folder, STAND_IN_FILE), standInFor(leftOut));
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An empty line in its place, so that the others keep their numbers. */
function withoutImport(content: Uint8Array, entrypoint: string): string {
  const left = `import data.${entrypoint.replaceAll('/', '.')}`;
  const lines = Buffer.from(content).toString('utf8').split('\n');
  return lines.map((line) => (line.trim() === left ? '' : line)).join('\n');
}

function standInFor(entrypoint: string): string {
  const path = entrypoint.split('/');
  return `package ${path.slice(0, -1).join('.')}\n\n${path.at(-1)} := {"allow": false, "deny_reasons": []}\n`;
}
