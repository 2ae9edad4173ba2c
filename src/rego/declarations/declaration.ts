import type { PathPattern } from './path-pattern';

/**
 * What a rule says, in its METADATA, that it deals with itself: `custom: {gate: {optional: […], builtin_errors: undefined,
 * comparisons: as-opa}}`. It holds for statements whose source line is within one of `ranges`.
 */
export interface Declaration {
  /** where it is written, `gate.rego:12` */
  where: string;
  /** the rules that it covers, by their lines */
  ranges: readonly LineRange[];
  /** paths that may be absent or null */
  optional: readonly PathPattern[];
  /** an error of a built-in makes its expression undefined, as OPA has it, and no note */
  builtinErrorsAreUndefined: boolean;
  /** comparisons of different types are OPA's business, and no note */
  comparesAsOpa: boolean;
}

/** Lines of one file, the first and the last included, from 1. */
export interface LineRange {
  file: string;
  first: number;
  last: number;
}

/** All that a policy declares for the gate. */
export interface Declarations {
  rules: readonly Declaration[];
  /** `deny_with_notes: deny` on the entrypoint: a denial that has notes is a denial all the same, and lists them */
  deniesWithNotes: boolean;
}

export const NO_DECLARATIONS: Declarations = { rules: [], deniesWithNotes: false };

/** The declarations that hold at a line, in the order in which they are written. */
export function declarationsAt(declarations: Declarations, file: string, line: number): Declaration[] {
  return declarations.rules.filter(({ ranges }) =>
    ranges.some((range) => range.file === file && range.first <= line && line <= range.last),
  );
}
