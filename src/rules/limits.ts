/** How big the parts of a rule policy may be; far above what people write and read, and well below what holds up a thread. */
export const RULE_LIMITS = {
  /** conditions of one policy, those that hold others included */
  conditions: 1_000,
  /** levels of conditions in one another */
  depth: 32,
  /** items of the list that `in` and `not_in` compare with */
  listItems: 10_000,
  /** characters of a regular expression */
  patternChars: 1_000,
  /** policies that extend one another, or fragments that include one another */
  ancestors: 32,
  /** characters of one policy as JSON */
  documentChars: 262_144,
  /** bytes of a file of policies, or of fixtures */
  fileBytes: 16 * 1024 * 1024,
  /** bytes of a state's file */
  stateBytes: 64 * 1024 * 1024,
} as const;
