import type { BuiltinBudget } from './plan-builtin';

/**
 * Go's `strings.NewReplacer`: at each place the first pair that fits, and an empty text to be replaced at every byte
 * but not directly after another empty match.
 *
 * @param pairs what is replaced and by what, in the order in which they are tried
 */
export function replaceAll(text: string, pairs: readonly (readonly [string, string])[], budget: BuiltinBudget): string {
  const [single] = pairs;
  if (pairs.length === 1 && single![0] !== '') return replaceOne(text, single![0], single![1], budget);
  // Go's places are bytes, which tell only where something empty is replaced
  const byBytes = pairs.some(([from]) => from === '');
  const encode = (part: string) => (byBytes ? Buffer.from(part, 'utf8').toString('latin1') : part);
  const replaced = replaceEach(
    encode(text),
    pairs.map(([from, to]) => [encode(from), encode(to)] as const),
    budget,
  );
  return byBytes ? Buffer.from(replaced, 'latin1').toString('utf8') : replaced;
}

function replaceOne(text: string, from: string, to: string, budget: BuiltinBudget): string {
  budget.characters(text.length + countOf(text, from) * (to.length - from.length));
  return text.split(from).join(to);
}

/** How many times a text that is not empty occurs, without overlaps. */
export function countOf(text: string, search: string): number {
  let count = 0;
  for (let at = text.indexOf(search); at >= 0; at = text.indexOf(search, at + search.length)) count++;
  return count;
}

function replaceEach(text: string, pairs: readonly (readonly [string, string])[], budget: BuiltinBudget): string {
  const parts: string[] = [];
  let [length, last, afterEmpty] = [text.length, 0, false];
  for (let at = 0; at <= text.length;) {
    const match = pairs.find(([from]) => (from === '' ? !afterEmpty : text.startsWith(from, at)));
    budget.spend(1);
    afterEmpty = match?.[0] === '';
    if (!match) {
      at++;
      continue;
    }
    parts.push(text.slice(last, at), match[1]);
    at += match[0].length;
    last = at;
    length += match[1].length - match[0].length;
    if (parts.length % 1_024 === 0) budget.characters(length);
  }
  budget.characters(length);
  return parts.join('') + text.slice(last);
}
