import { createHash } from 'node:crypto';
import { ObjectStoreError, type ObjectReader, type StoredObject } from 'planning-engine';

/** A release in an OCI registry: an artifact whose layers are the manifest and the files that it names. */
export interface OciPlace {
  /** of the registry, such as `https://registry.example.com` */
  registry: string;
  repository: string;
  tag: string;
  /** title of the layer that is the manifest */
  manifest: string;
  /** the whole header, such as `Basic …` */
  authorization?: string;
  /** of one request with its answer, milliseconds @default 10000 */
  timeoutMs?: number;
}

interface Layer {
  digest: string;
  size: number;
}

const ARTIFACT = 'application/vnd.oci.image.manifest.v1+json';
const TITLE = 'org.opencontainers.image.title';
const MOST_ARTIFACT_BYTES = 4 * 1024 * 1024;

/**
 * Reads the layers of an artifact by their titles, which `oras push` sets. The tag is resolved when the manifest is asked
 * for; what it names comes from the same artifact, so a tag that moves meanwhile mixes nothing. Everything is checked
 * against its digest.
 */
export class OciObjects implements ObjectReader {
  private layers = new Map<string, Layer>();

  constructor(private readonly place: OciPlace) {}

  async get(key: string, options: { maxBytes?: number } = {}): Promise<StoredObject | undefined> {
    const layer = await this.find(key);
    return layer && this.read(key, layer, options.maxBytes);
  }

  async getUnlessSame(
    key: string,
    etag: string,
    options: { maxBytes?: number } = {},
  ): Promise<StoredObject | 'unchanged' | undefined> {
    const layer = await this.find(key);
    if (layer === undefined) return undefined;
    return layer.digest === etag ? 'unchanged' : this.read(key, layer, options.maxBytes);
  }

  /** Asked of the registry: a layer that was deleted is still listed. */
  async has(key: string): Promise<boolean> {
    const layer = await this.find(key);
    if (layer === undefined) return false;
    const response = await this.ask('HEAD', `blobs/${layer.digest}`);
    return response.status !== 404;
  }

  private async find(key: string): Promise<Layer | undefined> {
    if (key === this.place.manifest) this.layers = await this.resolve();
    return this.layers.get(key);
  }

  private async resolve(): Promise<Map<string, Layer>> {
    const { tag } = this.place;
    const response = await this.ask('GET', `manifests/${tag}`, { accept: ARTIFACT });
    if (response.status === 404) return new Map();
    const bytes = await bytesOf(response, tag, MOST_ARTIFACT_BYTES);
    const named = response.headers.get('docker-content-digest');
    if (named !== null && named !== digestOf(bytes))
      throw new ObjectStoreError(`${tag}: expected ${named}, got others`);
    return layersOf(bytes, tag);
  }

  private async read(key: string, { digest, size }: Layer, maxBytes = Infinity): Promise<StoredObject> {
    const tooLarge = { isTooLarge: true };
    if (size > maxBytes)
      throw new ObjectStoreError(`${key}: expected at most ${maxBytes} bytes, found ${size}`, undefined, tooLarge);
    const response = await this.ask('GET', `blobs/${digest}`);
    if (response.status === 404) throw new ObjectStoreError(`${key}: the layer ${digest} is gone`, 404);
    const bytes = await bytesOf(response, key, size);
    if (bytes.length !== size || digestOf(bytes) !== digest)
      throw new ObjectStoreError(`${key}: expected ${size} bytes of ${digest}, got others`);
    return { bytes, etag: digest };
  }

  private async ask(method: string, path: string, headers: Record<string, string> = {}): Promise<Response> {
    const { registry, repository, authorization, timeoutMs = 10_000 } = this.place;
    const url = `${registry}/v2/${repository}/${path}`;
    let response: Response;
    // It ends the reading of the body, too.
    const controller = new AbortController();
    setTimeout(() => controller.abort(), timeoutMs).unref();
    try {
      response = await fetch(url, {
        method,
        headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
        signal: controller.signal,
      });
    } catch (error) {
      throw new ObjectStoreError(`${url} was not reached`, undefined, { cause: error });
    }
    if (response.ok || response.status === 404) return response;
    throw new ObjectStoreError(`${url} answered ${response.status}`, response.status);
  }
}

/** @throws ObjectStoreError for more than `most` bytes, or a body that ends early */
async function bytesOf(response: Response, what: string, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of response.body ?? []) {
      length += (chunk as Uint8Array).length;
      if (length > most) break;
      chunks.push(chunk as Uint8Array);
    }
  } catch (error) {
    throw new ObjectStoreError(`${what}: the answer broke off`, undefined, { cause: error });
  }
  if (length > most) throw new ObjectStoreError(`${what}: expected at most ${most} bytes, found more`);
  return Buffer.concat(chunks);
}

function layersOf(bytes: Uint8Array, tag: string): Map<string, Layer> {
  try {
    const { layers } = JSON.parse(Buffer.from(bytes).toString()) as {
      layers: (Layer & { annotations?: Record<string, string> })[];
    };
    return new Map(
      layers.flatMap(({ digest, size, annotations }) => {
        const title = annotations?.[TITLE];
        return title === undefined ? [] : [[title, { digest, size }]];
      }),
    );
  } catch (error) {
    throw new ObjectStoreError(`${tag}: expected an OCI image manifest`, undefined, { cause: error });
  }
}

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
