import { isJsonObject, type JsonObject } from '../../kernel/json';
import { BoundedMap } from '../../kernel/bounded-map';
import { parseJsonText } from '../../platform/documents/json-text';
import { isDigest } from '../image-reference';
import { ContentCheck, digestLike } from './content-check';
import type { Descriptor, ManifestBytes, ManifestHead } from './descriptor';
import { listPages, type NamesPage } from './list-pages';
import { referrersTag } from './referrers-tag';
import { readEcrHost } from './ecr-host';
import { readDescriptors } from './read-manifest';
import type { Registry, RequestBounds } from './registry';
import { RegistryError } from './registry-error';
import type { RepositoryCreator } from './repository-creator';
import {
  readWhole,
  RegistryHttp,
  type RegistryAnswer,
  type RegistryHttpOptions,
  type RegistryRequest,
} from './registry-http';

/** What registries take at most by the specification's recommendation. */
export const MOST_MANIFEST_BYTES = 4 * 1024 * 1024;
const MOST_LIST_BYTES = 16 * 1024 * 1024;
const PAGE = 1000;
/** Readings of one blob in a row that bring next to nothing before it is given up. */
const MOST_POOR_READINGS = 3;
/** What a reading that breaks off must bring: the hundredth part of its blob, or this if that is less. */
const FAIR_READING_BYTES = 1024 * 1024;

/** How long a repository counts as one without the referrers API: a registry may be upgraded. */
const NO_REFERRERS_MS = 60_000;
const MOST_WITHOUT_REFERRERS = 10_000;

/** Every kind of manifest that is copied, and schema 1, so that a registry says that it has one. */
const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
  'application/vnd.docker.distribution.manifest.v1+json',
].join(', ');

export interface HttpRegistryOptions extends RegistryHttpOptions {
  /** @default missing repositories are not created */
  repositories?: RepositoryCreator;
}

/** A JSON document, and the address of the next one where the registry links to it. */
interface JsonPage {
  document: JsonObject;
  next: string | undefined;
}

/** A registry over HTTP. */
export class HttpRegistry implements Registry {
  readonly name: string;
  readonly createRepository?: (repository: string) => Promise<void>;

  constructor(
    private readonly options: HttpRegistryOptions,
    private readonly http: RegistryHttp = new RegistryHttp(options),
    /** repositories without the referrers API, with when they are asked again, epoch milliseconds */
    private readonly withoutReferrers = new BoundedMap<string, number>(MOST_WITHOUT_REFERRERS),
  ) {
    this.name = options.registry;
    const { repositories } = options;
    if (repositories !== undefined) this.createRepository = (repository) => repositories.create(repository);
  }

  within(bounds: RequestBounds): HttpRegistry {
    return new HttpRegistry(this.options, this.http.within(bounds), this.withoutReferrers);
  }

  async *listRepositories(): AsyncIterable<readonly string[]> {
    const scopes = ['registry:catalog:*'];
    try {
      yield* this.pages('/v2/_catalog', 'repositories', scopes, 'its repositories');
    } catch (error) {
      if (!(error instanceof RegistryError) || error.failure === 'unavailable') throw error;
      const message = `${this.name} lists no repositories (${error.message}): name them exactly, without patterns`;
      throw new RegistryError('refused', message, { cause: error });
    }
  }

  async *listTags(repository: string): AsyncIterable<readonly string[]> {
    let hasBegun = false;
    try {
      const path = `/v2/${repository}/tags/list`;
      for await (const page of this.pages(path, 'tags', pull(repository), `the tags of ${repository}`)) {
        hasBegun = true;
        yield page;
      }
    } catch (error) {
      // A later page that is missing would make a list that looks whole.
      if (hasBegun || !(error instanceof RegistryError) || error.failure !== 'missing') throw error;
    }
  }

  async hasRepository(repository: string): Promise<boolean> {
    const pages = this.pages(`/v2/${repository}/tags/list`, 'tags', pull(repository), `the tags of ${repository}`, 1);
    try {
      await pages[Symbol.asyncIterator]().next();
      return true;
    } catch (error) {
      if (isNameUnknown(error)) return false;
      throw error;
    }
  }

