import { RE2JS } from 're2js';

/** Whether a text holds what a pattern describes. */
export type PatternTest = (text: string | number) => boolean;

/** A text that every match of a pattern begins with, where it is plain to see: `^prod-.*` begins with `prod-`. */
const PLAIN_START = /^\^([A-Za-z0-9_/-]+)/;
const QUANTIFIERS = '*?+{';

/**
 * Compiles an RE2 pattern, which is looked for anywhere in a text. Texts without the pattern's plain beginning are told by that.
 *
 * @throws for an invalid pattern
 */
export function compilePattern(source: string): PatternTest {
  const pattern = RE2JS.compile(source);
  const start = plainStart(source);
  if (start === '') return (text) => pattern.test(String(text));
  return (text) => {
    const value = String(text);
    return value.startsWith(start) && pattern.test(value);
  };
}

/** Empty where a match may begin in another way. */
export function plainStart(source: string): string {
  // An alternative begins elsewhere, and a flag such as (?i) changes what letters mean.
  if (source.includes('|') || source.includes('(?')) return '';
  const start = PLAIN_START.exec(source)?.[1] ?? '';
  const next = source.charAt(1 + start.length);
  // The last character may be absent, or repeated.
  return next !== '' && QUANTIFIERS.includes(next) ? start.slice(0, -1) : start;
}
