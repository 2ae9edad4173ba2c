import { messageOf } from './message-of';

/**
 * Why a text is no regular expression of RE2, as a sentence that quotes it.
 *
 * @param thrown what its compiler threw
 */
export function patternFault(text: string, thrown: unknown): string {
  return `expected a regular expression of RE2, got ${JSON.stringify(text)}: ${whyNoPattern(thrown)}`;
}

/** What is wrong with a pattern, with the part of it that is; what RE2 leaves out for its linear time is named. */
export function whyNoPattern(thrown: unknown): string {
  const { error, input } = thrown as { error?: unknown; input?: unknown };
  const part = typeof input === 'string' && input !== '' ? input : undefined;
  const [left] = /^\(\?(?:<?[=!]|>)|^\\[1-9k]/.exec(part ?? '') ?? [];
  if (left !== undefined) return `RE2 has no look-around and no back-references, so no ${left}`;
  if (typeof error !== 'string') return messageOf(thrown);
  return part === undefined ? error : `${error}, at ${part}`;
}
