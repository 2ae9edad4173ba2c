import { FailureType, type Fault } from '../../kernel/failures';
import type { ActionContext, HttpRequestSpec } from './action';
import { renderActionUrl } from './action-url';
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

/** The text of a secret by its name; undefined where the settings have none of that name. */
export type Secrets = (name: string) => string | undefined;

/**
 * Fills in `spec`. No fault repeats a value that may be secret.
 *
 * @param where the spec's place, for faults
 * @returns the request, or else every fault found
 */
export function toHttpRequest(
  spec: HttpRequestSpec,
  context: ActionContext,
  where: string,
  secrets: Secrets,
): { request: HttpRequest; faults: [] } | { request?: undefined; faults: Fault[] } {
  const faults: Fault[] = [];
  const url = renderActionUrl(spec.url, context, `${where}.url`, faults);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(spec.headers ?? {})) {
    const place = `${where}.headers.${name}`;
    const options = { where: place, faults, secrets };
    const rendered =
      typeof value === 'string' ? renderText(value, context, options) : renderValue({ ...value }, context, options);
    headers[name] = String(rendered);
    if (!HEADER_NAME.test(name)) faults.push(fault(place, `Expected the name of a header at ${place}`));
    if (!HEADER_VALUE.test(headers[name])) faults.push(fault(place, `Expected ASCII without line breaks at ${place}`));
  }
  let body: string | undefined;
  if (spec.body !== undefined) {
    if (spec.method === 'GET')
      faults.push(fault(`${where}.body`, `Expected no body at ${where}.body: GET carries none`));
    body = JSON.stringify(renderValue(spec.body, context, { where: `${where}.body`, faults, secrets }));
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

function fault(where: string, message: string): Fault {
  return { type: FailureType.ConfigInvalid, message, where };
}
