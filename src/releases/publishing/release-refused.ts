/**
 * A release that must not be published: its policy and its configuration can be read, but the policy's own tests fail, or the
 * two do not fit together.
 */
export class ReleaseRefusedError extends Error {
  override readonly name = 'ReleaseRefusedError';
}
