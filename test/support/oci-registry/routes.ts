import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { digestOf, fieldsOf, isDigest, referrersOf, type RegistryContent, type RepositoryContent } from './content';

const NAME = '([a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)';
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const INDEX = 'application/vnd.oci.image.index.v1+json';

/** One request with what its handler needs. */
interface Call {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  content: RegistryContent;
  repository: string;
  /** what the route's last group matched */
  reference: string;
  /** the referrers API is served */
  servesReferrers: boolean;
}

type Handler = (call: Call) => void | Promise<void>;

const ROUTES: readonly [methods: string, path: RegExp, handler: Handler][] = [
  ['GET HEAD', /^\/v2\/()()$/, ({ response }) => void response.writeHead(200).end()],
  ['GET', /^\/v2\/_catalog()()$/, listRepositories],
  ['GET', path('tags/list()'), listTags],
  ['GET', path('referrers/([^/]+)'), listReferrers],
  ['GET HEAD', path('manifests/([^/]+)'), readManifest],
  ['PUT', path('manifests/([^/]+)'), putManifest],
  ['DELETE', path('manifests/([^/]+)'), deleteManifest],
  ['POST', path('blobs/uploads/()'), beginUpload],
  ['PATCH', path('blobs/uploads/([^/]+)'), continueUpload],
  ['PUT', path('blobs/uploads/([^/]+)'), finishUpload],
  ['GET', path('blobs/uploads/([^/]+)'), tellUpload],
  ['DELETE', path('blobs/uploads/([^/]+)'), cancelUpload],
  ['GET HEAD', path('blobs/([^/]+)'), readBlob],
  ['DELETE', path('blobs/([^/]+)'), deleteBlob],
];

/** Answers one request by the OCI distribution specification 1.1. */
export async function answer(
  content: RegistryContent,
  servesReferrers: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://registry');
  const paths = ROUTES.flatMap(([methods, pattern, handler]) => {
    const matched = pattern.exec(url.pathname);
    return matched === null ? [] : [{ methods: methods.split(' '), matched, handler }];
  });
  const route = paths.find(({ methods }) => methods.includes(request.method ?? ''));
  if (route === undefined) {
    fail(response, paths.length > 0 ? 405 : 404, paths.length > 0 ? 'UNSUPPORTED' : 'NAME_INVALID');
    return;
  }
  const [, repository = '', reference = ''] = route.matched;
  await route.handler({ request, response, url, content, repository, reference, servesReferrers });
}

function path(rest: string): RegExp {
  return new RegExp(`^/v2/${NAME}/${rest}$`);
}

function fail(response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { ...headers, 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] }));
}

function sendJson(response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
}

/** A page of `all` after `last`, with the Link to the next one. */
function page({ url, response }: Call, all: string[], body: (names: string[]) => object): void {
  const sorted = all.sort((one, other) => (one < other ? -1 : 1));
  const last = url.searchParams.get('last');
  const rest = last === null ? sorted : sorted.filter((name) => name > last);
  const n = url.searchParams.get('n');
  const names = n === null ? rest : rest.slice(0, Number(n));
  const more = names.length > 0 && names.length < rest.length;
  const next = new URLSearchParams({ n: n ?? '', last: names.at(-1) ?? '' });
  sendJson(response, body(names), more ? { link: `<${url.pathname}?${next.toString()}>; rel="next"` } : {});
}

function listRepositories(call: Call): void {
  page(call, [...call.content.repositories.keys()], (repositories) => ({ repositories }));
}

function listTags(call: Call): void {
  const found = call.content.repositories.get(call.repository);
  if (found === undefined) fail(call.response, 404, 'NAME_UNKNOWN');
  else page(call, [...found.tags.keys()], (tags) => ({ name: call.repository, tags }));
}

function listReferrers({ content, repository, reference, url, response, servesReferrers }: Call): void {
  if (!servesReferrers) return fail(response, 404, 'NOT_FOUND');
  if (!isDigest(reference)) return fail(response, 400, 'DIGEST_INVALID');
  const type = url.searchParams.get('artifactType');
  const all = referrersOf(content.open(repository), reference);
  const manifests = type === null ? all : all.filter((one) => (one as { artifactType?: string }).artifactType === type);
  const filtered: Record<string, string> = type === null ? {} : { 'oci-filters-applied': 'artifactType' };
  sendJson(response, { schemaVersion: 2, mediaType: INDEX, manifests }, { ...filtered, 'content-type': INDEX });
}

