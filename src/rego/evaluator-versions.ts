/** The evaluators by their name and version, as records name them; a change of the first one's answers changes its number. */
export const EVALUATORS = {
  /** our own, of OPA's plan; it answers as OPA 1.22.2 does */
  plan: 'plan 1 (OPA 1.22.2)',
  /** a test compares this version with the one that is installed */
  wasm: 'opa-wasm 1.10.0',
} as const;
