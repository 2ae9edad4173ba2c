import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { PGlite } from '@electric-sql/pglite';
import { extract } from 'tar-stream';

/** Where the build packs an empty database, below `dist`: named by the version of PGlite, which alone reads what it wrote. */
export function freshDataFile(): string {
  const manifest = join(dirname(require.resolve('@electric-sql/pglite')), '..', 'package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return `embedded-store-${version}.tar.br`;
}

/**
 * Makes the files of an empty database in a folder that is not there yet. They are unpacked, which takes a fraction of
 * the time of creating them; where another version of PGlite is installed than the package was built with, or the package
 * was not built, they are created.
 *
 * @param packed @default what the build packed
 */
export async function makeFreshData(folder: string, packed = builtData()): Promise<void> {
  if (existsSync(packed)) await unpack(packed, folder);
  else await (await PGlite.create(folder)).close();
}

/** The same from the sources and from `dist`, which are equally deep. */
function builtData(): string {
  return join(__dirname, '..', '..', '..', 'dist', freshDataFile());
}

async function unpack(packed: string, folder: string): Promise<void> {
  const bytes = await promisify(brotliDecompress)(await readFile(packed));
  await mkdir(folder, { mode: 0o700 });
  const entries = extract();
  entries.end(bytes);
  for await (const entry of entries) {
    const path = join(folder, entry.header.name);
    const content = await buffer(entry);
    if (entry.header.type === 'directory') await mkdir(path, { recursive: true, mode: 0o700 });
    else await writeFile(path, content, { mode: 0o600 });
  }
}
