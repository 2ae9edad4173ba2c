import type { Escape } from './parameters';

/**
 * A value in a PromQL query: inside a quoted text it is escaped for its quotes, and for RE2 too where that text is a
 * matcher's regular expression; elsewhere only a number or a duration may stand, so that no value changes what is asked.
 */
export const escapeForPromql: Escape = (value, before) => {
  const quote = openQuote(before);
  if (quote === undefined) {
    return /^(?:[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?|(?:\d+(?:ms|[smhdwy]))+)$/i.test(value)
      ? value
      : { fault: `outside quotes a query takes a number or a duration, not ${JSON.stringify(value)}` };
  }
  const isPattern = /[=!]~\s*$/.test(before.slice(0, quote.at));
  const text = isPattern ? value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&') : value;
  if (quote.mark === '`') return text.includes('`') ? { fault: 'a text in backticks takes no backtick' } : text;
  return text.replace(/[\\"'\n\r\t]/g, (character) => ESCAPES[character] ?? `\\${character}`);
};

/** PromQL's strings are Go's, but for `\'` in double and `\"` in single quotes, which it takes as well. */
const ESCAPES: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The quote that is open at the end of a query's beginning, and where it begins. */
function openQuote(text: string): { mark: string; at: number } | undefined {
  let open: { mark: string; at: number } | undefined;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (open === undefined) {
      if (character === '#') at = lineEnd(text, at);
      else if ('"\'`'.includes(character)) open = { mark: character, at };
    } else if (character === '\\' && open.mark !== '`') at += 1;
    else if (character === open.mark) open = undefined;
  }
  return open;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}
