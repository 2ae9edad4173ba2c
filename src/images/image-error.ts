/** What can go wrong with policies and images. Public: decisions, `-o json` and records hold these codes. */
export const ImageErrorCode = {
  POLICY_NOT_FOUND: 'POLICY_NOT_FOUND',
  /** a condition could not be evaluated: what it looks at could not be read, or its type failed */
  CONDITION_EVAL_ERROR: 'CONDITION_EVAL_ERROR',
  /** an action cannot be carried out as it is written */
  ACTION_EXEC_ERROR: 'ACTION_EXEC_ERROR',
  /** two sources have one target */
  POLICY_CONFLICT: 'POLICY_CONFLICT',
  IMAGE_NOT_FOUND: 'IMAGE_NOT_FOUND',
  REGISTRY_UNAVAILABLE: 'REGISTRY_UNAVAILABLE',
} as const;
export type ImageErrorCode = (typeof ImageErrorCode)[keyof typeof ImageErrorCode];

/** An error as decisions hold it. */
export interface ImageFault {
  code: ImageErrorCode;
  policyId?: string;
  /** what happened, in one sentence and without secrets */
  cause: string;
}

/** Thrown where there can be no decision at all. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  constructor(
    readonly code: ImageErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
