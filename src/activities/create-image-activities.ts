import { CancelledFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import type { Alert } from '../alerts/alert';
import type { AlertLabels } from '../alerts/alert-labels';
import type { AuditRecord } from '../audit/audit-record';
import type { ImageFault } from '../images/image-error';
import { addBehind, behindOf, isNotable, MOST_NOTES, type BatchResult } from '../images/progress/sync-progress';
import type { PrunedTag, PruneReport, UnprunedTarget } from '../images/progress/prune-report';
import type { SyncedImage, SyncError } from '../images/progress/sync-report';
import { addTotals, NO_TOTALS, totalsOf } from '../images/progress/sync-totals';
import type { Images, ImageSyncContext } from '../images/service/open-images';
import { createSyncJournal } from '../images/sync/audit-journal';
import { planPrune, prunes } from '../images/sync/plan-prune';
import { pruneTag } from '../images/sync/prune-tag';
import type { SyncJournal } from '../images/sync/sync-journal';
import { survey, type Survey } from '../images/sync/survey';
import { syncBatch } from '../images/sync/sync-batch';
import { imageAlert } from '../images/sync/image-alert';
import { syncEndRecord } from '../images/sync/sync-end-record';
import { BoundedMap } from '../kernel/bounded-map';
import { FailureType } from '../kernel/failures';
import { shortText } from '../kernel/short-text';
import type { ProgramLogger } from '../platform/observability/program-logger';
import { beating } from './beating';
import type {
  BatchBeat,
  ImageActivities,
  ImageSyncDefaults,
  PruneTagsRequest,
  RecordSyncEndRequest,
  SyncIdentity,
  SyncImagesRequest,
} from './image-activities';
import { translated } from './to-application-failure';

/** What syncs of images are made of. */
export interface ImageParts {
  images: Images;
  audit: {
    /** durable when it resolves */
    record(record: AuditRecord): Promise<unknown>;
    /** absent where records cannot be read */
    find?(decisionID: string): Promise<AuditRecord | undefined>;
  };
  /** who is told of images by `notify` actions */
  alerts: { send(alert: Alert): Promise<void> };
  /** on every alert */
  labels: AlertLabels;
  defaults: ImageSyncDefaults;
  logger: ProgramLogger;
  nowMs(): number;
}

/** Surveys that a worker keeps; one that is not kept is made again. */
const MOST_SURVEYS = 8;
/** How long a batch that is cancelled may take to stop. */
const STOP_WITHIN_MS = 3_000;
/** Of one list in a note. */
const MOST_DIGESTS = 10;
const NOTE_CHARS = 500;

/** The activities of syncs: each calls a feature and translates its errors. */
export function createImageActivities(parts: ImageParts): ImageActivities {
  const surveys = new BoundedMap<string, Survey>(MOST_SURVEYS);

  async function surveyed(request: SyncImagesRequest, context: ImageSyncContext, signal: AbortSignal): Promise<Survey> {
    const key = `${request.sync} ${context.revision}`;
    const kept = surveys.get(key);
    if (kept !== undefined) return kept;
    const found = await survey(context, { signal, concurrency: parts.images.concurrency });
    throwIfCancelled(signal);
    surveys.set(key, found);
    return found;
  }

  const journalOf = ({ sync, workflowId, actor }: SyncIdentity, { revision }: ImageSyncContext): SyncJournal =>
    createSyncJournal({
      ...{ sync, workflowId, actor, revision },
      ...parts.audit,
      isRepeated: Context.current().info.attempt > 1,
      nowMs: parts.nowMs,
    });

  async function pruned(request: PruneTagsRequest, signal: AbortSignal): Promise<PruneReport> {
    const context = await parts.images.context();
    const journal = journalOf(request, context);
    const tags: PrunedTag[] = [];
    for (const surplus of request.plan.surplus) {
      throwIfCancelled(signal);
      const done = await pruneTag(context, surplus, journal, request.plan.surplus);
      const { target, policyId, digest, outcome } = done;
      parts.logger.info({ target, policyId, digest, outcome }, 'surplus tag');
      tags.push(done.error === undefined ? done : { ...done, error: toShort(done.error) });
    }
    return { tags, left: request.plan.left };
  }

  async function batch(request: SyncImagesRequest, beat: Beat, signal: AbortSignal): Promise<BatchResult> {
    const { images, logger, nowMs } = parts;
    const context = await images.context(request.policies);
    const found = await surveyed(request, context, signal);
    beat.begin(found);
    const messages: Promise<void>[] = [];
    const tell = (image: SyncedImage): void => {
      const alert = imageAlert(image, parts.labels, nowMs());
      if (alert === undefined) return;
      const sent = parts.alerts.send(alert);
      // The receivers have tried again by then; the audit log has what they missed.
      messages.push(sent.catch((error: unknown) => logger.warn({ error }, 'a notification was not delivered')));
    };
    const journal = journalOf(request, context);
    const after = await syncBatch(context, found, {
      ...(request.after === undefined ? {} : { after: request.after }),
      atMost: request.batchImages,
      untilMs: nowMs() + request.batchMs,
      concurrency: images.concurrency,
      allReferrers: request.allReferrers,
      journal,
      hooks: { run: request.sync, hooks: images.hooks },
      signal,
      isDone: (source) => beat.isDone(source),
      onBytes: (bytes) => beat.arrived(bytes),
      onError: (error) => beat.unlisted([error]),
      onImage: (image) => {
        const { source, status, reason, digests } = image;
        const level = isNotable(image) ? 'info' : 'debug';
        logger[level]({ source, status, digests, ...(reason === undefined ? {} : { reason }) }, 'image decided');
        tell(image);
        beat.did(image);
      },
    });
    await Promise.all(messages);
    throwIfCancelled(signal);
    return beat.result(after);
  }

  return {
    readSyncDefaults: ({ policies }) =>
      translated(FailureType.ConfigInvalid, async () => {
        const context = await parts.images.context(policies);
        return { ...parts.defaults, ...(prunes(context) ? { prunes: true } : {}) };
      }),
    syncImages: (request) =>
      translated(FailureType.ActionFailed, async () => {
        const beat = createBeat(Context.current().info.heartbeatDetails as BatchBeat | undefined);
        return await beating((signal) => orStopped(batch(request, beat, signal), signal), beat.details);
      }),
    planPrune: ({ policies }) =>
      translated(FailureType.ActionFailed, () =>
        beating(async (signal) => {
          const { surplus, left } = await orStopped(planPrune(await parts.images.context(policies)), signal);
          throwIfCancelled(signal);
          const short = ({ error, ...rest }: UnprunedTarget) => ({ ...rest, error: toShort(error) });
          return { surplus, left: left.slice(0, MOST_NOTES).map(short) };
        }),
      ),
    pruneTags: (request) =>
      translated(FailureType.ActionFailed, () => beating((signal) => orStopped(pruned(request, signal), signal))),
    recordSyncEnd: (request) =>
      translated(FailureType.AuditWriteFailed, async () => {
        await parts.audit.record(syncEndRecord(request, parts.nowMs()));
        if (request.state === 'done') await reportBehind(parts, request);
      }),
  };
}

/** Policies of which nothing failed have caught up. */
async function reportBehind({ images }: ImageParts, { policies, behind = {} }: RecordSyncEndRequest): Promise<void> {
  const context = await images.context(policies).catch(() => undefined);
  if (context?.metrics === undefined) return;
  const replicating = context.set.policies.filter(({ actions }) =>
    actions.some(({ document }) => document.type === 'replicate'),
  );
  const { byId } = context.all ?? context.set;
  // One that is gone would be behind for ever.
  const known = Object.keys(behind).filter((id) => id === 'mapping' || byId.has(id));
  const ids = [...replicating.map(({ id }) => id), ...known];
  for (const id of new Set(ids)) context.metrics.behind(id, behind[id] ?? 0);
}

type Beat = ReturnType<typeof createBeat>;

/** What is done of a batch, over all its attempts. */
function createBeat(earlier: BatchBeat | undefined) {
  const done = new Set(earlier?.done ?? []);
  let { total, totals, omitted } = earlier ?? { total: 0, totals: NO_TOTALS, omitted: 0 };
  const notes: SyncedImage[] = [...(earlier?.notes ?? [])];
  const unlisted: SyncError[] = [...(earlier?.unlisted ?? [])];
  let behind = earlier?.behind ?? {};
  let bytesUnderWay = 0;
  const addUnlisted = (errors: readonly SyncError[]): void => {
    for (const error of errors)
      if (unlisted.length < MOST_NOTES && unlisted.every(({ source }) => source !== error.source))
        unlisted.push({ ...error, cause: shortText(error.cause, NOTE_CHARS) });
  };
  return {
    begin(found: Survey): void {
      total = found.images;
      addUnlisted(found.errors);
    },
    isDone: (source: string) => done.has(source),
    arrived: (bytes: number) => void (bytesUnderWay += bytes),
    unlisted: addUnlisted,
    did(image: SyncedImage): void {
      done.add(image.source);
      const own = totalsOf(image);
      totals = addTotals(totals, own);
      behind = addBehind(behind, behindOf(image));
      bytesUnderWay = Math.max(0, bytesUnderWay - own.bytes);
      if (!isNotable(image)) return;
      if (notes.length < MOST_NOTES) notes.push(toNote(image));
      else omitted += 1;
    },
    details: (): BatchBeat => ({ done: [...done], total, totals, notes, omitted, unlisted, behind, bytesUnderWay }),
    result: (after: BatchResult['after']): BatchResult => ({
      ...(after === undefined ? {} : { after }),
      ...{ total, totals, notes, omitted, unlisted, behind },
    }),
  };
}

/** An image as it is carried in a history: bounded, whatever registries say. */
function toNote(image: SyncedImage): SyncedImage {
  const { reason, targets, warnings, errors, digests, ...rest } = image;
  return {
    ...rest,
    digests: digests.slice(0, MOST_DIGESTS),
    errors: errors.slice(0, MOST_DIGESTS).map(toShort),
    ...(reason === undefined ? {} : { reason: shortText(reason, NOTE_CHARS) }),
    targets: targets.slice(0, MOST_DIGESTS).map((target) => ({
      ...target,
      ...(target.error === undefined ? {} : { error: toShort(target.error) }),
      referrers: target.referrers.slice(0, MOST_DIGESTS),
      absent: target.absent.slice(0, MOST_DIGESTS),
      foreign: target.foreign.slice(0, MOST_DIGESTS),
    })),
    warnings: warnings.slice(0, MOST_DIGESTS).map((one) => ({ ...one, reason: shortText(one.reason, NOTE_CHARS) })),
  };
}

function toShort(fault: ImageFault): ImageFault {
  return { ...fault, cause: shortText(fault.cause, NOTE_CHARS) };
}

/** What does not stop by itself is left: its tag is not moved any more. */
async function orStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    const leave = (): void => void (timer = setTimeout(() => reject(new CancelledFailure('stopped')), STOP_WITHIN_MS));
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}

function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new CancelledFailure('stopped');
}
