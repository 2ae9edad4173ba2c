import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { withSignal, type SignalSources } from '../../timers/with-signal';
import { checksumOf, type ReleaseAsset } from '../tool-spec';

export interface DownloadOptions {
  /** how long to wait for the first bytes of an answer: short, so that a machine without network continues at once */
  connectTimeoutMs: number;
  /** how long the whole file may take */
  totalTimeoutMs: number;
  onProgress?: (receivedBytes: number, totalBytes: number | undefined) => void;
  /** ends it, with its reason */
  signal?: AbortSignal;
}

/**
 * Fetches `asset` from `releaseUrl`, checks its SHA-256 against the publisher's checksum file and writes the binary to
 * `target`, mode 0755. Rejects with the URL and what was found; `target` may then be there, incomplete.
 */
export async function downloadTool(
  releaseUrl: string,
  asset: ReleaseAsset,
  target: string,
  options: DownloadOptions,
): Promise<void> {
  const checksumUrl = `${releaseUrl}/${asset.checksums}`;
  const sums = await withSignal(limitsOf(options), async (total) => (await get(checksumUrl, total, options)).text());
  const expected = checksumOf(asset.name, sums);
  if (expected === undefined) throw new Error(`${checksumUrl} holds no SHA-256 of ${asset.name}`);

  const url = `${releaseUrl}/${asset.name}`;
  const raw = `${target}.download`;
  const actual = await fetchToFile(url, raw, options);
  if (actual !== expected) throw new Error(`${url}: expected SHA-256 ${expected}, got ${actual}`);
  const bytes = await readFile(raw);
  const binary = asset.member === undefined ? bytes : await memberOf(bytes, asset.member, url);
  await writeFile(target, binary, { mode: 0o755 });
}

function limitsOf({ totalTimeoutMs, signal }: DownloadOptions): SignalSources {
  return { timeoutMs: totalTimeoutMs, signals: signal === undefined ? [] : [signal] };
}

async function get(url: string, total: AbortSignal, options: DownloadOptions): Promise<Response> {
  const controller = new AbortController();
  const connect = setTimeout(
    () => controller.abort(new Error(`no answer within ${options.connectTimeoutMs} ms`)),
    options.connectTimeoutMs,
  );
  total.addEventListener('abort', () => controller.abort(total.reason), { once: true });
  try {
    const response = await fetch(url, { signal: controller.signal, redirect: 'follow' });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response;
  } catch (error) {
    const { message, cause } = error as Error;
    const reason = cause instanceof Error && cause.message ? cause.message : message;
    throw new Error(`${url}: ${reason}`, { cause: error });
  } finally {
    clearTimeout(connect);
  }
}

function fetchToFile(url: string, file: string, options: DownloadOptions): Promise<string> {
  return withSignal(limitsOf(options), async (total) => {
    const response = await get(url, total, options);
    return toFile(url, response, file, options);
  });
}

/** @returns the SHA-256 of what was written */
async function toFile(url: string, response: Response, file: string, options: DownloadOptions): Promise<string> {
  if (response.body === null) throw new Error(`${url}: the answer is empty`);
  const total = Number(response.headers.get('content-length')) || undefined;
  const hash = createHash('sha256');
  let received = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      received += chunk.length;
      options.onProgress?.(received, total);
      done(null, chunk);
    },
  });
  await pipeline(Readable.fromWeb(response.body), meter, createWriteStream(file), { signal: options.signal });
  return hash.digest('hex');
}

async function memberOf(tarGz: Buffer, member: string, url: string): Promise<Buffer> {
  const archive = extract();
  archive.end(gunzipSync(tarGz));
  for await (const entry of archive) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    // Some publishers wrap the release in a folder.
    if (entry.header.type === 'file' && entry.header.name.split('/').at(-1) === member) return Buffer.concat(chunks);
  }
  throw new Error(`${url} holds no file named ${member}`);
}