function manifestOf(repository: RepositoryContent | undefined, reference: string) {
  const digest = isDigest(reference) ? reference : repository?.tags.get(reference);
  return digest === undefined ? undefined : repository?.manifests.get(digest);
}

function readManifest({ content, repository, reference, request, response }: Call): void {
  const found = manifestOf(content.repositories.get(repository), reference);
  if (found === undefined) return fail(response, 404, 'MANIFEST_UNKNOWN');
  response.writeHead(200, {
    'content-type': found.mediaType,
    'content-length': found.bytes.length,
    'docker-content-digest': found.digest,
  });
  response.end(request.method === 'HEAD' ? undefined : found.bytes);
}

async function putManifest({
  content,
  repository,
  reference,
  url,
  request,
  response,
  servesReferrers,
}: Call): Promise<void> {
  const bytes = await bodyOf(request);
  const fields = fieldsOf(bytes);
  if (fields === undefined || typeof fields !== 'object') return fail(response, 400, 'MANIFEST_INVALID');
  const digest = digestOf(bytes, isDigest(reference) ? reference : undefined);
  if (isDigest(reference) ? reference !== digest : !TAG.test(reference)) return fail(response, 400, 'DIGEST_INVALID');
  const into = content.open(repository);
  const mediaType = request.headers['content-type'] ?? fields.mediaType ?? '';
  into.manifests.set(digest, { digest, mediaType, bytes });
  const tags = isDigest(reference) ? url.searchParams.getAll('tag') : [reference];
  for (const tag of tags) into.tags.set(tag, digest);
  const subject: Record<string, string> =
    fields.subject !== undefined && servesReferrers ? { 'oci-subject': fields.subject.digest } : {};
  const location = `/v2/${repository}/manifests/${reference}`;
  const tagged: Record<string, string[]> = isDigest(reference) && tags.length > 0 ? { 'oci-tag': tags } : {};
  response.writeHead(201, { location, 'docker-content-digest': digest, ...subject, ...tagged }).end();
}

function deleteManifest({ content, repository, reference, response }: Call): void {
  const found = content.repositories.get(repository);
  if (found === undefined) return fail(response, 404, 'NAME_UNKNOWN');
  if (!isDigest(reference)) {
    if (!found.tags.delete(reference)) return fail(response, 404, 'MANIFEST_UNKNOWN');
  } else {
    if (!found.manifests.delete(reference)) return fail(response, 404, 'MANIFEST_UNKNOWN');
    for (const [tag, digest] of found.tags) if (digest === reference) found.tags.delete(tag);
  }
  response.writeHead(202).end();
}

function readBlob({ content, repository, reference, request, response }: Call): void {
  if (!isDigest(reference)) return fail(response, 400, 'DIGEST_INVALID');
  const blob = content.repositories.get(repository)?.blobs.get(reference);
  if (blob === undefined) return fail(response, 404, 'BLOB_UNKNOWN');
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': reference,
    'accept-ranges': 'bytes',
  };
  const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '');
  if (range === null || (range[1] === '' && range[2] === '')) {
    response.writeHead(200, { ...headers, 'content-length': blob.length });
    response.end(request.method === 'HEAD' ? undefined : blob);
    return;
  }
  // Without a beginning it is that many bytes of the end.
  const from = range[1] === '' ? Math.max(0, blob.length - Number(range[2])) : Number(range[1]);
  const to = Math.min(range[1] === '' || range[2] === '' ? Infinity : Number(range[2]), blob.length - 1);
  if (from > to) return fail(response, 416, 'RANGE_INVALID', { 'content-range': `bytes */${blob.length}` });
  response.writeHead(206, {
    ...headers,
    'content-length': to - from + 1,
    'content-range': `bytes ${from}-${to}/${blob.length}`,
  });
  response.end(request.method === 'HEAD' ? undefined : blob.subarray(from, to + 1));
}

