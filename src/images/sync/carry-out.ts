import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import type { CopyRetry } from '../copy-options';
import type { HookEvent, ImageHooks } from '../hooks/image-hooks';
import { planCopy } from '../copying/plan-copy';
import { replicateImage } from '../copying/replicate-image';
import { ImageErrorCode, type ImageFault } from '../image-error';
import { RegistryError } from '../registries/registry-error';
import { toImageError } from '../registries/to-image-error';
import { planImage, type PlannedImage, type PlannedTarget } from './plan-image';
import { nameOf, type Candidate, type SyncContext } from './sync-context';
import type { SyncJournal } from './sync-journal';
import type { SyncedImage, SyncedTarget } from '../progress/sync-report';

export interface CarryOutOptions {
  /** finds out what would be done, and changes nothing @default false */
  dryRun?: boolean;
  /** also asks for new referrers of unchanged images by the referrers API, which costs a request for each @default false */
  allReferrers?: boolean;
  /** is told of decisions and copies @default no one */
  journal?: SyncJournal;
  /** calls webhooks around copies, for the sync of this name @default none are called */
  hooks?: { run: string; hooks: ImageHooks };
  /** called for each part of a blob that arrived */
  onBytes?(bytes: number): void;
  /** ends the copies under way */
  signal?: AbortSignal;
}

/** Targets that more than one source would be copied to, with those sources in order. */
export type Conflicts = ReadonlyMap<string, readonly string[]>;

/** A tag that moves more often than this during its copy is an error. */
const MOST_MOVES = 3;

/**
 * Does what was decided about an image. If its tag moves at the source meanwhile, the new image is decided about and copied.
 *
 * @throws what the journal throws: nothing was sent to the target then
 */
export async function carryOut(
  context: SyncContext,
  first: PlannedImage,
  conflicts: Conflicts,
  options: CarryOutOptions,
): Promise<SyncedImage> {
  const source = nameOf(first.candidate);
  const digests: string[] = [];
  const done: SyncedTarget[] = [];
  for (let planned = first; ; planned = await planImage(context, first.candidate)) {
    if (planned.digest !== undefined) digests.push(planned.digest);
    const warnings = planned.status === 'replicate' ? planned.warnings : [];
    const about = { source, digests, targets: done, warnings, errors: [] };
    if (planned.status === 'present') return { ...about, status: 'skipped' };
    const notify = planned.decision?.notify.length ? { notify: planned.decision.notify } : {};
    let news = {};
    if (planned.status === 'blocked' || (planned.status === 'failed' && planned.decision !== undefined))
      news = (await options.journal?.refused(planned)) === true ? notify : {};
    if (planned.status === 'failed') return { ...withErrors(about, planned.errors), ...news };
    if (planned.status !== 'replicate') return { ...about, status: planned.status, reason: planned.reason, ...news };
    const targets: SyncedTarget[] = [];
    for (const target of planned.targets) targets.push(await toTarget(context, planned, target, conflicts, options));
    const moved = targets.some(({ outcome }) => outcome === 'withheld');
    done.push(...targets);
    if (moved && digests.length < MOST_MOVES) continue;
    const faults = done.flatMap(({ error }) => error ?? []);
    if (moved) {
      const cause = `${source} moved ${MOST_MOVES} times during its copy`;
      faults.push({ code: ImageErrorCode.ACTION_EXEC_ERROR, cause });
    }
    if (faults.length > 0) return { ...withErrors(about, faults), ...notify };
    if (done.every(({ outcome }) => outcome !== 'copied')) return { ...about, status: 'skipped' };
    return { ...about, status: 'copied', ...notify };
  }
}

function withErrors(about: Omit<SyncedImage, 'status'>, errors: readonly ImageFault[]): SyncedImage {
  return { ...about, status: 'failed', reason: errors.map(({ cause }) => cause).join('; '), errors };
}

type Replicated = Extract<PlannedImage, { status: 'replicate' }>;

