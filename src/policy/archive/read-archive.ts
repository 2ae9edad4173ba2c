import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { FailureType, GateError } from '../../failures';

/** What a bundle may weigh; generous, as a bundle with 10,000 entries of data has a few megabytes. */
export interface ArchiveLimits {
  /** @default 64 MiB */
  maxArchiveBytes: number;
  /** of all files together, unpacked @default 256 MiB */
  maxUnpackedBytes: number;
  /** @default 2000 */
  maxFiles: number;
}
export const DEFAULT_ARCHIVE_LIMITS: ArchiveLimits = {
  maxArchiveBytes: 64 * 2 ** 20,
  maxUnpackedBytes: 256 * 2 ** 20,
  maxFiles: 2000,
};

/**
 * The files of a `.tar.gz` by their path without the leading `/` that OPA writes. Nothing touches the disk.
 *
 * @throws GateError PolicyInvalid for an archive that is broken, too large when unpacked, or holds links, a path that
 *   leaves it, or the same path twice
 */
export async function readArchive(
  bytes: Uint8Array,
  limits: ArchiveLimits = DEFAULT_ARCHIVE_LIMITS,
): Promise<Map<string, Uint8Array>> {
  if (bytes.length > limits.maxArchiveBytes) {
    throw refuse(`expected at most ${limits.maxArchiveBytes} bytes, found ${bytes.length}`);
  }
  let unpacked: Uint8Array;
  try {
    // The tar's own headers and padding count too: 1 KiB a file, and a little more for long names.
    unpacked = gunzipSync(bytes, { maxOutputLength: limits.maxUnpackedBytes + limits.maxFiles * 2048 });
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    const what = tooLarge ? `expected at most ${limits.maxUnpackedBytes} bytes unpacked` : 'expected a gzip archive';
    throw refuse(what, error);
  }
  const files = new Map<string, Uint8Array>();
  const reader = extract();
  reader.end(Buffer.from(unpacked.buffer, unpacked.byteOffset, unpacked.byteLength));
  try {
    for await (const entry of reader) {
      const { name, type } = entry.header;
      const chunks: Uint8Array[] = [];
      for await (const chunk of entry) chunks.push(chunk as Uint8Array);
      if (type === 'directory') continue;
      if (type !== 'file') throw refuse(`${name}: expected plain files only, found a ${type}`);
      const path = safePath(name);
      if (files.has(path)) throw refuse(`${path}: found twice`);
      if (files.size >= limits.maxFiles) throw refuse(`expected at most ${limits.maxFiles} files`);
      files.set(path, new Uint8Array(Buffer.concat(chunks)));
    }
  } catch (error) {
    throw error instanceof GateError ? error : refuse('expected a tar archive', error);
  }
  return files;
}

function safePath(name: string): string {
  const path = name.replace(/^(\.?\/)+/, '');
  const parts = path.split('/');
  if (path === '' || /[\\\0]/.test(path) || parts.some((part) => part === '..' || part === '.' || part === '')) {
    throw refuse(`${JSON.stringify(name)}: expected a path within the bundle`);
  }
  return path;
}

function refuse(what: string, cause?: unknown): GateError {
  return new GateError(FailureType.PolicyInvalid, `The policy bundle cannot be read: ${what}`, undefined, { cause });
}
