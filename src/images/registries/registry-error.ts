/**
 * Why a registry did not do what it was asked. `unavailable`: not reached, or it said that it cannot now (408, 429, 5xx): asking
 * again may help. `denied`: 401 or 403. `missing`: what was asked for is not there. `refused`: it will not take this. `invalid`: its
 * answer is not what the protocol says, or not what the digest says.
 */
export type RegistryFailure = 'unavailable' | 'denied' | 'missing' | 'refused' | 'invalid';

export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly status?: number;
  /** as the registry asked by Retry-After, milliseconds */
  readonly retryAfterMs?: number;
  /** it has no such repository, and creates none by itself */
  readonly lacksRepository: boolean;

  constructor(
    readonly failure: RegistryFailure,
    message: string,
    options: { status?: number; retryAfterMs?: number; lacksRepository?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
    this.lacksRepository = options.lacksRepository ?? false;
  }
}
