import { RE2JS } from 're2js';
import { BuiltinError, type Builtins } from './builtin';
import { integerAt, stringAt } from './operands';
import type { BuiltinBudget } from './plan-builtin';
import { compile, matchesOf } from './regex-matches';
import type { RegoValue } from '../values/value';

/**
 * Regular expressions in RE2's language and in linear time, as Go has them. Their matches are found one by one with
 * Go's rule for empty ones, which differs from Java's and JavaScript's: none directly after a match.
 */
export const regexBuiltins: Builtins = {
  'regex.is_valid': ([pattern]) => typeof pattern === 'string' && isValid(pattern),
  'regex.match': matches,
  re_match: matches,
  'regex.split': (operands, { budget }) => split(compile(stringAt(operands, 0)), stringAt(operands, 1), budget),
  'regex.find_all_string_submatch_n': (operands, { budget }) => {
    const [pattern, text, limit] = [compile(stringAt(operands, 0)), stringAt(operands, 1), integerAt(operands, 2)];
    return matchesOf(pattern, text, budget, limit).map((positions) => groupsOf(text, positions));
  },
  'regex.find_n': (operands, { budget }) => {
    const [pattern, text, limit] = [compile(stringAt(operands, 0)), stringAt(operands, 1), integerAt(operands, 2)];
    return matchesOf(pattern, text, budget, limit).map(([start, end]) => text.slice(start, end));
  },
  'regex.replace': (operands, { budget }) => {
    const [text, pattern, template] = [stringAt(operands, 0), compile(stringAt(operands, 1)), stringAt(operands, 2)];
    const names = pattern.namedGroups() as Record<string, number>;
    let output = '';
    let last = 0;
    for (const match of matchesOf(pattern, text, budget)) {
      const expanded = expand(template, text, match, names);
      budget.characters(output.length + expanded.length + text.length - last);
      output += text.slice(last, match[0]) + expanded;
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

function matches(operands: readonly RegoValue[]): boolean {
  const [pattern, text] = [stringAt(operands, 0), stringAt(operands, 1)];
  return compile(pattern).matcher(text).find();
}

function isValid(pattern: string): boolean {
  try {
    compile(pattern);
    return true;
  } catch (error) {
    if (error instanceof BuiltinError) return false;
    throw error;
  }
}

/** The match and its groups as texts; a group that took no part is empty. */
function groupsOf(text: string, positions: readonly number[]): string[] {
  return Array.from({ length: positions.length / 2 }, (_, group) =>
    text.slice(Math.max(positions[2 * group]!, 0), Math.max(positions[2 * group + 1]!, 0)),
  );
}

function split(pattern: RE2JS, text: string, budget: BuiltinBudget): string[] {
  if (pattern.pattern() !== '' && text === '') return [''];
  const parts: string[] = [];
  let [begin, end] = [0, 0];
  for (const match of matchesOf(pattern, text, budget)) {
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

/** `urn:foo:{.*}` with `{` and `}`: what is between the delimiters is a pattern, the rest is taken literally. */
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
