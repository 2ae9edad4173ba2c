import { LIMITS } from '../../kernel/limits';

/** Updates up to this size are always answered: one argument that is read, and what comes with it. */
const SMALL_BYTES = LIMITS.messageBytes + 4 * 1024;

/**
 * Bytes of the bigger Updates that are answered in one activation. An answer repeats the whole Update, and the server
 * terminates a run whose answer has more than 2 MB; a completed task may have 4 MB, with ten Updates in flight.
 */
const ANSWERED_BYTES = 1024 * 1024;

/** What of a payload counts. */
interface SizedPayload {
  metadata?: Record<string, { length: number }> | null;
  data?: { length: number } | null;
}

/** What of a job of an activation counts. */
export interface UpdateJob {
  doUpdate?: {
    /** false for an Update that an earlier task accepted, which is replayed */
    runValidator?: boolean | null;
    input?: SizedPayload[] | null;
    headers?: Record<string, SizedPayload> | null;
  } | null;
}

/**
 * The jobs without the Updates that are too big to be answered. The server itself refuses an Update that a task did not
 * answer, and keeps nothing of it in the history, so that a replay never sees it.
 */
export function withoutBigUpdates<J extends UpdateJob>(jobs: readonly J[]): J[] {
  let left = ANSWERED_BYTES;
  return jobs.filter(({ doUpdate }) => {
    if (!doUpdate?.runValidator) return true;
    const bytes = [...(doUpdate.input ?? []), ...Object.values(doUpdate.headers ?? {})].reduce(
      (sum, payload) => sum + payloadBytes(payload),
      0,
    );
    if (bytes <= SMALL_BYTES) return true;
    if (bytes > left) return false;
    left -= bytes;
    return true;
  });
}

/** As on the wire, near enough: each field has a tag and a length beside its bytes. */
function payloadBytes({ metadata, data }: SizedPayload): number {
  const entries = Object.entries(metadata ?? {});
  return entries.reduce((sum, [key, value]) => sum + key.length + value.length + 8, (data?.length ?? 0) + 12);
}
