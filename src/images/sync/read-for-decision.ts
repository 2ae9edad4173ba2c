import type { ImageMetadata } from '../image-metadata';
import { readMetadataOf } from '../metadata/read-metadata';
import { readOwnValues } from '../metadata/read-own-values';
import { readSignatures } from '../metadata/read-signatures';
import type { ImagePolicy } from '../policies/image-policy';
import { policyNeeds } from '../policies/policy-needs';
import type { Place } from '../registries/registry';
import type { SyncContext } from './sync-context';

/** `tag` is null for an image that is named by its digest alone. */
type NamedImage = Required<Pick<ImageMetadata, 'registry' | 'repository' | 'tag' | 'digest'>>;

/**
 * An image with what policies need to be evaluated: its metadata where one of them looks at more than names, its signatures, and
 * what condition types of a program's own say of it.
 *
 * @param policies that may be about the image
 * @throws RegistryError
 */
export async function readForDecision(
  { cache, conditionTypes = new Map(), decide: { timeoutMs }, nowMs }: SyncContext,
  place: Place,
  named: NamedImage,
  policies: readonly ImagePolicy[],
): Promise<ImageMetadata> {
  const { tag, digest } = named;
  const needs = policies.map(policyNeeds);
  const needsSignature = needs.some(({ signature }) => signature);
  const needsMore = needsSignature || needs.some(({ metadata }) => metadata);
  const read: ImageMetadata = needsMore ? await readMetadataOf(place, tag, digest, cache, needsSignature) : named;
  const signed = { ...read, signatures: await readSignatures(place, digest, policies) };
  const limit = timeoutMs === undefined ? {} : { timeoutMs };
  const own = await readOwnValues(signed, policies, conditionTypes, { nowMs: nowMs(), ...limit });
  return { ...signed, own };
}
