/**
 * When the next message about a pause is due: the first interval after the last message, doubled with each one sent, up
 * to `atMostMs`. So a pause of months sends a message a day, not thousands.
 *
 * @param messagesSent at least 1: the first message of the pause
 */
export function nextReminderAtMs(
  lastMessageAtMs: number,
  messagesSent: number,
  firstIntervalMs: number,
  atMostMs: number,
): number {
  const doublings = Math.min(Math.max(0, messagesSent - 1), 30);
  return lastMessageAtMs + Math.min(atMostMs, firstIntervalMs * 2 ** doublings);
}
