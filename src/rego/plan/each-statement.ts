import type { Block, Statement } from './plan';

/** Visits every statement of `blocks` in the order of the plan, those of inner blocks after the one that holds them. */
export function eachStatement(blocks: readonly Block[], visit: (statement: Statement) => void): void {
  for (const block of blocks) {
    for (const statement of block) {
      visit(statement);
      if (statement.type === 'BlockStmt') eachStatement(statement.blocks, visit);
      else if ('block' in statement) eachStatement([statement.block], visit);
    }
  }
}
