import { BUILTINS } from '../builtins';
import { compilePlan } from './compile/compile-plan';
import type { DoubtReason } from './doubts';
import type { SourceLine } from './plan';
import { readPlan } from './read-plan';

/** A line at which the compiled module can lose its vote. */
export interface PossibleDoubt {
  at: SourceLine;
  reason: DoubtReason;
}

/**
 * The lines where an evaluation can find that the compiled module has no vote, each line and reason once. Whether it does
 * depends on the values: an addition takes the vote away where a fraction is added, a computed key into `data` where it is a
 * number. Integers beyond 2^53 in the input or in data, or made by a calculation, are tied to no line and not listed.
 *
 * @throws PlanInvalidError where the plan is not understood
 */
export function possibleDoubts(planText: string): PossibleDoubt[] {
  const found = new Map<string, PossibleDoubt>();
  const mayDoubt = (reason: DoubtReason, at: SourceLine): void => {
    // The planner's own statements have no line.
    if (at.row > 0) found.set(`${at.file}\0${at.row}\0${reason}`, { at, reason });
  };
  compilePlan(readPlan(planText), BUILTINS, { mayDoubt });
  return [...found.values()].sort(
    (a, b) => compareTexts(a.at.file, b.at.file) || a.at.row - b.at.row || compareTexts(a.reason, b.reason),
  );
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
