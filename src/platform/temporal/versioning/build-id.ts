import { createHash } from 'node:crypto';

/** Hex digits of the digest in a build id: enough to tell builds apart, short enough to read aloud. */
const DIGEST_DIGITS = 12;

/**
 * The build id of a workflow bundle: the package's version and the start of the SHA-256 of the code that is executed.
 * The source map that the bundler appends is left out: it holds absolute paths, so that one commit built in two folders
 * would have two digests.
 */
export function buildIdOf(packageVersion: string, bundleCode: string): string {
  const executed = bundleCode.replace(/^\/\/# sourceMappingURL=.*$/gm, '');
  const digest = createHash('sha256').update(executed).digest('hex');
  return `${packageVersion}-${digest.slice(0, DIGEST_DIGITS)}`;
}
