import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { inFolder, opa } from '../../support/build-policy';

/** Plans Rego files, by their paths, with all of OPA's built-ins. @returns plan.json */
export function planOf(files: Readonly<Record<string, string>>, ...entrypoints: string[]): Promise<string> {
  return inFolder(async (folder) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, 'policy', path)), { recursive: true });
      await writeFile(join(folder, 'policy', path), text);
    }
    const bundle = join(folder, 'bundle.tar.gz');
    const flags = entrypoints.flatMap((name) => ['-e', name]);
    await opa('build', '-t', 'plan', ...flags, '-b', join(folder, 'policy'), '-o', bundle);
    return fileIn(await readFile(bundle), '/plan.json');
  });
}

async function fileIn(archive: Buffer, name: string): Promise<string> {
  const entries = extract();
  entries.end(gunzipSync(archive));
  let found = '';
  for await (const entry of entries) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    if (entry.header.name === name) found = Buffer.concat(chunks).toString('utf8');
  }
  return found;
}
