/** What was thrown, in one text: the message of an error, and anything else as it prints. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
