/** How big the parts of an image policy may be; far above what people write, and well below what holds up a worker. */
export const IMAGE_POLICY_LIMITS = {
  /** policies of one folder */
  policies: 10_000,
  /** conditions of one policy, those that hold others included */
  conditions: 1_000,
  /** levels of conditions in one another */
  depth: 32,
  /** items of the list that `in` compares with */
  listItems: 10_000,
  /** characters of a pattern */
  patternChars: 1_000,
  /** actions of one policy */
  actions: 100,
  /** tags that one sync deletes, of all policies together */
  deletes: 1_000,
  /** characters of one policy as JSON */
  documentChars: 262_144,
  /** bytes of a file of policies */
  fileBytes: 16 * 1024 * 1024,
} as const;
