/** A key that signs bundles, or tells whether they are signed with it. */
export interface BundleKey {
  /** PEM, or the shared secret of an HMAC */
  key: string;
  keyId: string;
  /** as in a JSON Web Signature: `RS256`, `ES256`, `HS256`, … */
  algorithm: string;
  /** when set, the signature's `scope` must be the same */
  scope?: string;
}
