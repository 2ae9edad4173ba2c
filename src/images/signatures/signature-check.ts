/** Whether one of an image's signatures is a key's. */
export interface SignatureCheck {
  verified: boolean;
  /** one sentence for each signature that was found and does not count, or why there is none; empty if it is verified */
  reasons: readonly string[];
}

/** What happens to an image whose signature is not verified: it is blocked, replicated with a warning, or only recorded. */
export type SignatureEnforcement = 'enforce' | 'warn' | 'audit';
