import type { Fault } from '../../kernel/failures';
import { pruneErrors, type PruneReport } from './prune-report';
import type { SyncedImage, SyncError } from './sync-report';
import { addTotals, NO_TOTALS, type SyncTotals } from './sync-totals';

/** How far a sync is: everything up to here is done, in the order of registries, repositories and tags. */
export interface SyncCursor {
  registry: string;
  repository: string;
  /** absent: every tag of the repository is done */
  tag?: string;
}

/** What one batch of a sync came to. */
export interface BatchResult {
  /** how far the sync is; absent once every image is done */
  after?: SyncCursor;
  /** images of the whole sync, as they were last listed */
  total: number;
  totals: SyncTotals;
  /** images of which there is something to tell, at most `MOST_NOTES` */
  notes: readonly SyncedImage[];
  /** how many more there were */
  omitted: number;
  /** what could not be listed, at most `MOST_NOTES` */
  unlisted: readonly SyncError[];
  /** copies that failed, by policy */
  behind?: Behind;
}

/** Numbers by policy; `mapping` for images that follow it. */
export type Behind = Readonly<Record<string, number>>;

export const SyncState = { running: 'running', done: 'done', failed: 'failed', cancelled: 'cancelled' } as const;
export type SyncState = (typeof SyncState)[keyof typeof SyncState];

/** How far a sync is; what continue-as-new carries. Bounded, however many images there are. */
export interface SyncProgress {
  state: SyncState;
  /** epoch milliseconds */
  startedAtMs: number;
  /** epoch milliseconds; of one that has ended */
  endedAtMs?: number;
  after?: SyncCursor;
  /** images of the whole sync; absent before the first batch */
  total?: number;
  totals: SyncTotals;
  /** the first images of which there is something to tell */
  notes: readonly SyncedImage[];
  omitted: number;
  unlisted: readonly SyncError[];
  behind?: Behind;
  /** what became of surplus tags of the targets, at most `MOST_NOTES` of each list; absent unless a policy prunes */
  pruned?: PruneReport & { tagsOmitted: number };
  /** why it failed as a whole */
  fault?: Fault;
}

/** A sync as it is shown, and its result. */
export interface SyncStatus extends SyncProgress {
  /** of the audit log: its first run in Temporal */
  sync: string;
  /** only these replicate; absent, all */
  policies?: readonly string[];
  actor: string;
}

/** Images that are shown one by one; the audit log has all. */
export const MOST_NOTES = 200;
const MOST_POLICIES = 1_000;

export function newSync(startedAtMs: number): SyncProgress {
  return { state: SyncState.running, startedAtMs, totals: NO_TOTALS, notes: [], omitted: 0, unlisted: [] };
}

/** Whether there is something to tell of an image: it was copied, refused, failed, or warned of. */
export function isNotable({ status, warnings, targets }: SyncedImage): boolean {
  if (status === 'unmatched' || status === 'skipped') return targets.some(({ referrers }) => referrers.length > 0);
  return warnings.length > 0 || status === 'copied' || status === 'blocked' || status === 'failed';
}

/** What could not be listed counts once, however often it was tried. */
export function withBatch(progress: SyncProgress, batch: BatchResult): SyncProgress {
  const { after: _before, ...rest } = progress;
  const known = new Set(progress.unlisted.map(({ source }) => source));
  const unlisted = batch.unlisted.filter(({ source }) => !known.has(source));
  const notes = [...progress.notes, ...batch.notes];
  const totals = addTotals(progress.totals, batch.totals);
  return {
    ...rest,
    ...(batch.after === undefined ? {} : { after: batch.after }),
    total: Math.max(batch.total, totals.images),
    totals: { ...totals, errors: totals.errors + unlisted.length },
    notes: notes.slice(0, MOST_NOTES),
    omitted: progress.omitted + batch.omitted + Math.max(0, notes.length - MOST_NOTES),
    unlisted: [...progress.unlisted, ...unlisted].slice(0, MOST_NOTES),
    ...(batch.behind === undefined ? {} : { behind: addBehind(progress.behind ?? {}, batch.behind) }),
  };
}

/** What could not be done counts among the errors. */
export function withPruned(progress: SyncProgress, report: PruneReport): SyncProgress {
  const { tags, left } = report;
  const errors = progress.totals.errors + pruneErrors(report);
  const shown = { tags: tags.slice(0, MOST_NOTES), left: left.slice(0, MOST_NOTES) };
  const pruned = { ...shown, tagsOmitted: tags.length - shown.tags.length };
  return { ...progress, totals: { ...progress.totals, errors }, pruned };
}

/** The sums; at most 1,000 policies are told apart. */
export function addBehind(one: Behind, other: Behind): Behind {
  const sums: Record<string, number> = { ...one };
  for (const [policy, images] of Object.entries(other))
    if (policy in sums || Object.keys(sums).length < MOST_POLICIES) sums[policy] = (sums[policy] ?? 0) + images;
  return sums;
}

/** Of one image. */
export function behindOf({ targets }: SyncedImage): Behind {
  const failed = targets.filter(({ outcome }) => outcome === 'failed').map(({ policyId }) => policyId ?? 'mapping');
  return Object.fromEntries([...new Set(failed)].map((policy) => [policy, 1]));
}

/** In one sentence. */
export function summariseSync({ state, total, totals, fault }: SyncProgress): string {
  const { images, tagsCopied, tagsSkipped, tagsBlocked, errors } = totals;
  const of = total === undefined ? '' : ` of ${total}`;
  const counts = `${images}${of} images done: ${tagsCopied} copied, ${tagsSkipped} skipped, ${tagsBlocked} blocked, ${errors} errors`;
  return `The sync is ${state}, ${counts}${fault === undefined ? '' : `; ${fault.message}`}`;
}
