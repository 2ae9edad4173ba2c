/** A text as it may be shown: a control character in what others sent must not steer the terminal or page that shows it. */
export function visibleText(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${code}`;
  });
}
