import { gunzipSync } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { FailureType, GateError } from '../../../kernel/failures';

/** What a bundle may weigh; generous, as a bundle with 10,000 entries of data has a few megabytes. */
export interface ArchiveLimits {
  /** @default 64 MiB */
  maxArchiveBytes: number;
  /** of all files together, unpacked @default 256 MiB */
  maxUnpackedBytes: number;
  /** directories count too @default 2000 */
  maxFiles: number;
}
export const DEFAULT_ARCHIVE_LIMITS: ArchiveLimits = {
  maxArchiveBytes: 64 * 2 ** 20,
  maxUnpackedBytes: 256 * 2 ** 20,
  maxFiles: 2000,
};

/** As Linux limits a path, and then some for what tar says of it. */
const MAX_PATH_BYTES = 4096;
const MAX_HEADER_BYTES = 16 * 1024;
const BLOCK_BYTES = 512;

/**
 * The files of a `.tar.gz` by their path without the leading `/` that OPA writes. Nothing touches the disk, and memory
 * stays below twice `maxUnpackedBytes`.
 *
 * Whatever two programs could read differently is refused as well, so that what was tested, scanned or signed elsewhere is
 * what is read here: entries after the end of the archive, headers for all entries, sparse files, contents of directories.
 *
 * @throws GateError PolicyInvalid for an archive that is broken or cut off, too large when unpacked, or holds links, a path
 *   that leaves it, or the same path twice
 */
export async function readArchive(
  bytes: Uint8Array,
  limits: ArchiveLimits = DEFAULT_ARCHIVE_LIMITS,
): Promise<Map<string, Uint8Array>> {
  const tar = unzip(bytes, limits);
  const files = new Map<string, Uint8Array>();
  const folded = new Set<string>();
  const reader = extract();
  reader.end(tar);
  let entries = 0;
  let unpackedBytes = 0;
  let end = 0;
  try {
    for await (const entry of reader) {
      const { header } = entry;
      end = checkHeader(header, tar, end);
      if (++entries > limits.maxFiles) throw refuse(`expected at most ${limits.maxFiles} files`);
      const size = header.size ?? 0;
      unpackedBytes += size;
      if (unpackedBytes > limits.maxUnpackedBytes) throw tooLarge(limits);
      const content = await contentOf(entry, size);
      // The root is an entry of its own in what `tar -C folder .` writes.
      if (header.type === 'directory' && /^[./]*$/.test(header.name) && !header.name.includes('..')) continue;
      const path = safePath(header.name);
      if (header.type === 'directory') continue;
      // One letter may be written in two ways, which look the same to whoever reads a report.
      const name = path.normalize('NFC');
      if (folded.has(name)) throw refuse(`${path}: found twice`);
      folded.add(name);
      files.set(path, content);
    }
  } catch (error) {
    throw error instanceof GateError ? error : refuse('expected a tar archive', error);
  }
  const rest = tar.subarray(end);
  if (rest.length < 2 * BLOCK_BYTES || !isZero(rest)) {
    throw refuse('expected a tar archive that ends with two blocks of zeros, and nothing behind');
  }
  return files;
}

function unzip(bytes: Uint8Array, limits: ArchiveLimits): Buffer {
  if (bytes.length > limits.maxArchiveBytes) {
    throw refuse(`expected at most ${limits.maxArchiveBytes} bytes, found ${bytes.length}`);
  }
  // The tar's own headers and padding count too: 1 KiB a file, and a little more for long names.
  const maxOutputLength = limits.maxUnpackedBytes + limits.maxFiles * 2048 + 20 * BLOCK_BYTES;
  let unzipped: { buffer: Buffer; engine: { bytesWritten: number } };
  try {
    unzipped = gunzipSync(bytes, { maxOutputLength, info: true }) as unknown as typeof unzipped;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limits, error);
    throw refuse('expected a gzip archive', error);
  }
  const read = unzipped.engine.bytesWritten;
  if (read === bytes.length) return unzipped.buffer;
  throw refuse(`expected nothing behind the gzip archive of ${read} bytes, found ${bytes.length - read} bytes`);
}

/**
 * Where the entry ends, with its padding.
 *
 * @param start where its headers begin: the end of the one before
 */
function checkHeader(header: Header, tar: Buffer, start: number): number {
  const { name, type, size = 0 } = header;
  const contentAt = (header as Header & { byteOffset: number }).byteOffset;
  const shown = JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
  if (isZero(tar.subarray(start, start + BLOCK_BYTES))) {
    throw refuse(`${shown}: found behind the end of the archive`);
  }
  if (contentAt - start > MAX_HEADER_BYTES) {
    throw refuse(`${shown}: expected headers of at most ${MAX_HEADER_BYTES} bytes, found ${contentAt - start}`);
  }
  // 103 is `g`, a header for all that follow: OPA passes over it.
  for (let at = start; at < contentAt - BLOCK_BYTES; at += BLOCK_BYTES + padded(sizeField(tar, at))) {
    if (tar[at + 156] === 103) throw refuse(`${shown}: expected no header for all files`);
  }
  if (type !== 'file' && type !== 'directory') {
    throw refuse(`${shown}: expected plain files only, found a ${type ?? 'file of an unknown kind'}`);
  }
  const extras = Object.keys(header.pax ?? {});
  if (extras.some((key) => key.startsWith('GNU.sparse'))) throw refuse(`${shown}: expected no sparse file`);
  if (type === 'directory' && size > 0) throw refuse(`${shown}: expected a directory without content`);
  return contentAt + padded(size);
}

const padded = (size: number): number => Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
const sizeField = (tar: Buffer, at: number): number => parseInt(tar.toString('latin1', at + 124, at + 135), 8) || 0;

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

async function contentOf(entry: AsyncIterable<unknown>, size: number): Promise<Uint8Array> {
  // A size that lies is found when its bytes do not come: nothing is set aside for it.
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry) chunks.push(chunk as Uint8Array);
  const content = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    content.set(chunk, at);
    at += chunk.length;
  }
  if (at !== size) throw refuse(`expected ${size} bytes of a file, found ${at}`);
  return content;
}

function safePath(name: string): string {
  const path = name.replace(/^(\.?\/)+/, '').replace(/\/$/, '');
  const parts = path.split('/');
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw refuse(`expected paths of at most ${MAX_PATH_BYTES} bytes, found one of ${Buffer.byteLength(path)}`);
  }
  // U+FFFD stands for bytes that are no UTF-8: two such names could look the same.
  const isOdd = /[\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]/u.test(path);
  if (isOdd || parts.some((part) => part === '..' || part === '.' || part === '')) {
    throw refuse(`${JSON.stringify(name)}: expected a path within the bundle`);
  }
  return path;
}

function tooLarge({ maxUnpackedBytes }: ArchiveLimits, cause?: unknown): GateError {
  return refuse(`expected at most ${maxUnpackedBytes} bytes unpacked`, cause);
}

function refuse(what: string, cause?: unknown): GateError {
  return new GateError(FailureType.PolicyInvalid, `The policy bundle cannot be read: ${what}`, undefined, { cause });
}
