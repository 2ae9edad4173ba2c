/** What `lint` looks for; the names are public. */
export const LintRule = {
  /** conditions that no state can meet */
  contradiction: 'contradiction',
  /** a metric that the state's schema does not have */
  unknown_metric: 'unknown_metric',
  /** a comparison with a value of a type that the metric never has: always unknown, or never equal */
  type: 'type',
  /** a policy that can never match, for what it depends on or for its times */
  unreachable: 'unreachable',
  /** a policy whose actions are always dropped for those of another */
  shadowed: 'shadowed',
  /** two policies that may match together and contradict each other */
  conflict: 'conflict',
  /** a case of a declared enumeration in which no policy can match, or one that is none of its cases */
  uncovered: 'uncovered',
} as const;
export type LintRule = (typeof LintRule)[keyof typeof LintRule];

/** One thing that policies can hardly mean. */
export interface Finding {
  rule: LintRule;
  /** an error is certain to have no effect; a warning may be meant */
  severity: 'error' | 'warning';
  policy?: string;
  /** JSON Pointer in the policy's document; in its effective document where it inherits or includes */
  pointer: string;
  message: string;
}

/** Findings of one rule beyond this many are not told: the first ones say what is to be done. */
export const MOST_FINDINGS = 1_000;
