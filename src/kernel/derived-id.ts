import { pureSha256 } from './sha256';

/**
 * An id that follows from what it names, in the form of a UUID (version 8): the same parts always give the same id, so
 * that a step that runs again finds what it wrote before.
 */
export function derivedId(...parts: readonly (string | number)[]): string {
  const hex = pureSha256(JSON.stringify(parts));
  const variant = ((parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
