/** A key that signs or verifies bundles, as OPA's commands take it. */
export interface BundleKey {
  /** PEM, of a public or private key; or the shared secret, for HS256, HS384 and HS512 */
  key: string;
  keyId: string;
  /** a JWS algorithm (RFC 7518, 3.1): RS, PS, ES or HS with 256, 384 or 512 */
  algorithm: string;
  /** what the bundle is meant for; absent and empty are the same */
  scope?: string;
}

export const SIGNING_ALGORITHMS = ['RS', 'PS', 'ES', 'HS'].flatMap((family) =>
  ['256', '384', '512'].map((bits) => `${family}${bits}`),
);

/** The file of a bundle that holds its signature; it is not itself signed. */
export const SIGNATURES_FILE = '.signatures.json';

/** A file as the signature names it. */
export interface SignedFile {
  name: string;
  /** in hex */
  hash: string;
  algorithm: string;
}