  async headManifest(repository: string, reference: string): Promise<ManifestHead | undefined> {
    const { status, headers, body } = await this.http.ask({
      ...this.manifest(repository, reference),
      method: 'HEAD',
      scopes: pull(repository),
      headers: { accept: ACCEPT },
      expected: [200, 404],
    });
    await body.dump();
    if (status === 404) return undefined;
    const digest = headers['docker-content-digest'];
    const mediaType = headers['content-type'];
    if (typeof digest === 'string' && isDigest(digest) && mediaType !== undefined) return { digest, mediaType };
    // Few registries name no digest here, and neither do servers that are no registry.
    const read = await this.getManifest(repository, reference);
    if (read === undefined || /\bjson\b|prettyjws/.test(read.mediaType)) return read;
    const message = `${this.name}: expected ${repository}/${reference} to be a manifest, got ${read.mediaType}`;
    throw new RegistryError('invalid', message);
  }

  async getManifest(repository: string, reference: string): Promise<ManifestBytes | undefined> {
    const asked = this.manifest(repository, reference);
    return this.http.repeated(async () => {
      const answer = await this.http.ask({
        ...asked,
        method: 'GET',
        scopes: pull(repository),
        headers: { accept: ACCEPT },
        expected: [200, 404],
        once: true,
      });
      if (answer.status === 404) {
        await answer.body.dump();
        return undefined;
      }
      const bytes = await readWhole(answer.body, MOST_MANIFEST_BYTES);
      const named = answer.headers['docker-content-digest'];
      const expected = isDigest(reference)
        ? reference
        : typeof named === 'string' && isDigest(named)
          ? named
          : 'sha256:';
      const digest = digestLike(expected, bytes);
      if (expected !== 'sha256:' && digest !== expected) {
        throw new RegistryError('invalid', `${this.name}: expected ${asked.what} to be ${expected}, got ${digest}`);
      }
      return { digest, mediaType: mediaTypeOf(answer, bytes), bytes };
    });
  }

  async putManifest(
    repository: string,
    reference: string,
    manifest: ManifestBytes,
  ): Promise<{ tracksSubject: boolean }> {
    const { digest } = manifest;
    const asked = {
      ...this.manifest(repository, reference),
      // A tag alone would name the manifest by the registry's own algorithm.
      ...(isDigest(reference) || digest.startsWith('sha256:')
        ? {}
        : { path: `${this.manifest(repository, digest).path}?${new URLSearchParams({ tag: reference }).toString()}` }),
      method: 'PUT',
      scopes: push(repository),
      headers: { 'content-type': manifest.mediaType },
      body: () => manifest.bytes,
      expected: [201],
    } as const;
    const { headers, body } = await this.http.repeated(() => this.toRepository(repository, { ...asked, once: true }));
    await body.dump();
    const named = headers['docker-content-digest'];
    if (typeof named === 'string' && named !== digest) {
      throw new RegistryError('invalid', `${this.name} stored ${digest} as ${named}`);
    }
    return { tracksSubject: headers['oci-subject'] !== undefined };
  }

  async deleteManifest(repository: string, reference: string): Promise<void> {
    const scopes = [`repository:${repository}:delete`];
    const asked = { ...this.manifest(repository, reference), method: 'DELETE', scopes, expected: [202, 404] } as const;
    const { body } = await this.http.ask(asked);
    await body.dump();
  }

  async hasBlob(repository: string, digest: string): Promise<boolean> {
    const asked = this.blob(repository, digest);
    const { status, body } = await this.http.ask({
      ...asked,
      method: 'HEAD',
      scopes: pull(repository),
      expected: [200, 404],
    });
    await body.dump();
    return status === 200;
  }

  async *readBlob(repository: string, blob: Descriptor): AsyncIterable<Uint8Array> {
    const asked = this.blob(repository, blob.digest);
    const check = new ContentCheck(blob, `${this.name}: ${asked.what}`);
    if (blob.size === 0) check.add(Buffer.alloc(0));
    const fair = Math.max(1, Math.min(FAIR_READING_BYTES, blob.size / 100));
    for (let poor = 0; !check.isComplete;) {
      const before = check.length;
      try {
        for await (const part of this.readFrom(before, repository, blob)) {
          check.add(part);
          yield part;
        }
        if (!check.isComplete) throw new RegistryError('unavailable', `${this.name}: ${asked.what} ended early`);
      } catch (error) {
        if (error instanceof RegistryError && error.failure !== 'unavailable') throw error;
        poor = check.length - before >= fair ? 0 : poor + 1;
        if (poor < MOST_POOR_READINGS) continue;
        if (error instanceof RegistryError) throw error;
        throw new RegistryError('unavailable', `${this.name}: ${asked.what} broke off`, { cause: error });
      }
    }
  }

