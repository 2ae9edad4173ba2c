import { RE2JS } from 're2js';
import { BoundedMap } from '../../kernel/bounded-map';
import { orBuiltinError } from './builtin';
import type { BuiltinBudget } from './plan-builtin';

const COMPILED_AT_MOST = 100;
const compiled = new BoundedMap<string, RE2JS>(COMPILED_AT_MOST);

/** @throws BuiltinError where RE2 refuses the pattern */
export function compile(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known) return known;
  const fresh = orBuiltinError(() => RE2JS.compile(pattern));
  compiled.set(pattern, fresh);
  return fresh;
}

/** Start and end of the match and of each group, -1 where a group took no part. */
export function matchesOf(pattern: RE2JS, text: string, budget: BuiltinBudget, limit = -1): number[][] {
  const matcher = pattern.matcher(text);
  const matches: number[][] = [];
  let previousEnd = -1;
  for (let at = 0; at <= text.length && (limit < 0 || matches.length < limit);) {
    if (!matcher.find(at)) break;
    const [start, end] = [matcher.start(), matcher.end()];
    if (end > start || start !== previousEnd) {
      budget.spend(matcher.groupCount() + 1);
      const positions: number[] = [];
      for (let group = 0; group <= matcher.groupCount(); group++)
        positions.push(matcher.start(group), matcher.end(group));
      matches.push(positions);
    }
    previousEnd = end;
    at = end > at ? end : at + (text.codePointAt(at)! > 0xffff ? 2 : 1);
  }
  budget.elements(matches.length);
  return matches;
}
