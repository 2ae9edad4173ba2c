import type { ImagePolicy } from '../policies/image-policy';
import type { Place } from '../registries/registry';
import { RegistryError } from '../registries/registry-error';
import type { SignatureCheck } from '../signatures/signature-check';
import { checkSignatures } from './check-signatures';

/**
 * Whether an image is signed by the keys of some policies, by the policies' ids. What cannot be read is not verified.
 *
 * @throws nothing for what a registry does
 */
export async function readSignatures(
  place: Place,
  digest: string,
  policies: readonly ImagePolicy[],
): Promise<ReadonlyMap<string, SignatureCheck>> {
  const checks = new Map<string, SignatureCheck>();
  for (const { id, signature } of policies) {
    if (signature === undefined) continue;
    const check = checkSignatures(place, digest, signature.key).catch((error: unknown): SignatureCheck => {
      if (!(error instanceof RegistryError)) throw error;
      return { verified: false, reasons: [`the signatures could not be read: ${error.message}`] };
    });
    checks.set(id, await check);
  }
  return checks;
}
