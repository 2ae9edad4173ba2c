import type { CopyOptions } from '../copy-options';
import { decideImage } from '../decision/decide-image';
import type { ImageDecision } from '../decision/decision';
import { ImageErrorCode, type ImageFault } from '../image-error';
import type { ImageMetadata } from '../image-metadata';
import type { ImagePolicy, ReplicateTarget } from '../policies/image-policy';
import { toImageError } from '../registries/to-image-error';
import { readForDecision } from './read-for-decision';
import { hostOf, nameOf, type Candidate, type SyncContext } from './sync-context';

/** Where an image goes. */
export interface PlannedTarget {
  /** a host */
  registry: string;
  repository: string;
  tag: string;
  /** null for the mapping */
  policyId: string | null;
  options: CopyOptions;
}

/** What of a decision is recorded. */
export interface PlannedDecision {
  /** ids, the higher priority first */
  matchedPolicies: readonly string[];
  reason: string;
  /** the image follows the mapping, as policies could not be evaluated */
  degraded: boolean;
  /** ids of the policies that want people to be told */
  notify: readonly string[];
}

/** What is to be done with a candidate. `present`: its tag is immutable, and every target has it. */
export type PlannedImage = { candidate: Candidate; digest?: string; decision?: PlannedDecision } & (
  | {
      status: 'replicate';
      digest: string;
      targets: readonly PlannedTarget[];
      warnings: ImageDecision['warnings'];
    }
  | { status: 'present' }
  | { status: 'blocked' | 'unmatched'; reason: string }
  | { status: 'failed'; errors: readonly ImageFault[] }
);

/**
 * Decides about one candidate. The source is asked for no more than the policies need: nothing for an immutable tag that every
 * target has, a digest if names are enough, the metadata otherwise.
 *
 * @throws nothing for what a registry does
 */
export async function planImage(context: SyncContext, candidate: Candidate): Promise<PlannedImage> {
  try {
    return await plan(context, candidate);
  } catch (failure) {
    const error = toImageError(failure);
    if (error === undefined) throw failure;
    context.metrics?.failed(error.code);
    return { candidate, status: 'failed', errors: [{ code: error.code, cause: error.message }] };
  }
}

async function plan(context: SyncContext, candidate: Candidate): Promise<PlannedImage> {
  const { registry, repository, tag, isLatest } = candidate;
  const { decide, open, nowMs, clockNs } = context;
  const relevant = context.set.policies.filter((policy) => coversName(context, policy, candidate));
  if (await isPresent(context, candidate, relevant)) return { candidate, status: 'present' };
  const place = { registry: open(registry), repository };
  const head = await place.registry.headManifest(repository, tag);
  if (head === undefined) {
    const cause = `${nameOf(candidate)} does not exist`;
    return { candidate, status: 'failed', errors: [{ code: ImageErrorCode.IMAGE_NOT_FOUND, cause }] };
  }
  const { digest } = head;
  const image = await readForDecision(context, place, { registry, repository, tag, digest }, relevant);
  const decision = decideImage(context.set, image, { ...decide, nowMs: nowMs(), clockNs, isLatest });
  context.metrics?.decided(decision);
  const { matchedPolicies, reason, metadata } = decision;
  const notify = decision.actions.flatMap(({ type, policyId }) => (type === 'notify' ? [policyId] : []));
  return {
    candidate,
    digest,
    decision: { matchedPolicies, reason, degraded: metadata.degraded, notify },
    ...outcomeOf(context, candidate, digest, decision),
  };
}

function outcomeOf(context: SyncContext, candidate: Candidate, digest: string, decision: ImageDecision) {
  const { actions, reason, shouldReplicate, errors, metadata } = decision;
  if (actions.some(({ type }) => type === 'block')) return { status: 'blocked', reason } as const;
  if (!shouldReplicate)
    return errors.length > 0 ? ({ status: 'failed', errors } as const) : ({ status: 'unmatched', reason } as const);
  const targets = actions.flatMap((action): PlannedTarget[] => {
    if (action.type !== 'replicate') return [];
    const { target, policyId, options } = action;
    const tag = target.tag ?? candidate.tag;
    const place = { registry: hostOf(context, target.registry), repository: target.repository, tag };
    // Also where another target of the image lacks it, and where the tag moved at the source all the same.
    const isImmutable = context.set.byId.get(policyId)?.source?.isImmutable(candidate.tag) === true;
    return [{ ...place, policyId, options: isImmutable ? { ...options, noOverwrite: true } : options }];
  });
  const { mappedTo } = metadata;
  if (mappedTo !== undefined) {
    const slash = mappedTo.indexOf('/');
    const colon = mappedTo.lastIndexOf(':');
    const repository = mappedTo.slice(slash + 1, colon > slash ? colon : undefined);
    const registry = hostOf(context, mappedTo.slice(0, slash));
    targets.push({ registry, repository, tag: candidate.tag, policyId: null, options: {} });
  }
  const own = targets.find((target) => nameOf(target) === nameOf(candidate));
  if (own === undefined) return { status: 'replicate', digest, targets, warnings: decision.warnings } as const;
  const cause = `expected a target other than the source, got ${nameOf(candidate)}`;
  const policy = own.policyId === null ? {} : { policyId: own.policyId };
  return { status: 'failed', errors: [{ code: ImageErrorCode.POLICY_CONFLICT, ...policy, cause }] } as const;
}

/** Whether a policy may match a candidate, as far as its name tells. */
export function coversName(
  context: SyncContext,
  { enabled, source }: ImagePolicy,
  { registry, repository, tag, isLatest }: Omit<Candidate, 'hasReferrersTag' | 'mayHaveReferrersTag'>,
): boolean {
  if (!enabled) return false;
  if (source === undefined) return true;
  if (hostOf(context, source.registry) !== registry || !source.fitsRepository(repository)) return false;
  return source.tags.length === 0 || source.tags.some((set) => set.byName([tag]).length > 0 && isLatest(set, tag));
}

/** Whether the tag is immutable for every policy that may replicate it, and every target of theirs has it. */
async function isPresent(
  context: SyncContext,
  candidate: Candidate,
  relevant: readonly ImagePolicy[],
): Promise<boolean> {
  const targets = relevant.flatMap(({ source, actions }) =>
    actions.flatMap((action) => ('target' in action ? [{ target: action.target, source }] : [])),
  );
  if (targets.length === 0 || !targets.every(({ source }) => source?.isImmutable(candidate.tag))) return false;
  for (const { target } of targets) if (!(await hasTag(context, candidate, target))) return false;
  return true;
}

async function hasTag(context: SyncContext, candidate: Candidate, target: ReplicateTarget): Promise<boolean> {
  const { registry, repository, tag } = candidate;
  const named: ImageMetadata = { registry, repository, tag };
  const [to, as] = [target.repository.fill(named), target.tag?.fill(named) ?? { name: tag }];
  if ('fault' in to || 'fault' in as) return false;
  return (await context.open(hostOf(context, target.registry)).headManifest(to.name, as.name)) !== undefined;
}
