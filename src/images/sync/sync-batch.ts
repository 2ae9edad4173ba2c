import { eachOf } from '../each-of';
import { carryOut, type CarryOutOptions } from './carry-out';
import { candidatesOf, errorOf, listRepositoryTags } from './list-candidates';
import type { SyncCursor } from '../progress/sync-progress';
import { planImage } from './plan-image';
import type { Survey } from './survey';
import { nameOf, type Candidate, type SyncContext } from './sync-context';
import type { SyncedImage, SyncError } from '../progress/sync-report';

export interface BatchOptions extends CarryOutOptions {
  /** @default the beginning */
  after?: SyncCursor;
  /** images of this batch @default all that are left */
  atMost?: number;
  /** no image is begun later, epoch milliseconds @default no limit */
  untilMs?: number;
  /** images at once @default 4 */
  concurrency?: number;
  /** of images that an earlier attempt at this batch did */
  isDone?(source: string): boolean;
  /** called for each image once it is done */
  onImage(image: SyncedImage): void;
  /** called for a repository that could not be listed */
  onError(error: SyncError): void;
}

/**
 * Decides about the next images and does what was decided. A failure of one image or repository does not stop the others.
 *
 * @returns how far the sync is then; undefined once every image is done
 * @throws what the journal throws
 */
export async function syncBatch(
  context: SyncContext,
  found: Survey,
  options: BatchOptions,
): Promise<SyncCursor | undefined> {
  const { atMost = Infinity, untilMs = Infinity, concurrency = 4, signal, isDone = () => false } = options;
  let last = options.after;
  let hasMore = false;
  async function* batch(): AsyncIterable<Candidate> {
    let begun = 0;
    for await (const candidate of upcoming(context, found, options)) {
      // One is begun in any case, so that each batch brings the sync further.
      const isOver = begun >= atMost || (begun > 0 && context.nowMs() >= untilMs);
      if (isOver || signal?.aborted === true) {
        hasMore = true;
        return;
      }
      begun += 1;
      last = { registry: candidate.registry, repository: candidate.repository, tag: candidate.tag };
      if (!isDone(nameOf(candidate))) yield candidate;
    }
  }
  await eachOf(batch(), concurrency, async (candidate) => {
    const image = await carryOut(context, await planImage(context, candidate), found.conflicts, options);
    // What was stopped is not done.
    if (signal?.aborted === true) return;
    context.metrics?.did(image);
    options.onImage(image);
  });
  return hasMore ? last : undefined;
}

/** The images after a cursor. */
async function* upcoming(
  context: SyncContext,
  { repositories }: Survey,
  { after, onError }: BatchOptions,
): AsyncIterable<Candidate> {
  for (const place of repositories) {
    const order = after === undefined ? 1 : compare(place, after);
    if (order < 0 || (order === 0 && after?.tag === undefined)) continue;
    let tags: readonly string[];
    let toCandidate: (tag: string) => Candidate;
    try {
      const listed = place.listed ?? (await listRepositoryTags(context, place));
      tags = listed.tags;
      toCandidate = await candidatesOf(context, place, listed);
    } catch (failure) {
      const error = errorOf(failure, `${place.registry}/${place.repository}`);
      context.metrics?.failed(error.code);
      onError(error);
      continue;
    }
    const from = order === 0 ? after!.tag! : undefined;
    for (const tag of tags) if (from === undefined || tag > from) yield toCandidate(tag);
  }
}

function compare(one: Omit<SyncCursor, 'tag'>, other: Omit<SyncCursor, 'tag'>): number {
  const [left, right] =
    one.registry === other.registry ? [one.repository, other.repository] : [one.registry, other.registry];
  return left < right ? -1 : left > right ? 1 : 0;
}
