/** Faults that a note, message or rejection names at most. */
export const MAX_FAULTS = 10;
/** Characters of each of them. */
export const MAX_FAULT_CHARS = 200;

/** The text, or its beginning followed by `…`; never longer than `max` characters. A surrogate pair is not split. */
export function shortText(text: string, max = MAX_FAULT_CHARS): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, max - 1);
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

/** At most `MAX_FAULTS` of the texts, each shortened, joined by `; `; how many were left out is said at the end. */
export function shortTexts(texts: readonly string[]): string {
  const shown = texts.slice(0, MAX_FAULTS).map((text) => shortText(text));
  const left = texts.length - shown.length;
  return [...shown, ...(left > 0 ? [`and ${left} more`] : [])].join('; ');
}

/** Reasons or faults that an explanation lists at most, and characters of each. */
const MAX_LISTED = 20;
const MAX_LISTED_CHARS = 500;

/** At most `MAX_LISTED` of the texts, each shortened; the last entry then says how many were left out. */
export function shortList(texts: readonly string[]): string[] {
  const shown = texts.slice(0, MAX_LISTED).map((text) => shortText(text, MAX_LISTED_CHARS));
  const left = texts.length - shown.length;
  return left > 0 ? [...shown, `and ${left} more`] : shown;
}
