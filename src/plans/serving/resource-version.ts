import type { Parsed } from '../selectors/parse-selector';

/** The largest revision: that of a signed 64-bit integer, as PostgreSQL counts. */
const MOST = 9_223_372_036_854_775_807n;

/**
 * Reads a `resourceVersion` of a request. The empty text is `undefined`: the caller names no version.
 *
 * @returns the revision in plain decimal, or why it is none
 */
export function parseResourceVersion(text: string): Parsed<string | undefined> {
  if (text === '') return { value: undefined };
  if (!/^\d{1,19}$/.test(text) || BigInt(text) > MOST) {
    return {
      fault: `expected resourceVersion to be a number that this server gave, got ${JSON.stringify(text.slice(0, 40))}`,
    };
  }
  return { value: String(BigInt(text)) };
}

/** Orders two revisions in decimal: they may be longer than a number is exact. */
export function compareRevisions(one: string, other: string): number {
  if (one.length !== other.length) return one.length - other.length;
  return one === other ? 0 : one < other ? -1 : 1;
}

/** Where the next page of a list begins, and the revision that the first page had. */
export interface Continuation {
  revision: string;
  /** of the objects */
  kind: string;
  /** the place of the last object that was given */
  after: { namespace: string; name: string };
}

/** The `continue` token of a list: opaque to clients. */
export function toContinueToken({ revision, kind, after }: Continuation): string {
  return Buffer.from([revision, kind, after.namespace, after.name].join('/')).toString('base64url');
}

/**
 * Reads a `continue` token; one that this server did not give, or that is of another list, is a fault.
 *
 * @param list the kind and, unless it has all of them, the namespace of the list that is continued
 */
export function parseContinueToken(token: string, list: { kind: string; namespace?: string }): Parsed<Continuation> {
  const text = Buffer.from(token, 'base64url').toString('utf8');
  // Namespaces are in none.
  const [, digits = '', kind = '', namespace = '', name = ''] =
    /^(\d{1,19})\/([A-Za-z]+)\/([a-z0-9-]{0,63})\/([a-z0-9-]{1,63})$/.exec(text) ?? [];
  const { value: revision } = parseResourceVersion(digits);
  const isOfList = kind === list.kind && (list.namespace ?? namespace) === namespace;
  if (revision === undefined || !isOfList) return { fault: 'expected continue to be the token of the page before' };
  return { value: { revision, kind, after: { namespace, name } } };
}
