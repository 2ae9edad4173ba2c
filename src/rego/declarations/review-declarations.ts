import type { Declaration, Declarations } from './declaration';
import { takesInEverything, type PathPattern } from './path-pattern';

/** Something that an author should look at again in a declaration. */
export interface DeclarationWarning {
  /** where it is written, `gate.rego:12` */
  where: string;
  message: string;
}

/**
 * Declarations that hide more than their author may think, and those that hide nothing: `**` at the root of a fact, the
 * attributes or the parameters, and a pattern that no read of the policy leads to.
 *
 * @param reads paths that the policy reads, `input` or `data` first; each ends where the policy stops naming keys
 */
export function reviewDeclarations(
  { rules }: Declarations,
  reads: readonly (readonly string[])[],
): DeclarationWarning[] {
  return rules.flatMap((rule) => rule.optional.flatMap((pattern) => reviewPattern(rule, pattern, reads)));
}

function reviewPattern(
  { where }: Declaration,
  pattern: PathPattern,
  reads: readonly (readonly string[])[],
): DeclarationWarning[] {
  if (!reads.some((path) => leadsTo(pattern, path))) {
    return [
      { where, message: `optional ${pattern.text}: the policy reads nothing there; remove it, or correct the path` },
    ];
  }
  if (!takesInEverything(pattern)) return [];
  return [
    {
      where,
      message: `optional ${pattern.text}: hides every absence in what it names; expected ** below at least one more key`,
    },
  ];
}

/** Whether a lookup on the way along the path, or beyond its end, could be at a place that the pattern takes in. */
function leadsTo({ steps }: PathPattern, path: readonly string[]): boolean {
  for (const [index, step] of steps.entries()) {
    if (step === '**' || index === path.length) return true;
    if (step !== '*' && step.key !== path[index]) return false;
  }
  return true;
}
