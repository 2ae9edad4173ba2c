import type { LineRange } from './declaration';
import { parsePathPattern } from './path-pattern';

/** What is to be declared for the rule at a line. */
export interface WantedDeclaration {
  /** `gate.rego:8` */
  where: string;
  optional?: string;
  builtinErrors?: 'undefined';
  comparisons?: 'as-opa';
}

export interface WrittenDeclarations {
  /** a METADATA block for each rule, ordered by file and line */
  blocks: { rule: string; where: string; lines: string[] }[];
  /** places at which the policy has no rule, or paths that no rule may declare */
  leftOut: string[];
}

/**
 * METADATA that would make what is wanted no error, one block for each rule, for its author to review: nothing is edited.
 *
 * @param rules of the policy as it is now, by their lines
 */
export function writeDeclarations(
  wanted: readonly WantedDeclaration[],
  rules: readonly { path: string; range: LineRange }[],
): WrittenDeclarations {
  const byRule = new Map<(typeof rules)[number], WantedDeclaration[]>();
  const leftOut = new Set<string>();
  for (const one of wanted) {
    const rule = rules.find(({ range }) => holds(range, one.where));
    if (rule === undefined) leftOut.add(`${one.where}: the policy has no rule there now`);
    else if (one.optional !== undefined && 'expected' in parsePathPattern(one.optional))
      leftOut.add(`${one.where}: ${one.optional} cannot be optional`);
    else byRule.set(rule, [...(byRule.get(rule) ?? []), one]);
  }
  const blocks = [...byRule]
    .map(([{ path, range }, declared]) => ({ rule: path, where: `${range.file}:${range.first}`, range, declared }))
    .sort((a, b) => compareTexts(a.range.file, b.range.file) || a.range.first - b.range.first)
    .map(({ rule, where, declared }) => ({ rule, where, lines: blockOf(declared) }));
  return { blocks, leftOut: [...leftOut].sort() };
}

function blockOf(declared: readonly WantedDeclaration[]): string[] {
  const paths = [...new Set(declared.flatMap(({ optional }) => optional ?? []))].sort();
  return [
    '# METADATA',
    '# custom:',
    '#   gate:',
    ...(paths.length > 0 ? ['#     optional:', ...paths.map((path) => `#       - ${JSON.stringify(path)}`)] : []),
    ...(declared.some(({ builtinErrors }) => builtinErrors) ? ['#     builtin_errors: undefined'] : []),
    ...(declared.some(({ comparisons }) => comparisons) ? ['#     comparisons: as-opa'] : []),
  ];
}

function holds({ file, first, last }: LineRange, where: string): boolean {
  const at = where.lastIndexOf(':');
  const row = Number(where.slice(at + 1));
  return where.slice(0, at) === file && first <= row && row <= last;
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