  async writeBlob(
    repository: string,
    blob: Descriptor,
    open: () => AsyncIterable<Uint8Array>,
    from?: string,
  ): Promise<'mounted' | 'sent'> {
    const asked = this.blob(repository, blob.digest);
    const scopes = [...push(repository), ...(from === undefined ? [] : pull(from))];
    return this.http.repeated(async () => {
      const mount = from === undefined ? '' : `?${new URLSearchParams({ mount: blob.digest, from }).toString()}`;
      const begun = await this.toRepository(repository, {
        what: asked.what,
        method: 'POST',
        path: `/v2/${repository}/blobs/uploads/${mount}`,
        scopes,
        headers: { 'content-length': '0' },
        expected: [201, 202],
        once: true,
      });
      await begun.body.dump();
      if (begun.status === 201) return 'mounted';
      const { body } = await this.http.ask({
        what: asked.what,
        method: 'PUT',
        path: uploadUrl(begun, blob.digest, asked.what),
        scopes,
        headers: { 'content-type': 'application/octet-stream', 'content-length': String(blob.size) },
        body: () => this.http.paced(open()),
        expected: [201],
        once: true,
      });
      await body.dump();
      return 'sent';
    });
  }

  /** Most registries create a repository with its first upload; one that does not, such as ECR, says so in these words. */
  private async toRepository(repository: string, asked: RegistryRequest): Promise<RegistryAnswer> {
    try {
      return await this.http.ask(asked);
    } catch (error) {
      if (!isNameUnknown(error)) throw error;
      const { status, message: said } = error;
      if ((await this.options.repositories?.isNew(repository)) === true) {
        const message = `${this.name} does not know its new repository ${repository} yet (${said})`;
        throw new RegistryError('unavailable', message, { status, cause: error });
      }
      const setting = readEcrHost(this.name) === undefined ? '' : ', or set createRepositories for the registry';
      const message = `${this.name} has no repository ${repository}, and creates none by itself: create it there first${setting} (${said})`;
      throw new RegistryError('refused', message, { status, lacksRepository: true, cause: error });
    }
  }

  async listReferrers(
    repository: string,
    digest: string,
    mayHaveTag = true,
  ): Promise<{ by: 'api' | 'tag'; referrers: readonly Descriptor[] }> {
    const what = `what refers to ${repository}@${digest}`;
    const found = await this.referrersByApi(repository, digest, what);
    if (found !== undefined) return { by: 'api', referrers: found };
    if (!mayHaveTag) return { by: 'tag', referrers: [] };
    const index = await this.getManifest(repository, referrersTag(digest));
    if (index === undefined) return { by: 'tag', referrers: [] };
    const { manifests } = documentOf(index.bytes, what);
    return { by: 'tag', referrers: readDescriptors(manifests, `${this.name}: ${what}`) };
  }

  /** undefined where the registry has no such API */
  private async referrersByApi(repository: string, digest: string, what: string): Promise<Descriptor[] | undefined> {
    const nowMs = (this.options.now ?? Date.now)();
    const askedAgainMs = this.withoutReferrers.get(repository) ?? -Infinity;
    // A clock that was put back makes no registry wait for longer.
    if (nowMs < askedAgainMs && askedAgainMs - nowMs <= NO_REFERRERS_MS) return undefined;
    const referrers: Descriptor[] = [];
    try {
      for await (const page of this.documents(`/v2/${repository}/referrers/${digest}`, pull(repository), what)) {
        referrers.push(...readDescriptors(page.manifests, `${this.name}: ${what}`));
      }
      return referrers;
    } catch (error) {
      if (!(error instanceof RegistryError) || error.failure !== 'missing') throw error;
      // Of a repository that does not exist yet, some registries that have the API say 404 too.
      if (!error.message.includes('NAME_UNKNOWN')) this.withoutReferrers.set(repository, nowMs + NO_REFERRERS_MS);
      return undefined;
    }
  }

