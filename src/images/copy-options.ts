/** What a copy may do, as policies and commands say it. */
export interface CopyOptions {
  /** keeps what the tag named before under this tag */
  backupTag?: string;
  /** a tag that the target has stays as it is @default false */
  noOverwrite?: boolean;
  /** only these of an index, such as `linux/arm64`, under a digest of its own @default all */
  platforms?: readonly string[];
  /** children or blobs that the source lacks: an error, or copied without them @default refuse */
  incomplete?: 'refuse' | 'copy';
  /** further attempts at the whole copy while a registry is unavailable @default none */
  retry?: CopyRetry;
}

/** Waits in milliseconds. */
export interface CopyRetry {
  /** in all */
  attempts: number;
  initialMs: number;
  factor: number;
  maxMs: number;
}

/**
 * `copied`; `unchanged`: the tag named the image already; `kept`: the tag names another image, which must stay; `withheld`: the
 * whole image is at the target, and the tag was not moved.
 */
export type CopyOutcome = 'copied' | 'unchanged' | 'kept' | 'withheld';
