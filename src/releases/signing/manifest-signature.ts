import { CompactSign, decodeProtectedHeader, flattenedVerify } from 'jose';
import { sha256 } from '../../kernel/digest';
import { FailureType, GateError } from '../../kernel/failures';
import type { BundleKey } from '../../rego/bundle/signing/bundle-key';
import { signingKeyOf, verifyingKeyOf } from '../../rego/bundle/signing/keys';

/** A signature of an RSA key of 16384 bits has 2732 characters. */
export const MAX_SIGNATURE_BYTES = 16 * 1024;

/** Where the signature of a manifest with these bytes is, relative to the manifest: `signatures/<SHA-256>.jws`. */
export function signatureKey(manifest: Uint8Array): string {
  return `signatures/${sha256(manifest)}.jws`;
}

/**
 * The content of the signature's file: a JWS in its compact form without the payload (RFC 7515, Appendix F), `header..signature`,
 * over exactly the manifest's bytes. The header holds `alg`, `kid` and, where the key has one, `scope`.
 *
 * @throws GateError ConfigInvalid for a key that cannot sign
 */
export async function signManifest(manifest: Uint8Array, key: BundleKey): Promise<Uint8Array> {
  const signingKey = signingKeyOf(key);
  const scope = key.scope ? { scope: key.scope } : {};
  let token: string;
  try {
    token = await new CompactSign(manifest)
      .setProtectedHeader({ alg: key.algorithm, kid: key.keyId, ...scope })
      .sign(signingKey);
  } catch (error) {
    const message = `The key cannot sign with ${key.algorithm}: ${(error as Error).message}`;
    throw new GateError(FailureType.ConfigInvalid, message, undefined, { cause: error });
  }
  const [header, , signature] = token.split('.');
  return new TextEncoder().encode(`${header}..${signature}\n`);
}

/**
 * That the holder of the key signed exactly these bytes. Algorithm and key are the ones given: what the signature says of them
 * counts for nothing. A signature with an unencoded payload (RFC 7797, `b64: false`) is taken as well.
 *
 * @param signature content of the signature's file
 * @param where the signature's URL or path
 * @throws GateError ManifestInvalid; ConfigInvalid for a key that cannot verify
 */
export async function verifyManifest(
  manifest: Uint8Array,
  signature: Uint8Array,
  key: BundleKey,
  where: string,
): Promise<void> {
  const verifyingKey = verifyingKeyOf(key);
  const text = Buffer.from(signature).toString('latin1').trim();
  const [, header, value] = /^([\w-]+)\.\.([\w-]+)$/.exec(text) ?? [];
  if (header === undefined || value === undefined) {
    throw refuse(where, 'expected a detached JWS, header..signature, found something else');
  }
  let scope: unknown;
  try {
    const isRaw = decodeProtectedHeader({ protected: header }).b64 === false;
    const payload = isRaw ? manifest : Buffer.from(manifest).toString('base64url');
    const jws = { protected: header, payload, signature: value };
    const { protectedHeader } = await flattenedVerify(jws, verifyingKey, { algorithms: [key.algorithm] });
    scope = protectedHeader?.scope;
  } catch (error) {
    const why = (error as Error).message;
    throw refuse(
      where,
      `the signature is not of the key ${key.keyId} with ${key.algorithm} over this manifest: ${why}`,
      error,
    );
  }
  const [expected, found] = [key.scope, scope].map((one) => JSON.stringify(one ?? ''));
  if (found !== expected) throw refuse(where, `expected the scope ${expected}, found ${found}`);
}

function refuse(where: string, what: string, cause?: unknown): GateError {
  const type = FailureType.ManifestInvalid;
  const message = `${where}: ${what}`;
  return new GateError(type, message, [{ type, message, where }], { cause });
}
