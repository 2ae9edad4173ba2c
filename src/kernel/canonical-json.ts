import { isJsonObject } from './json';

/**
 * JSON with the keys of every object in order: the same text for the same value, whatever order its keys were written in.
 * Digests of it are stored with running deployments, so its form never changes. `''` for undefined.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, child: unknown) => (isJsonObject(child) ? inOrder(child) : child)) ?? '';
}

function inOrder(object: object): object {
  return Object.fromEntries(Object.entries(object).sort(([one], [other]) => (one < other ? -1 : 1)));
}
