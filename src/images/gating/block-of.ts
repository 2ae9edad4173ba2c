import { decideImage } from '../decision/decide-image';
import type { ImagePolicy } from '../policies/image-policy';
import type { Place } from '../registries/registry';
import { readForDecision } from '../sync/read-for-decision';
import { hostOf, type SyncContext } from '../sync/sync-context';

/**
 * Why the policies in force block an image: a policy that blocks, or one that asks for a signature. Whether a policy replicates the
 * image makes no difference. No request is made if no policy is about it.
 *
 * @param tag null for an image that is named by its digest alone
 * @returns undefined where none does
 */
export async function blockOf(
  context: SyncContext,
  place: Place,
  tag: string | null,
  digest: string,
): Promise<string | undefined> {
  const { registry, repository } = place;
  const relevant = context.set.policies.filter((policy) => concerns(context, policy, place));
  if (relevant.length === 0) return undefined;
  const image = await readForDecision(context, place, { registry: registry.name, repository, tag, digest }, relevant);
  const { nowMs, clockNs, decide } = context;
  const decision = decideImage(context.set, image, { ...decide, nowMs: nowMs(), clockNs });
  context.metrics?.decided(decision);
  return decision.actions.some(({ type }) => type === 'block') ? decision.reason : undefined;
}

function concerns(context: SyncContext, { enabled, source }: ImagePolicy, { registry, repository }: Place): boolean {
  if (!enabled) return false;
  return (
    source === undefined || (hostOf(context, source.registry) === registry.name && source.fitsRepository(repository))
  );
}
