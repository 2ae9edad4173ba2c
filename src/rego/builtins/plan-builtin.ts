/** The most that one evaluation may do, whatever the policy and its input. Constants, so that a replay stops where the decision did. */
export const BUDGET = {
  /** statements, elements looked at, eighths of characters */
  steps: 10_000_000,
  /** in one array, set or object */
  elements: 1_000_000,
  /** UTF-16 units of one text */
  characters: 16_777_216,
} as const;

export type BudgetKind = keyof typeof BUDGET;

/** The evaluation passed its budget. Never a policy's undefined: it ends the whole evaluation. */
export class BudgetExceededError extends Error {
  override readonly name = 'BudgetExceededError';
  constructor(readonly kind: BudgetKind) {
    super(`The evaluation passed its budget of ${BUDGET[kind]} ${WORDS[kind]}`);
  }
}

const WORDS = { steps: 'steps', elements: 'elements in one value', characters: 'characters in one text' };

/** A conflict that OPA reports whatever its mode (`eval_conflict_error`): it ends the whole evaluation. */
export class EvaluationConflictError extends Error {
  override readonly name = 'EvaluationConflictError';
}

/**
 * What a built-in asks before it makes something large. A growing array or text is not contained by the limits of a thread:
 * V8 then ends the whole process (nodejs/node#47224).
 */
export interface BuiltinBudget {
  /** Counts work that makes nothing, such as comparing. @throws BudgetExceededError */
  spend(steps: number): void;
  /** Before a value with so many elements is made; counts a step for each. @throws BudgetExceededError */
  elements(count: number | bigint): void;
  /** Before a text of so many UTF-16 units is made; counts a step for every 8. @throws BudgetExceededError */
  characters(count: number | bigint): void;
}

/** The budget of one evaluation. */
export class EvaluationBudget implements BuiltinBudget {
  /** may be counted down by the evaluator itself, which checks it */
  stepsLeft: number = BUDGET.steps;

  spend(steps: number): void {
    if ((this.stepsLeft -= steps) < 0) throw new BudgetExceededError('steps');
  }

  elements(count: number | bigint): void {
    if (count > BUDGET.elements) throw new BudgetExceededError('elements');
    this.spend(Number(count));
  }

  characters(count: number | bigint): void {
    if (count > BUDGET.characters) throw new BudgetExceededError('characters');
    this.spend(Number(count) >>> 3);
  }
}
