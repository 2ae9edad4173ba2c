/** Where a part is, and how it is known again. */
export interface PartRef {
  /** of its bytes, in hex */
  sha256: string;
  bytes: number;
  /** UTC day on which it was put there, `2026-11-26` */
  day: string;
}

/**
 * Parts of decisions that are still to be recorded, beside the records: what is too big to pass through Temporal. A part is
 * needed until its decision is recorded, since the record holds it whole; it is swept a day later.
 */
export interface PartStore {
  /** for people, without secrets */
  readonly where: string;
  /**
   * Durable when it resolves; the same bytes again are no error.
   *
   * @throws GateError AuditWriteFailed when the store cannot be reached or refuses
   */
  put(bytes: Uint8Array): Promise<PartRef>;
  /**
   * undefined when it is gone.
   *
   * @throws GateError AuditUnavailable when the store cannot be read
   */
  get(ref: PartRef): Promise<Uint8Array | undefined>;
  /**
   * Deletes the parts that were put there before `beforeMs`.
   *
   * @returns how many
   */
  sweep(beforeMs: number): Promise<number>;
}

/** How long a part is kept: a decision that waited longer for its record is an error. */
export const KEEP_PARTS_MS = 86_400_000;

/** The UTC day of a time. */
export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}
