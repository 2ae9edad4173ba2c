const UNSEEN = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
/** The same without the ends of lines, `\r\n` among them, and tabs. */
const UNSEEN_IN_LINES = /\r(?!\n)|(?![\n\r\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** A text as it may be shown: a control character in what others sent must not steer the terminal or page that shows it. */
export function visibleText(text: string): string {
  return text.replace(UNSEEN, escaped);
}

/**
 * Lines as they may be written to a terminal: as `visibleText`, but line ends and tabs stay. JSON stays JSON with the same
 * value: what is escaped can only be within its strings, and is written as JSON writes it.
 */
export function visibleLines(text: string): string {
  return text.replace(UNSEEN_IN_LINES, escaped);
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
