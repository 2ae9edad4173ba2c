/** What a decision can be: `error` when no decision could be made, which never allows. */
export const DecisionOutcome = { allow: 'allow', deny: 'deny', error: 'error' } as const;

export type DecisionOutcome = (typeof DecisionOutcome)[keyof typeof DecisionOutcome];