function deleteBlob({ content, repository, reference, response }: Call): void {
  if (content.repositories.get(repository)?.blobs.delete(reference)) response.writeHead(202).end();
  else fail(response, 404, 'BLOB_UNKNOWN');
}

async function beginUpload(call: Call): Promise<void> {
  const { content, repository, url, request, response } = call;
  const into = content.open(repository);
  const mount = url.searchParams.get('mount');
  const from = url.searchParams.get('from');
  // A mount that names no repository takes the blob from any that has it.
  const held = from === null ? [...content.repositories.values()] : [content.repositories.get(from)];
  const source =
    mount === null ? undefined : held.map((one) => one?.blobs.get(mount)).find((blob) => blob !== undefined);
  if (mount !== null && source !== undefined) {
    into.blobs.set(mount, source);
    return created(response, repository, mount);
  }
  const digest = url.searchParams.get('digest');
  if (digest !== null) return keep(call, into, digest, await bodyOf(request));
  const id = randomUUID();
  into.uploads.set(id, { id, chunks: [], size: 0 });
  response.writeHead(202, { location: `/v2/${repository}/blobs/uploads/${id}`, 'docker-upload-uuid': id }).end();
}

async function continueUpload({ content, repository, reference, request, response }: Call): Promise<void> {
  const upload = content.repositories.get(repository)?.uploads.get(reference);
  if (upload === undefined) return fail(response, 404, 'BLOB_UPLOAD_UNKNOWN');
  const range = /^(\d+)-(\d+)$/.exec(request.headers['content-range'] ?? '');
  const where = { location: `/v2/${repository}/blobs/uploads/${reference}` };
  if (range !== null && Number(range[1]) !== upload.size) {
    return fail(response, 416, 'BLOB_UPLOAD_INVALID', { ...where, range: rangeOf(upload.size) });
  }
  const bytes = await bodyOf(request);
  upload.chunks.push(bytes);
  upload.size += bytes.length;
  response.writeHead(202, { ...where, range: rangeOf(upload.size) }).end();
}

async function finishUpload(call: Call): Promise<void> {
  const { content, repository, reference, url, request, response } = call;
  const into = content.repositories.get(repository);
  const upload = into?.uploads.get(reference);
  if (into === undefined || upload === undefined) return fail(response, 404, 'BLOB_UPLOAD_UNKNOWN');
  const range = /^(\d+)-(\d+)$/.exec(request.headers['content-range'] ?? '');
  if (range !== null && Number(range[1]) !== upload.size) return fail(response, 416, 'BLOB_UPLOAD_INVALID');
  const bytes = await bodyOf(request);
  into.uploads.delete(reference);
  keep(call, into, url.searchParams.get('digest') ?? '', Buffer.concat([...upload.chunks, bytes]));
}

function tellUpload({ content, repository, reference, response }: Call): void {
  const upload = content.repositories.get(repository)?.uploads.get(reference);
  if (upload === undefined) return fail(response, 404, 'BLOB_UPLOAD_UNKNOWN');
  const location = `/v2/${repository}/blobs/uploads/${reference}`;
  response.writeHead(204, { location, range: rangeOf(upload.size), 'docker-upload-uuid': upload.id }).end();
}

function cancelUpload({ content, repository, reference, response }: Call): void {
  if (content.repositories.get(repository)?.uploads.delete(reference)) response.writeHead(204).end();
  else fail(response, 404, 'BLOB_UPLOAD_UNKNOWN');
}

function keep({ repository, response }: Call, into: RepositoryContent, digest: string, bytes: Buffer): void {
  if (!isDigest(digest) || digestOf(bytes, digest) !== digest) return fail(response, 400, 'DIGEST_INVALID');
  into.blobs.set(digest, bytes);
  created(response, repository, digest);
}

function created(response: ServerResponse, repository: string, digest: string): void {
  const location = `/v2/${repository}/blobs/${digest}`;
  response.writeHead(201, { location, 'docker-content-digest': digest }).end();
}

/** As the specification writes what was taken so far; nothing yet is `0-0`, as other registries say it. */
const rangeOf = (size: number): string => `0-${Math.max(0, size - 1)}`;

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