  private async *readFrom(start: number, repository: string, blob: Descriptor): AsyncIterable<Uint8Array> {
    const asked = { ...this.blob(repository, blob.digest), method: 'GET', scopes: pull(repository) } as const;
    let answer = await this.http.ask({
      ...asked,
      headers: start === 0 ? {} : { range: `bytes=${start}-` },
      expected: start === 0 ? [200] : [200, 206, 416],
    });
    if (answer.status === 416) {
      // Crane's registry understands no range without an end.
      await answer.body.dump();
      answer = await this.http.ask({ ...asked, expected: [200] });
    }
    const { status, body } = answer;
    // A registry that ignores Range starts from the beginning.
    let skip = status === 206 ? 0 : start;
    for await (const part of this.http.paced(body)) {
      if (skip >= part.length) skip -= part.length;
      else {
        yield skip === 0 ? part : part.subarray(skip);
        skip = 0;
      }
    }
  }

  private pages(
    path: string,
    key: string,
    scopes: readonly string[],
    what: string,
    n = PAGE,
  ): AsyncIterable<readonly string[]> {
    const ask = async (page: string): Promise<NamesPage> => {
      const { document, next } = await this.document(page, scopes, what);
      const names = document[key] ?? [];
      if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
        throw new RegistryError('invalid', `${this.name}: expected a list of names as ${what}`);
      return { names, ...(next === undefined ? {} : { next }) };
    };
    return listPages(path, n, ask, () => this.endless(what));
  }

  private endless(what: string): RegistryError {
    return new RegistryError('invalid', `${this.name}: the pages of ${what} have no end`);
  }

  /** JSON documents, from page to page by Link. */
  private async *documents(path: string, scopes: readonly string[], what: string): AsyncIterable<JsonObject> {
    const seen = new Set<string>();
    for (let next: string | undefined = path; next !== undefined;) {
      if (seen.has(next)) throw this.endless(what);
      seen.add(next);
      const page: JsonPage = await this.document(next, scopes, what);
      yield page.document;
      next = page.next;
    }
  }

  private async document(path: string, scopes: readonly string[], what: string): Promise<JsonPage> {
    const answer = await this.http.ask({ method: 'GET', path, scopes, expected: [200], what });
    return { document: documentOf(await readWhole(answer.body, MOST_LIST_BYTES), what), next: nextPage(answer) };
  }

  private manifest(repository: string, reference: string) {
    const name = `${repository}${isDigest(reference) ? '@' : ':'}${reference}`;
    return { path: `/v2/${repository}/manifests/${reference}`, what: name };
  }

  private blob(repository: string, digest: string) {
    return { path: `/v2/${repository}/blobs/${digest}`, what: `the blob ${digest} of ${repository}` };
  }
}

const isNameUnknown = (error: unknown): error is RegistryError =>
  error instanceof RegistryError && error.status === 404 && error.message.includes('NAME_UNKNOWN');

const pull = (repository: string): string[] => [`repository:${repository}:pull`];
const push = (repository: string): string[] => [`repository:${repository}:pull,push`];

/** The header, or what the manifest says of itself where a registry gives none. */
function mediaTypeOf({ headers }: RegistryAnswer, bytes: Uint8Array): string {
  const given = headers['content-type']?.split(';')[0]?.trim();
  if (given !== undefined && given !== '' && given !== 'application/json') return given;
  const { mediaType } = documentOf(bytes, 'a manifest');
  return typeof mediaType === 'string' ? mediaType : (given ?? '');
}

function documentOf(bytes: Uint8Array, what: string): JsonObject {
  try {
    const document = parseJsonText(Buffer.from(bytes).toString());
    if (isJsonObject(document)) return document;
  } catch {
    // said below
  }
  throw new RegistryError('invalid', `expected a JSON object as ${what}, got something else`);
}

/** The address of the next page, of the same server; undefined on the last one. */
function nextPage({ headers, url }: RegistryAnswer): string | undefined {
  const link = [headers.link ?? []].flat().join(', ');
  const next = /<([^>]*)>\s*;\s*rel="?next"?/.exec(link)?.[1];
  return next === undefined || !URL.canParse(next, url) ? undefined : new URL(next, url).href;
}

function uploadUrl({ headers, url }: RegistryAnswer, digest: string, what: string): string {
  const { location } = headers;
  if (typeof location !== 'string' || !URL.canParse(location, url)) {
    throw new RegistryError('invalid', `expected a Location for ${what}, got none`);
  }
  const to = new URL(location, url);
  to.searchParams.set('digest', digest);
  return to.href;
}
