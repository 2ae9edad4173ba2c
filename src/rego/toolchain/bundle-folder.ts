import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readArchive } from '../bundle/archive/read-archive';
import { SCHEMA_FILES } from '../bundle/bundle';

/**
 * Calls `work` with a folder that holds what a bundle's author kept in one: Rego, data and schemas, without what a compiler
 * made. The folder is removed after it.
 *
 * @throws GateError PolicyInvalid for an archive that cannot be read; what `work` throws
 */
export async function withBundleFolder<T>(bytes: Uint8Array, work: (dir: string) => Promise<T>): Promise<T> {
  const files = await readArchive(bytes);
  const isSource = (name: string): boolean =>
    /\.rego$|(^|\/)data\.(json|ya?ml)$/.test(name) || ['input.json', ...SCHEMA_FILES].includes(name);
  const folder = await mkdtemp(join(tmpdir(), 'gate-bundle-'));
  try {
    for (const [name, content] of files) {
      if (!isSource(name)) continue;
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
