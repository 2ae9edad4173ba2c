import { RE2JS } from 're2js';
import { BuiltinError, integerAt, orBuiltinError, stringAt, type Builtins } from './builtin';

/**
 * Regular expressions in RE2's language and in linear time, as Go has them. Their matches are found one by one with
 * Go's rule for empty ones, which differs from Java's and JavaScript's: none directly after a match.
 */
export const regexBuiltins: Builtins = {
  'regex.split': (operands) => split(compile(stringAt(operands, 0)), stringAt(operands, 1)),
  'regex.find_n': (operands) => {
    const [pattern, text, limit] = [compile(stringAt(operands, 0)), stringAt(operands, 1), integerAt(operands, 2)];
    return matchesOf(pattern, text, limit).map(([start, end]) => text.slice(start, end));
  },
  'regex.replace': (operands) => {
    const [text, pattern, template] = [stringAt(operands, 0), compile(stringAt(operands, 1)), stringAt(operands, 2)];
    const names = pattern.namedGroups() as Record<string, number>;
    let output = '';
    let last = 0;
    for (const match of matchesOf(pattern, text)) {
      output += text.slice(last, match[0]) + expand(template, text, match, names);
      last = match[1]!;
    }
    return output + text.slice(last);
  },
  'regex.template_match': (operands) => {
    const [template, text] = [stringAt(operands, 0), stringAt(operands, 1)];
    const [open, close] = [stringAt(operands, 2), stringAt(operands, 3)];
    if (Buffer.byteLength(open) !== 1 || Buffer.byteLength(close) !== 1) {
      throw new BuiltinError('delimiters have to be exactly one character long');
    }
    return compile(templatePattern(template, open, close))
      .matcher(text)
      .find();
  },
};

const COMPILED_AT_MOST = 100;
const compiled = new Map<string, RE2JS>();

function compile(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known) return known;
  const fresh = orBuiltinError(() => RE2JS.compile(pattern));
  if (compiled.size >= COMPILED_AT_MOST) compiled.delete(compiled.keys().next().value!);
  compiled.set(pattern, fresh);
  return fresh;
}

/** Start and end of the match and of each group, -1 where a group took no part. */
function matchesOf(pattern: RE2JS, text: string, limit = -1): number[][] {
  const matcher = pattern.matcher(text);
  const matches: number[][] = [];
  let previousEnd = -1;
  for (let at = 0; at <= text.length && (limit < 0 || matches.length < limit);) {
    if (!matcher.find(at)) break;
    const [start, end] = [matcher.start(), matcher.end()];
    if (end > start || start !== previousEnd) {
      const positions: number[] = [];
      for (let group = 0; group <= matcher.groupCount(); group++)
        positions.push(matcher.start(group), matcher.end(group));
      matches.push(positions);
    }
    previousEnd = end;
    at = end > at ? end : at + (text.codePointAt(at)! > 0xffff ? 2 : 1);
  }
  return matches;
}

function split(pattern: RE2JS, text: string): string[] {
  if (pattern.pattern() !== '' && text === '') return [''];
  const parts: string[] = [];
  let [begin, end] = [0, 0];
  for (const match of matchesOf(pattern, text)) {
    end = match[0]!;
    if (match[1] !== 0) parts.push(text.slice(begin, end));
    begin = match[1]!;
  }
  if (end !== text.length) parts.push(text.slice(begin));
  return parts;
}

/** Go's `Regexp.Expand`: `$name` takes as many letters, digits and underscores as there are; an unknown one is empty. */
function expand(template: string, text: string, match: number[], names: Record<string, number>): string {
  return template.replace(/\$(?:\$|\{(\w+)\}|([\p{L}\p{Nd}_]+))/gu, (_all, braced?: string, bare?: string) => {
    const name = braced ?? bare;
    if (name === undefined) return '$';
    const group = /^\d+$/.test(name) ? Number(name) : (names[name] ?? -1);
    const [start, end] = [match[2 * group], match[2 * group + 1]];
    return start === undefined || start < 0 ? '' : text.slice(start, end);
  });
}

/** `urn:foo:{.*}` with `{` and `}`: what stands between the delimiters is a pattern, the rest is taken literally. */
function templatePattern(template: string, open: string, close: string): string {
  let pattern = '^';
  let depth = 0;
  let [start, end] = [0, 0];
  for (let at = 0; at < template.length; at++) {
    if (template[at] === open) {
      if (++depth === 1) start = at;
    } else if (template[at] === close && --depth <= 0) {
      if (depth < 0) break;
      const part = template.slice(start + 1, at);
      compile(`^${part}$`);
      pattern += `${RE2JS.quote(template.slice(end, start))}(${part})`;
      end = at + 1;
    }
  }
  if (depth !== 0) throw new BuiltinError(`unbalanced braces in "${template}"`);
  return `${pattern}${RE2JS.quote(template.slice(end))}$`;
}