async function toTarget(
  context: SyncContext,
  planned: Replicated,
  target: PlannedTarget,
  conflicts: Conflicts,
  options: CarryOutOptions,
): Promise<SyncedTarget> {
  const { policyId } = target;
  const name = nameOf(target);
  const about = { target: name, policyId };
  const rivals = conflicts.get(name);
  if (rivals !== undefined) {
    const cause = `${name} is the target of ${rivals.join(' and ')}`;
    return failed(about, { code: ImageErrorCode.POLICY_CONFLICT, cause });
  }
  const { journal } = options;
  const callHooks = async (event: HookEvent): Promise<void> => {
    const policy = policyId === null ? undefined : context.set.byId.get(policyId);
    if (options.hooks === undefined || options.dryRun || policy === undefined) return;
    const { run, hooks } = options.hooks;
    await hooks.call(policy, event, { run, source: nameOf(planned.candidate), digest: planned.digest, target: name });
  };
  let isBegun = false;
  try {
    const copied = options.dryRun
      ? await wouldCopy(context, planned, target)
      : await copy(
          context,
          planned,
          target,
          options,
          async () => {
            if (isBegun) return;
            await journal?.decided(planned);
            isBegun = true;
            await callHooks('before');
          },
          () => journal?.creating(planned, target) ?? Promise.resolve(),
        );
    // A worker that copied it may have ended before it could record that, or before its report was heard.
    const before = copied.outcome === 'unchanged' ? await journal?.copiedBefore(planned, name) : undefined;
    const done: SyncedTarget = { ...about, ...copied, ...(before === undefined ? {} : { outcome: 'copied' }) };
    // Before the end is told: if the worker ends here they are called again, with the same key.
    if (done.outcome === 'copied' || done.outcome === 'unchanged')
      await callHooks(done.outcome === 'copied' ? 'after' : 'unchanged').catch((failure: unknown) => {
        const error = toImageError(failure);
        if (error === undefined) throw failure;
        done.error = { code: error.code, cause: error.message, ...(policyId === null ? {} : { policyId }) };
      });
    const isStopped = done.outcome === 'withheld' && options.signal?.aborted === true;
    if ((isBegun || before === 'untold') && !isStopped) await journal?.acted(planned, done);
    return done;
  } catch (failure) {
    const error = toImageError(failure);
    if (error === undefined) throw failure;
    const done = failed(about, { code: error.code, cause: error.message });
    if (isBegun && options.signal?.aborted !== true) await journal?.acted(planned, done);
    return done;
  }
}

type Copied = Omit<SyncedTarget, 'target' | 'policyId'>;

async function wouldCopy(context: SyncContext, planned: Replicated, target: PlannedTarget): Promise<Copied> {
  const { from, to } = placesOf(context, planned.candidate, target);
  const plan = await planCopy(from, planned.digest, to, target.tag, target.options);
  const { outcome, digest, blobs, bytes, blobsPresent: blobsSkipped, replaces, createsRepository } = plan;
  const counts = { blobs, bytes, blobsSkipped, ...NOTHING };
  return {
    outcome,
    digest,
    ...counts,
    ...(replaces === undefined ? {} : { replaced: replaces }),
    ...(createsRepository === undefined ? {} : { createsRepository }),
  };
}

async function copy(
  context: SyncContext,
  { candidate, digest }: Replicated,
  target: PlannedTarget,
  { allReferrers = false, onBytes, signal }: CarryOutOptions,
  beforeCopy: () => Promise<void>,
  beforeCreate: () => Promise<void>,
): Promise<Copied> {
  let isCreating = false;
  const { from, to } = placesOf(context, candidate, target);
  const copied = await repeated(target.options.retry, signal, () =>
    replicateImage({
      source: from,
      digest,
      target: to,
      tag: target.tag,
      ...target.options,
      referrersOfUnchanged: allReferrers || candidate.hasReferrersTag(digest),
      mayHaveReferrersTag: (manifest) => candidate.mayHaveReferrersTag(manifest),
      isStillNamed: async () =>
        (await from.registry.headManifest(from.repository, candidate.tag))?.digest === digest &&
        signal?.aborted !== true,
      beforeCopy,
      beforeCreate: async () => {
        await beforeCreate();
        isCreating = true;
      },
      ...(onBytes === undefined ? {} : { onBytes }),
      ...(signal === undefined ? {} : { signal }),
    }),
  );
  const { outcome, blobsSent, blobsMounted, bytesSent, blobsSkipped, referrers, absent, foreign, replaced, backup } =
    copied;
  return {
    outcome,
    digest: copied.digest,
    blobs: blobsSent + blobsMounted,
    bytes: bytesSent,
    blobsSkipped,
    referrers: referrers.copied,
    absent,
    foreign,
    ...(isCreating ? { createsRepository: true } : {}),
    ...(replaced === undefined ? {} : { replaced }),
    ...(backup === undefined ? {} : { backup }),
  };
}

/** Further attempts at a whole copy; what the target has by then is not sent again. */
function repeated<T>(
  policy: CopyRetry | undefined,
  signal: AbortSignal | undefined,
  act: () => Promise<T>,
): Promise<T> {
  if (policy === undefined) return act();
  const isTransient = (error: unknown) =>
    error instanceof RegistryError && error.failure === 'unavailable' && signal?.aborted !== true;
  const { attempts, initialMs, factor, maxMs } = policy;
  return retry(handleWhen(isTransient), {
    maxAttempts: attempts - 1,
    backoff: new ExponentialBackoff({ initialDelay: initialMs, exponent: factor, maxDelay: maxMs }),
  }).execute(act, signal);
}

function placesOf(context: SyncContext, candidate: Candidate, target: PlannedTarget) {
  return {
    from: { registry: context.open(candidate.registry), repository: candidate.repository },
    to: { registry: context.open(target.registry), repository: target.repository },
  };
}

const NOTHING = { referrers: [], absent: [], foreign: [] };

function failed(about: Pick<SyncedTarget, 'target' | 'policyId'>, fault: ImageFault): SyncedTarget {
  const error = about.policyId === null ? fault : { ...fault, policyId: about.policyId };
  return { ...about, outcome: 'failed', blobs: 0, bytes: 0, blobsSkipped: 0, ...NOTHING, error };
}
