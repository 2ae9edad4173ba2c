import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { withSignal, type SignalSources } from '../../timers/with-signal';
import type { ReleaseAsset } from '../tool-spec';

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
 * Fetches `asset` from `releaseUrl` over https, compares it with its SHA-256 and writes the binary to `target`, mode 0755.
 * Rejects with the URL and what was found; `target` may then be there, incomplete.
 */
export async function downloadTool(
  releaseUrl: string,
  asset: ReleaseAsset & { sha256: string },
  target: string,
  options: DownloadOptions,
): Promise<void> {
  const url = `${releaseUrl}/${asset.name}`;
  const raw = `${target}.download`;
  const actual = await fetchToFile(url, raw, options);
  if (actual !== asset.sha256) throw new Error(`${url}: expected SHA-256 ${asset.sha256}, got ${actual}`);
  const bytes = await readFile(raw);
  const binary = asset.member === undefined ? bytes : await memberOf(bytes, asset.member, url);
  await writeFile(target, binary, { mode: 0o755 });
}

function limitsOf({ totalTimeoutMs, signal }: DownloadOptions): SignalSources {
  return { timeoutMs: totalTimeoutMs, signals: signal === undefined ? [] : [signal] };
}
const MOST_REDIRECTS = 5;

async function get(url: string, total: AbortSignal, options: DownloadOptions): Promise<Response> {
  const controller = new AbortController();
  const connect = setTimeout(
    () => controller.abort(new Error(`no answer within ${options.connectTimeoutMs} ms`)),
    options.connectTimeoutMs,
  );
  total.addEventListener('abort', () => controller.abort(total.reason), { once: true });
  try {
    return await follow(new URL(url), controller.signal);
  } catch (error) {
    const { message, cause } = error as Error;
    const reason = cause instanceof Error && cause.message ? cause.message : message;
    throw new Error(`${url}: ${reason}`, { cause: error });
  } finally {
    clearTimeout(connect);
  }
}

/** Each address on the way is looked at: fetch itself would follow a redirect from https to http. */
async function follow(first: URL, signal: AbortSignal): Promise<Response> {
  let url = first;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    requireSecure(
      url,
      url === first ? 'expected an https URL' : `expected a redirect to https, got one to ${url.origin}`,
    );
    const response = await fetch(url, { signal, redirect: 'manual' });
    const location = response.headers.get('location');
    if (response.ok) return response;
    if (response.status < 300 || response.status > 399 || location === null)
      throw new Error(`status ${response.status}`);
    await response.body?.cancel();
    url = new URL(location, url);
  }
  throw new Error(`more than ${MOST_REDIRECTS} redirects`);
}

/** Nobody is on the way to this machine itself. */
function requireSecure({ protocol, hostname }: URL, message: string): void {
  const isOwn = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
  if (protocol !== 'https:' && !(protocol === 'http:' && isOwn)) throw new Error(message);
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
