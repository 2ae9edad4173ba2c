import { appendsOutside } from './compile/lookups';
import { possibleDoubt } from './compile/watches';
import type { DoubtReason } from './doubts';
import type { Block, Plan, SourceLine, Statement } from './plan';
import { readPlan } from './read-plan';

/** A line at which the compiled module can lose its vote. */
export interface PossibleDoubt {
  at: SourceLine;
  reason: DoubtReason;
}

/**
 * The lines where an evaluation can find that the compiled module has no vote, each line and reason once. Whether it does
 * depends on the values: an addition takes the vote away where a fraction is added. Integers beyond 2^53 and positions in
 * lists of data are not tied to a line, and are not listed.
 *
 * @throws PlanInvalidError where the plan is not understood
 */
export function possibleDoubts(planText: string): PossibleDoubt[] {
  const found = new Map<string, PossibleDoubt>();
  const visit = (statement: Statement): void => {
    const reason = reasonOf(statement);
    const { at } = statement;
    // The planner's own statements have no line.
    if (reason !== undefined && at.row > 0) found.set(`${at.file}\0${at.row}\0${reason}`, { at, reason });
  };
  eachStatement(readPlan(planText), visit);
  return [...found.values()].sort(
    (a, b) => compareTexts(a.at.file, b.at.file) || a.at.row - b.at.row || compareTexts(a.reason, b.reason),
  );
}

function reasonOf(statement: Statement): DoubtReason | undefined {
  if (statement.type === 'CallStmt') return possibleDoubt(statement.func);
  return statement.type === 'ScanStmt' && appendsOutside(statement.block) ? 'unordered-list' : undefined;
}

function eachStatement({ entrypoints, functions }: Plan, visit: (statement: Statement) => void): void {
  const walk = (block: Block): void => {
    for (const statement of block) {
      visit(statement);
      if (statement.type === 'BlockStmt') statement.blocks.forEach(walk);
      else if ('block' in statement) walk(statement.block);
    }
  };
  for (const { blocks } of [...entrypoints, ...functions]) blocks.forEach(walk);
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
