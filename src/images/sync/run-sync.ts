import { planCopy } from '../copying/plan-copy';
import { replicateImage } from '../copying/replicate-image';
import { eachOf } from '../each-of';
import { ImageErrorCode, type ImageFault } from '../image-error';
import { toImageError } from '../registries/to-image-error';
import { listCandidates } from './list-candidates';
import { planImage, type PlannedImage, type PlannedTarget } from './plan-image';
import { nameOf, type Candidate, type SyncContext } from './sync-context';
import { reportOf, type SyncedImage, type SyncedTarget, type SyncError, type SyncReport } from './sync-report';

export interface SyncOptions {
  /** images at once @default 4 */
  concurrency?: number;
  /** finds out what would be done, and changes nothing @default false */
  dryRun?: boolean;
  /** also asks for new referrers of unchanged images by the referrers API, which costs a request for each @default false */
  allReferrers?: boolean;
  /** called for each image once it is done */
  onImage?(image: SyncedImage): void;
}

/** A tag that moves more often than this during its copy is an error. */
const MOST_MOVES = 3;

/**
 * Replicates what policies and the mapping say: lists, decides about every image, and only then copies, so that two sources of
 * one target are found before either is copied. A failure of one image or repository does not stop the others. An interrupted
 * sync is run again: content that a target has is not sent again.
 *
 * @throws nothing for what a registry does: it is in the report
 */
export async function runSync(context: SyncContext, options: SyncOptions = {}): Promise<SyncReport> {
  const { concurrency = 4, dryRun = false, onImage } = options;
  const errors: SyncError[] = [];
  const planned: PlannedImage[] = [];
  await eachOf(
    listCandidates(context, (error) => errors.push(error)),
    concurrency,
    async (candidate) => void planned.push(await planImage(context, candidate)),
  );
  const conflicts = conflictsOf(planned);
  const images: SyncedImage[] = [];
  await eachOf(planned, concurrency, async (one) => {
    const { image, faults } = await carryOut(context, one, conflicts, options);
    images.push(image);
    errors.push(...faults.map((fault) => ({ source: image.source, ...fault })));
    onImage?.(image);
  });
  return reportOf(images, errors, dryRun);
}

/** Targets that more than one source would be copied to, with those sources. */
function conflictsOf(planned: readonly PlannedImage[]): ReadonlyMap<string, readonly string[]> {
  const sources = new Map<string, string[]>();
  for (const one of planned)
    if (one.status === 'replicate')
      for (const target of one.targets) {
        const name = nameOf(target);
        sources.set(name, [...(sources.get(name) ?? []), nameOf(one.candidate)]);
      }
  return new Map([...sources].filter(([, names]) => names.length > 1).map(([name, names]) => [name, names.sort()]));
}

async function carryOut(
  context: SyncContext,
  first: PlannedImage,
  conflicts: ReadonlyMap<string, readonly string[]>,
  options: SyncOptions,
): Promise<{ image: SyncedImage; faults: readonly ImageFault[] }> {
  const source = nameOf(first.candidate);
  const digests: string[] = [];
  const done: SyncedTarget[] = [];
  for (let planned = first; ; planned = await planImage(context, first.candidate)) {
    if (planned.digest !== undefined) digests.push(planned.digest);
    const warnings = planned.status === 'replicate' ? planned.warnings : [];
    const about = { source, digests, targets: done, warnings };
    if (planned.status === 'failed') {
      const reason = planned.errors.map(({ cause }) => cause).join('; ');
      return { image: { ...about, status: 'failed', reason }, faults: planned.errors };
    }
    if (planned.status === 'present') return { image: { ...about, status: 'skipped' }, faults: [] };
    if (planned.status !== 'replicate') {
      const { status, reason } = planned;
      return { image: { ...about, status, reason }, faults: [] };
    }
    const { candidate, digest } = planned;
    const targets: SyncedTarget[] = [];
    for (const target of planned.targets)
      targets.push(await toTarget(context, candidate, digest, target, conflicts, options));
    const moved = targets.some(({ outcome }) => outcome === 'withheld');
    done.push(...targets);
    if (moved && digests.length < MOST_MOVES) continue;
    const faults = done.flatMap(({ error }) => error ?? []);
    if (moved) {
      const cause = `${source} moved ${MOST_MOVES} times during its copy`;
      faults.push({ code: ImageErrorCode.ACTION_EXEC_ERROR, cause });
    }
    const status = done.some(({ outcome }) => outcome === 'copied') ? 'copied' : 'skipped';
    if (faults.length === 0) return { image: { ...about, status }, faults };
    return { image: { ...about, status: 'failed', reason: faults.map(({ cause }) => cause).join('; ') }, faults };
  }
}

async function toTarget(
  context: SyncContext,
  candidate: Candidate,
  digest: string,
  target: PlannedTarget,
  conflicts: ReadonlyMap<string, readonly string[]>,
  { dryRun = false, allReferrers = false }: SyncOptions,
): Promise<SyncedTarget> {
  const { policyId, tag, options } = target;
  const name = nameOf(target);
  const about = { target: name, policyId };
  const rivals = conflicts.get(name);
  if (rivals !== undefined) {
    const cause = `${name} is the target of ${rivals.join(' and ')}`;
    return failed(about, { code: ImageErrorCode.POLICY_CONFLICT, cause });
  }
  const from = { registry: context.open(candidate.registry), repository: candidate.repository };
  const to = { registry: context.open(target.registry), repository: target.repository };
  try {
    if (dryRun) {
      const plan = await planCopy(from, digest, to, tag, options);
      const { outcome, blobs, bytes, blobsPresent: blobsSkipped, replaces } = plan;
      const counts = { blobs, bytes, blobsSkipped, ...NOTHING };
      return {
        ...about,
        outcome,
        digest: plan.digest,
        ...counts,
        ...(replaces === undefined ? {} : { replaced: replaces }),
      };
    }
    const copied = await replicateImage({
      source: from,
      digest,
      target: to,
      tag,
      ...options,
      referrersOfUnchanged: allReferrers || candidate.hasReferrersTag(digest),
      isStillNamed: async () => (await from.registry.headManifest(from.repository, candidate.tag))?.digest === digest,
    });
    const { outcome, blobsSent, blobsMounted, bytesSent, blobsSkipped, referrers, absent, foreign, replaced } = copied;
    return {
      ...about,
      outcome,
      digest: copied.digest,
      blobs: blobsSent + blobsMounted,
      bytes: bytesSent,
      blobsSkipped,
      referrers: referrers.copied,
      absent,
      foreign,
      ...(replaced === undefined ? {} : { replaced }),
    };
  } catch (failure) {
    const error = toImageError(failure);
    if (error === undefined) throw failure;
    return failed(about, { code: error.code, cause: error.message });
  }
}

const NOTHING = { referrers: [], absent: [], foreign: [] };

function failed(about: Pick<SyncedTarget, 'target' | 'policyId'>, fault: ImageFault): SyncedTarget {
  const error = about.policyId === null ? fault : { ...fault, policyId: about.policyId };
  return { ...about, outcome: 'failed', blobs: 0, bytes: 0, blobsSkipped: 0, ...NOTHING, error };
}
