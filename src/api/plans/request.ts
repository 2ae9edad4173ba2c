import type { JsonValue } from '../../kernel/json';
import { JsonTextError } from '../../platform/documents/json-text';
import { readVersion } from '../../plans/service/checked-body';
import { planFailure, type PlanFailure } from '../../plans/service/plan-failure';
import type { ListRequest, WriteRequest } from '../../plans/service/plan-service';
import { parseFieldSelector } from '../../plans/selectors/field-selector';
import { parseLabelSelector, type Parsed } from '../../plans/selectors/parse-selector';
import type { Filter } from '../../plans/serving/watch-events';
import { decodeBody, parseBody } from '../json-bodies';
import type { NodeServerRequest } from '../rpc/node-request';

/** @throws PlanFailure BadRequest for parts of a path that cannot be decoded */
export function decodeParts(parts: readonly string[]): string[] {
  try {
    return parts.map(decodeURIComponent);
  } catch {
    throw planFailure('BadRequest', 'Bad request: expected a path whose percent signs are followed by two hex digits');
  }
}

/**
 * The text of a request's body.
 *
 * @throws PlanFailure RequestEntityTooLarge; UnsupportedMediaType for a compressed one; BadRequest for bytes that are not UTF-8, and for a body that ends early
 */
export async function readBody(request: NodeServerRequest, maxBytes: number): Promise<string> {
  const { 'content-encoding': encoding = 'identity' } = request.headers;
  if (encoding !== 'identity')
    throw planFailure('UnsupportedMediaType', `Expected a body without Content-Encoding, got ${encoding}`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      // Read on, and forgotten: to stop here would end the connection before its client has the answer.
      if (bytes <= maxBytes) chunks.push(chunk);
    }
  } catch {
    throw planFailure('BadRequest', 'Bad request: the body ended early');
  }
  if (bytes > maxBytes) throw tooLarge(maxBytes);
  return badRequestUnlessJson(() => decodeBody(Buffer.concat(chunks)));
}

function tooLarge(maxBytes: number): PlanFailure {
  return planFailure('RequestEntityTooLarge', `Expected a body of at most ${maxBytes} bytes, got more`);
}

/** @throws PlanFailure BadRequest for a text that is no JSON */
export function readJson(text: string): JsonValue {
  return badRequestUnlessJson(() => parseBody(text));
}

function badRequestUnlessJson<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof JsonTextError) throw planFailure('BadRequest', `Bad request: ${error.message}`);
    throw error;
  }
}

/** `application/json` of `application/json; charset=utf-8`. */
export function mediaTypeOf(request: NodeServerRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
}

/** @throws PlanFailure UnsupportedMediaType, also for a charset that is not UTF-8 */
export function requireMediaType(request: NodeServerRequest, ...known: readonly string[]): string {
  const type = mediaTypeOf(request);
  const [, charset = 'utf-8'] = /;\s*charset="?([^";\s]*)/i.exec(request.headers['content-type'] ?? '') ?? [];
  if (!/^(?:utf-?8|us-ascii)$/i.test(charset))
    throw planFailure('UnsupportedMediaType', `Expected a body in UTF-8, got the charset ${charset.slice(0, 40)}`);
  if (known.includes(type)) return type;
  const found = type === '' ? 'none' : type;
  throw planFailure('UnsupportedMediaType', `Expected the Content-Type ${known.join(' or ')}, got ${found}`);
}

/**
 * A parameter that is a switch: `true` and `1`, and its name alone, turn it on.
 *
 * @throws PlanFailure BadRequest for another word than these, `false` and `0`
 */
export function isOn(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  if (value === null || value === 'false' || value === '0') return false;
  if (value === '' || value === '1' || value === 'true') return true;
  throw planFailure(
    'BadRequest',
    `Bad request: expected ${name} to be true or false, got ${JSON.stringify(value.slice(0, 40))}`,
  );
}

/** @throws PlanFailure BadRequest */
export function readWhole(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw planFailure(
    'BadRequest',
    `Bad request: expected ${name} to be a whole number, got ${JSON.stringify(text.slice(0, 40))}`,
  );
}

/** @throws PlanFailure BadRequest */
export function readFilter(query: URLSearchParams, namespace: string | undefined): Filter {
  return {
    ...(namespace === undefined ? {} : { namespace }),
    labels: parsed('labelSelector', parseLabelSelector(query.get('labelSelector') ?? '')),
    fields: parsed('fieldSelector', parseFieldSelector(query.get('fieldSelector') ?? '')),
  };
}

function parsed<T>(name: string, { value, fault }: Parsed<T>): T {
  if (fault !== undefined) throw planFailure('BadRequest', `Bad request: ${name}: ${fault}`);
  return value as T;
}

/** @throws PlanFailure BadRequest */
export function readRevision(query: URLSearchParams): string | undefined {
  return readVersion(query.get('resourceVersion') ?? '');
}

/**
 * Which state a list is to be of. As in Kubernetes, "0" is any state, and without `resourceVersionMatch` a state is wanted that is
 * not older.
 *
 * @throws PlanFailure BadRequest
 */
export function readListRevision(query: URLSearchParams): ListRequest['asked'] {
  const revision = readRevision(query);
  const match = query.get('resourceVersionMatch') ?? '';
  if (!['', 'Exact', 'NotOlderThan'].includes(match))
    throw planFailure('BadRequest', 'Bad request: expected resourceVersionMatch to be Exact or NotOlderThan');
  if (match !== '' && revision === undefined)
    throw planFailure('BadRequest', 'Bad request: expected a resourceVersion beside resourceVersionMatch');
  return revision === undefined || revision === '0' ? undefined : { revision, exact: match === 'Exact' };
}

/**
 * How a write is meant: `dryRun` and `fieldValidation`.
 *
 * @throws PlanFailure BadRequest
 */
export function readWrite(query: URLSearchParams): Omit<WriteRequest, 'caller'> {
  const dryRun = query.get('dryRun') ?? '';
  if (dryRun !== '' && dryRun !== 'All') {
    throw planFailure(
      'BadRequest',
      `Bad request: expected dryRun to be All, got ${JSON.stringify(dryRun.slice(0, 40))}`,
    );
  }
  const fieldValidation = query.get('fieldValidation') ?? '';
  if (!isValidation(fieldValidation)) {
    throw planFailure('BadRequest', 'Bad request: expected fieldValidation to be Ignore, Warn or Strict');
  }
  return { dryRun: dryRun === 'All', ...(fieldValidation === '' ? {} : { fieldValidation }) };
}

function isValidation(word: string): word is '' | 'Ignore' | 'Warn' | 'Strict' {
  return ['', 'Ignore', 'Warn', 'Strict'].includes(word);
}

/** How a client wants objects: as they are, or as rows of a table. */
export function wantsTable(request: NodeServerRequest): boolean {
  return /;\s*as=Table\b/.test(request.headers.accept ?? '');
}
