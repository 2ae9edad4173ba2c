export const DecisionOutcome = { allow: 'allow', deny: 'deny', error: 'error' } as const;

export type DecisionOutcome = (typeof DecisionOutcome)[keyof typeof DecisionOutcome];
