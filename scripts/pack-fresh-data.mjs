// Packs the files of an empty embedded database once, when the package is built: creating them takes seconds, unpacking
// them a moment. The file is named by the version of PGlite, which alone reads what it wrote.
import { createRequire } from 'node:module';
import { createReadStream, createWriteStream, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createBrotliCompress } from 'node:zlib';
import { PGlite } from '@electric-sql/pglite';
import { pack } from 'tar-stream';

const { freshDataFile } = createRequire(import.meta.url)(
  join(resolve(process.argv[2]), 'platform', 'database', 'fresh-data.js'),
);
const folder = mkdtempSync(join(tmpdir(), 'fresh-data-'));
try {
  await (await PGlite.create(folder)).close();
  await packed(folder, join(resolve(process.argv[2]), freshDataFile()));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function packed(from, file) {
  const archive = pack();
  const compressed = createBrotliCompress({
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 9,
      // The three databases of a new cluster repeat one another, 7 MB apart.
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    },
  });
  const written = pipeline(archive, compressed, createWriteStream(file));
  for (const entry of readdirSync(from, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(from, path);
    if (entry.isDirectory()) archive.entry({ name, type: 'directory', mode: 0o700 });
    else await pipeline(createReadStream(path), archive.entry({ name, size: statSync(path).size, mode: 0o600 }));
  }
  archive.finalize();
  await written;
}
