/** The name of `known` that `name` most likely was meant to be: same letters in another case, or at most two edits away. */
export function closeName(name: string, known: readonly string[]): string | undefined {
  const sameLetters = known.find((each) => plain(each) === plain(name));
  if (sameLetters !== undefined) return sameLetters;
  // Of a short name two edits leave nothing.
  const allowed = name.length <= 3 ? 1 : 2;
  const [best] = known
    .map((each) => ({ each, edits: editDistance(name, each) }))
    .filter(({ edits }) => edits <= allowed)
    .sort((a, b) => a.edits - b.edits);
  return best?.each;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_ ]/g, '');
}

/** Insertions, deletions and replacements between two names (Levenshtein). */
function editDistance(a: string, b: string): number {
  // Far longer than any key of ours: not worth a table of its size.
  if (Math.abs(a.length - b.length) > 2) return Infinity;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? Infinity;
}
