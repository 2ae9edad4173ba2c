/** gRPC's DEADLINE_EXCEEDED and CANCELLED, and the server's word that no poller took the query. */
export function isUnanswered(error: unknown): boolean {
  const DEADLINE_EXCEEDED = 4;
  const CANCELLED = 1;
  const FAILED_PRECONDITION = 9;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (code === DEADLINE_EXCEEDED || code === CANCELLED || code === FAILED_PRECONDITION) return true;
  }
  return false;
}
