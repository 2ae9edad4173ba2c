/** A request, as far as faults and tests depend on it. */
export interface Asked {
  method: string;
  /** with its query */
  path: string;
  /** how often this method and path were asked before */
  before: number;
}

/**
 * What a registry does instead of, or with, its own answer. `status` answers at once; `hang` never answers; `cutAfter` closes the
 * connection after so many bytes of the body; `corrupt` changes the last byte of the body; `swallow` reads so many bytes of what
 * is sent and then closes the connection.
 */
export type Fault =
  | { status: number; headers?: Record<string, string>; body?: string }
  | { hang: true }
  | { cutAfter: number }
  | { corrupt: true }
  | { swallow: number };

/** The fault of a request; undefined for none. */
export type Faults = (asked: Asked) => Fault | undefined;
