import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

/**
 * A `.tar.gz` of `files` that has the same bytes whenever and wherever it is written: names in order, times at the
 * epoch, no owner. Not compressed, because deflate's output differs between the zlib builds of Node.
 */
export async function writeArchive(files: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  const tar = pack();
  const names = [...files.keys()].sort();
  for (const name of names) {
    tar.entry(
      { name: `/${name}`, mode: 0o600, mtime: new Date(0), uid: 0, gid: 0 },
      Buffer.from(files.get(name) ?? []),
    );
  }
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) chunks.push(chunk as Uint8Array);
  const bytes = gzipSync(Buffer.concat(chunks), { level: 0 });
  // The header names the operating system (RFC 1952, 2.3.1); 255 says "unknown" everywhere.
  bytes[9] = 255;
  return new Uint8Array(bytes);
}
