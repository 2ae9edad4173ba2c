/** Go's `strings.ToLower`: rune by rune, where JavaScript's may make one into several or look at its neighbours. */
export function toLower(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  return mapRunes(text, (rune) => (rune === '\u0130' ? 'i' : rune.toLowerCase()));
}

/** Go's `strings.ToUpper`. */
export function toUpper(text: string): string {
  return isAscii(text) ? text.toUpperCase() : mapRunes(text, (rune) => rune.toUpperCase());
}

export function isAscii(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- the whole of ASCII is meant
  return !/[^\x00-\x7f]/.test(text);
}

function mapRunes(text: string, map: (rune: string) => string): string {
  return Array.from(text, (rune) => {
    const mapped = map(rune);
    return [...mapped].length === 1 ? mapped : rune;
  }).join('');
}
