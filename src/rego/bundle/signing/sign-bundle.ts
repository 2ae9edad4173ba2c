import { CompactSign } from 'jose';
import { FailureType, GateError } from '../../../kernel/failures';
import { readArchive } from '../archive/read-archive';
import { writeArchive } from '../archive/write-archive';
import { SIGNATURES_FILE, type BundleKey, type SignedFile } from './bundle-key';
import { hashFile } from './hash-file';
import { signingKeyOf } from './keys';

/**
 * The bundle with OPA's `.signatures.json` over all its files; an earlier signature is replaced. The same bundle and key
 * give the same bytes, except with PS and ES algorithms, whose signatures hold a random part.
 *
 * @throws GateError PolicyInvalid for a bundle that cannot be read; ConfigInvalid for a key that cannot sign
 */
export async function signBundle(bytes: Uint8Array, key: BundleKey): Promise<Uint8Array> {
  const signingKey = signingKeyOf(key);
  const files = await readArchive(bytes);
  files.delete(SIGNATURES_FILE);
  const signed: SignedFile[] = [...files]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, content]) => ({ name, hash: hashed(name, content), algorithm: 'SHA-256' }));
  const scope = key.scope ? { scope: key.scope } : {};
  const payload = new TextEncoder().encode(JSON.stringify({ files: signed, keyid: key.keyId, ...scope }));
  let token: string;
  try {
    token = await new CompactSign(payload)
      .setProtectedHeader({ alg: key.algorithm, kid: key.keyId, typ: 'JWT' })
      .sign(signingKey);
  } catch (error) {
    const message = `The key cannot sign with ${key.algorithm}: ${(error as Error).message}`;
    throw new GateError(FailureType.ConfigInvalid, message, undefined, { cause: error });
  }
  files.set(SIGNATURES_FILE, new TextEncoder().encode(`${JSON.stringify({ signatures: [token] })}\n`));
  return writeArchive(files);
}

function hashed(name: string, content: Uint8Array): string {
  try {
    return hashFile(name, content, 'SHA-256');
  } catch (error) {
    const message = `${name}: expected JSON: ${(error as Error).message}`;
    throw new GateError(FailureType.PolicyInvalid, message, undefined, { cause: error });
  }
}
