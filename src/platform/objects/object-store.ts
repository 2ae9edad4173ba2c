/** The object under a key, with the tag that changes whenever its content does. */
export interface StoredObject {
  bytes: Uint8Array;
  etag: string;
}

/** The object that was to be replaced has changed, or one exists where none should. */
export class PreconditionFailedError extends Error {
  override readonly name = 'PreconditionFailedError';
  constructor(readonly key: string) {
    super(`The object ${key} was changed by somebody else`);
  }
}

/** The store is out of reach, hangs, throttles, refuses, or answered half a body. */
export class ObjectStoreError extends Error {
  override readonly name = 'ObjectStoreError';
  /** the object is there and larger than it may be: it will be no smaller at the next try */
  readonly isTooLarge: boolean;
  constructor(
    message: string,
    /** HTTP status found, when there was one */
    readonly status?: number,
    options?: { cause?: unknown; isTooLarge?: boolean },
  ) {
    super(message, options);
    this.isTooLarge = options?.isTooLarge === true;
  }
}

/** Condition of a write: the object has this tag, or there is none. Absent: whatever is there is replaced. */
export type WriteCondition = { ifMatch: string } | { ifAbsent: true };

/** Objects as their readers see them, by keys with `/`. Methods throw ObjectStoreError. */
export interface ObjectReader {
  /** undefined when there is none */
  get(key: string, options?: { maxBytes?: number }): Promise<StoredObject | undefined>;
  /** as `get`, but `'unchanged'` when it still has the tag `etag`: one request and nothing else */
  getUnlessSame(
    key: string,
    etag: string,
    options?: { maxBytes?: number },
  ): Promise<StoredObject | 'unchanged' | undefined>;
  /** whether there is one, without reading it */
  has(key: string): Promise<boolean>;
}

/**
 * Objects below one place of an S3 bucket or of a folder. Keys are relative to it, with `/`; none leaves it (`..`, an empty
 * part and a leading `/` are a TypeError).
 *
 * Methods throw ObjectStoreError; `put` also PreconditionFailedError.
 */
export interface ObjectStore extends ObjectReader {
  /** URL of the place, for people, with a `/` at its end: `s3://bucket/prefix/` or `file:///…/` */
  readonly url: string;
  /** whole or not at all; resolves with the new tag when it is durable */
  put(key: string, bytes: Uint8Array, condition?: WriteCondition): Promise<{ etag: string }>;
  /** no error when there is none */
  delete(key: string): Promise<void>;
  /** keys that begin with `prefix`, in order of code units */
  list(prefix: string): Promise<string[]>;
}
