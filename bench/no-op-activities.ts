export interface NoOpActivities {
  noOp(): Promise<void>;
}

export const noOpActivities: NoOpActivities = { noOp: () => Promise.resolve() };
