import { FailureType, type Fault } from '../../kernel/failures';
import { readHttpUrl } from '../../kernel/http-url';
import type { ActionContext, HttpRequestSpec } from './action';
import { renderText, renderValue } from './template';

/** A request with its templates filled in. */
export interface HttpRequest {
  method: string;
  url: URL;
  headers: Record<string, string>;
  /** JSON */
  body?: string;
}

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** visible ASCII, space and tab: neither a line break that begins another header nor what no header can carry */
const HEADER_VALUE = /^[\t\x20-\x7E]*$/;

/**
 * Fills in `spec`. What is put into a URL is percent-encoded, so that a value cannot add a path or a query; only a
 * template at its very beginning is taken as it is, because it names the address.
 *
 * @param where the spec's place, for faults
 * @returns the request, or else every fault found
 */
export function toHttpRequest(
  spec: HttpRequestSpec,
  context: ActionContext,
  where: string,
): { request: HttpRequest; faults: [] } | { request?: undefined; faults: Fault[] } {
  const faults: Fault[] = [];
  const rendered = renderText(spec.url, context, {
    where: `${where}.url`,
    faults,
    encode: (text, offset) => (offset === 0 ? text : encodeURIComponent(text)),
  });
  const url = faults.length === 0 ? parseUrl(rendered, `${where}.url`, faults) : undefined;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(spec.headers ?? {})) {
    const place = `${where}.headers.${name}`;
    headers[name] = renderText(value, context, { where: place, faults });
    if (!HEADER_NAME.test(name)) faults.push(fault(place, `Expected the name of a header at ${place}`));
    if (!HEADER_VALUE.test(headers[name])) faults.push(fault(place, `Expected ASCII without line breaks at ${place}`));
  }
  let body: string | undefined;
  if (spec.body !== undefined) {
    if (spec.method === 'GET')
      faults.push(fault(`${where}.body`, `Expected no body at ${where}.body: GET carries none`));
    body = JSON.stringify(renderValue(spec.body, context, { where: `${where}.body`, faults }));
  }
  if (url === undefined || faults.length > 0) return { faults };
  return { request: { method: spec.method, url, headers, body }, faults: [] };
}

/** An address fit for people: without credentials, and without a query, which may hold a token. */
export function displayUrl(url: URL): string {
  return url.origin + url.pathname;
}

/** The same of an address whose templates stay as they are. */
export function displayUrlTemplate(url: string): string {
  return url.split(/[?#]/, 1)[0] ?? '';
}

function parseUrl(text: string, where: string, faults: Fault[]): URL | undefined {
  const read = readHttpUrl(text);
  if (typeof read !== 'string') return read;
  const message =
    read === 'credentials'
      ? `Expected a URL without credentials at ${where}: it is kept in the workflow's history`
      : `Expected an absolute http or https URL at ${where}`;
  faults.push(fault(where, message));
  return undefined;
}

function fault(where: string, message: string): Fault {
  return { type: FailureType.ConfigInvalid, message, where };
}
