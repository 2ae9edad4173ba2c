import { createHash } from 'node:crypto';

// Workflow code must not reach this module: Temporal's bundler refuses node:crypto.

/** SHA-256 in lower-case hex; a text counts as its UTF-8. */
export function sha256(content: Uint8Array | string): string {
  return sha256OfParts([content]);
}

/** SHA-256 in lower-case hex of the parts, one after the other. */
export function sha256OfParts(parts: Iterable<Uint8Array | string>): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
