/**
 * Which paths a policy declares optional: `input.config.overrides.*`, `data.exceptions.**`, `input.labels["a.b/c"]`.
 * `*` is one level, whatever its key or index; `**` is any number of levels, none among them.
 */
export interface PathPattern {
  /** as it is written */
  text: string;
  steps: readonly PatternStep[];
}

export type PatternStep = { key: string } | '*' | '**';

/** A key in brackets is a JSON text; a bare one holds neither a dot nor a bracket. */
const STEP = /\.(\*\*|\*|[^.[\]*"\s]+)|\[("(?:[^"\\]|\\.)*")\]/y;

/**
 * @returns what was expected instead, as the rest of a sentence that begins with `expected`, where the text is no pattern
 */
export function parsePathPattern(text: string): PathPattern | { expected: string } {
  const root = /^(?:input|data)(?=[.[])/.exec(text)?.[0];
  if (root === undefined) return { expected: 'a path below input or data, such as input.config.overrides.*' };
  const steps: PatternStep[] = [{ key: root }];
  STEP.lastIndex = root.length;
  while (STEP.lastIndex < text.length) {
    const at = STEP.lastIndex;
    const match = STEP.exec(text);
    if (match === null) return { expected: `a key, * or ** at character ${at + 1} of ${text}` };
    const [, bare, quoted] = match;
    const key = quoted === undefined ? bare! : unquote(quoted);
    if (key === undefined) return { expected: `a JSON text in brackets at character ${at + 1} of ${text}` };
    steps.push(quoted === undefined && (bare === '*' || bare === '**') ? bare : { key });
  }
  return isWholeFact(steps)
    ? { expected: `a path below the whole fact or document that ${text} names` }
    : { text, steps };
}

/** Whether the pattern takes in the path; its first key is `input` or `data`. An index counts as its digits. */
export function matchesPath({ steps }: PathPattern, path: readonly string[]): boolean {
  return matchesFrom(steps, 0, path, 0);
}

/** Whether `**` comes right below a fact, the attributes or the parameters: then an absence in them is never noted. */
export function takesInEverything({ steps }: PathPattern): boolean {
  return steps[rootLength(steps)] === '**';
}

/** Two `**` may each end anywhere, but a pattern is short and so is a path. */
function matchesFrom(steps: readonly PatternStep[], at: number, path: readonly string[], from: number): boolean {
  if (at === steps.length) return from === path.length;
  const step = steps[at]!;
  if (step === '**') {
    for (let end = from; end <= path.length; end++) if (matchesFrom(steps, at + 1, path, end)) return true;
    return false;
  }
  if (from === path.length || (step !== '*' && step.key !== path[from])) return false;
  return matchesFrom(steps, at + 1, path, from + 1);
}

/** A fact is `input.<id>`; attributes, limits and parameters lie one level lower; other data is a document by its name. */
function rootLength(steps: readonly PatternStep[]): number {
  const [root, first, second] = steps.map((step) => (typeof step === 'string' ? step : step.key));
  if (root === 'input') return first === 'deployment' ? 3 : 2;
  return first === 'config' && (second === 'limits' || second === 'parameters') ? 3 : first === 'config' ? 2 : 1;
}

/** A whole fact is never optional (the provider's onMissing is for that), nor is all that a fact's id could be. */
function isWholeFact(steps: readonly PatternStep[]): boolean {
  const length = rootLength(steps);
  if (steps.length <= length) return true;
  return steps.slice(0, length).some((step) => typeof step === 'string');
}

function unquote(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}
