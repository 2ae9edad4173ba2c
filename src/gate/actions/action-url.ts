import { FailureType, type Fault } from '../../kernel/failures';
import { EXPECTED_OF_HTTP_URL, readHttpUrl } from '../../kernel/http-url';
import type { ActionContext } from './action';
import { renderText } from './template';

/** `\\` ends it as well, because a URL takes it for `/`. */
const AUTHORITY = /^https?:\/\/[^/\\?#]*/i;
/** A step within a path and no segment of it, also when it is percent-encoded (WHATWG URL, "dot segment"). */
const DOT_SEGMENT = /^(?:\.|%2e){1,2}$/i;
const SEGMENT_ENDS = /[/\\]/;

/**
 * The URL of an action with its templates filled in. A value never changes the URL's shape: each is percent-encoded, none
 * stands in the scheme, the host or the port, and no segment of the path that holds one may come out empty or as a step
 * to another segment (`.`, `..`). Steps that the author wrote are refused as well: the URL shown would not be the one asked.
 *
 * @returns undefined with at least one fault in `faults`; a refused URL is not repeated, since it may hold a password
 */
export function renderActionUrl(
  template: string,
  context: ActionContext,
  where: string,
  faults: Fault[],
): URL | undefined {
  const before = faults.length;
  const refuse = (what: string): void => void faults.push({ type: FailureType.ConfigInvalid, message: what, where });
  const authority = AUTHORITY.exec(template)?.[0];
  if (/[\t\r\n]/.test(template)) refuse(`Expected ${where} without tabs and line breaks, which a URL leaves out`);
  if (authority === undefined || authority.includes('{{')) {
    refuse(
      authority === undefined && !template.includes('{{')
        ? `Expected ${where} ${EXPECTED_OF_HTTP_URL['no-http-url']}`
        : `Expected ${where} to name its host without a template: http://HOST/… or https://HOST/…`,
    );
  }
  const encode = (text: string): string => {
    try {
      return encodeURIComponent(text);
    } catch {
      // Half of a surrogate pair has no UTF-8.
      refuse(`Expected valid Unicode in the values at ${where}, found half a character`);
      return '';
    }
  };
  const rendered = renderText(template, context, { where, faults, encode });
  if (faults.length > before || authority === undefined) return undefined;
  findShapeFaults(template.slice(authority.length), rendered.slice(authority.length)).forEach((what) =>
    refuse(`Expected ${where} to keep the path that it has as a template, but ${what}`),
  );
  const url = readHttpUrl(rendered);
  if (typeof url !== 'string') return faults.length > before ? undefined : url;
  refuse(`Expected ${where} ${EXPECTED_OF_HTTP_URL[url]}`);
  return undefined;
}

/** Both begin behind the authority, and have as many segments: an encoded value holds no separator. */
function findShapeFaults(template: string, rendered: string): string[] {
  const segments = pathOf(rendered).split(SEGMENT_ENDS);
  return pathOf(template)
    .split(SEGMENT_ENDS)
    .flatMap((written, index) => {
      const segment = segments[index] ?? '';
      if (DOT_SEGMENT.test(segment)) return [`the segment ${JSON.stringify(written)} is a step to another one`];
      return written.includes('{{') && segment === '' ? [`the segment ${JSON.stringify(written)} is empty`] : [];
    });
}

function pathOf(text: string): string {
  return text.split(/[?#]/, 1)[0] ?? '';
}
