const INVALID_ARGUMENT = 3;

/** Whether Temporal refused a list because it knows no such search attribute: `gate setup` was not run there. */
export function isUnknownQuery(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if ((cause as { code?: unknown }).code === INVALID_ARGUMENT) return true;
  }
  return false;
}
