/** Who signed a manifest, as it was verified. */
export interface VerifiedSignature {
  keyId: string;
  algorithm: string;
}
