import type { Place } from '../registries/registry';
import { SIGSTORE_BUNDLE } from '../signatures/verify-signature';

/** The artifact type under which cosign keeps simple signatures as referrers. */
const COSIGN_ARTIFACT = 'application/vnd.dev.cosign.artifact.sig.v1+json';

/**
 * Whether a signature of an image exists: cosign's under its tag, or one that refers to the image. It is not verified.
 *
 * @throws RegistryError
 */
export async function hasSignature({ registry, repository }: Place, digest: string): Promise<boolean> {
  const tag = `${digest.replace(':', '-')}.sig`;
  if ((await registry.headManifest(repository, tag)) !== undefined) return true;
  const { referrers } = await registry.listReferrers(repository, digest);
  return referrers.some(({ artifactType }) => artifactType === SIGSTORE_BUNDLE || artifactType === COSIGN_ARTIFACT);
}
