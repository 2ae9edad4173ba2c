import { createPublicKey, verify, type KeyObject } from 'node:crypto';

/** A key that signatures are checked against. */
export interface PublicKey {
  /** whether `signature` is the key's over `content` */
  verifies(content: Uint8Array, signature: Uint8Array): boolean;
}

const LEAST_RSA_BITS = 2048;

/**
 * Reads a public key in PEM: ECDSA P-256 with SHA-256 and signatures in DER, RSA of 2048 bits and more by PKCS #1 v1.5 with
 * SHA-256, or Ed25519: what cosign makes and takes.
 *
 * @returns a sentence of what was expected if the text is not such a key
 */
export function readPublicKey(pem: string): PublicKey | string {
  let key: KeyObject;
  try {
    if (/PRIVATE KEY/.test(pem)) return 'expected a public key, got a private one';
    key = createPublicKey(pem);
  } catch {
    return 'expected a public key in PEM';
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return { verifies: (content, signature) => verify(null, content, key, signature) };
  const isKnown =
    (type === 'ec' && details?.namedCurve === 'prime256v1') ||
    (type === 'rsa' && (details?.modulusLength ?? 0) >= LEAST_RSA_BITS);
  if (!isKnown)
    return `expected an ECDSA P-256, RSA (${LEAST_RSA_BITS} bits or more) or Ed25519 key, got ${type ?? 'another'}`;
  return { verifies: (content, signature) => verify('sha256', content, key, signature) };
}
