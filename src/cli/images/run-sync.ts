import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageSyncClient, OpenedImageSyncs, UnderWay } from '../../clients/image-sync-client';
import { formatSize } from '../../images/conditions/image-size';
import type { SyncStatus } from '../../images/progress/sync-progress';
import { formatDuration } from '../../kernel/duration';
import { notFound } from '../exit';
import { CliExit, ExitCode, type CommandIo } from '../io';
import { colorsFor, printJson, printLines } from '../output';
import { imageLines, summaryLines } from './sync-text';

const POLL_MS = 500;
/** How long a worker may take to answer one question. */
const ANSWER_WITHIN_MS = 10_000;

/** A client of syncs on the server that the settings name. */
export async function connectSyncs(io: CommandIo, settings: string | undefined): Promise<OpenedImageSyncs> {
  const [{ openImageSyncs }, { openLoadedSettings }] = await Promise.all([
    import('../../clients/image-sync-client.js'),
    import('../open-settings.js'),
  ]);
  return openImageSyncs(await openLoadedSettings(io, settings), io.env, ANSWER_WITHIN_MS);
}

/**
 * Waits until a sync has ended.
 *
 * @param watch shows the progress on standard error
 * @throws CliExit 1 for one that was cancelled or terminated, 2 for one that does not exist, 4 if the command was stopped
 */
export async function waitForSync(
  io: CommandIo,
  syncs: ImageSyncClient,
  workflowId: string,
  watch: boolean,
): Promise<SyncStatus> {
  let shown = '';
  const say = (line: string): void => {
    if (line !== shown) io.stderr.write(`${line}\n`);
    shown = line;
  };
  const rate = createRate();
  for (;;) {
    const found = await syncs.status(workflowId);
    if (found.found === 'unknown') throw notFound(`no sync ${workflowId}`);
    if (found.found === 'ended') throw ended(workflowId, found.how);
    if (found.found === 'unanswered') say(`No worker answers for ${workflowId}; still waiting`);
    else {
      if (found.closed) return found.status;
      if (watch) say(progressLine(found.status, found.under, rate(found.status, found.under)));
    }
    if (!io.signal.aborted) await sleep(POLL_MS, undefined, { signal: io.signal }).catch(() => undefined);
    if (io.signal.aborted) throw new CliExit(ExitCode.timeout, `stopped waiting; ${workflowId} continues`);
  }
}

/** @throws CliExit 1 */
export function ended(workflowId: string, how: string): CliExit {
  return new CliExit(ExitCode.denied, `${workflowId} was ${how} before its end`);
}

/** Images, bytes, rate and the time that is left. */
export function progressLine(
  { total, totals, notes: _notes }: SyncStatus,
  { bytes, attempt }: UnderWay,
  { bytesPerSecond, leftMs }: Rate = {},
): string {
  const parts = [
    total === undefined ? 'listing' : `${totals.images} of ${total} images`,
    `${totals.tagsCopied} copied`,
    formatSize(totals.bytes + bytes),
    ...(bytesPerSecond === undefined ? [] : [`${formatSize(bytesPerSecond)}/s`]),
    ...(leftMs === undefined ? [] : [`about ${formatDuration(Math.ceil(leftMs / 1000) * 1000)} left`]),
    ...(attempt > 1 ? [`attempt ${attempt}`] : []),
  ];
  return parts.join(', ');
}

interface Rate {
  bytesPerSecond?: number;
  leftMs?: number;
}

/** Measures between the first status that was seen and the present one. */
function createRate(): (status: SyncStatus, under: UnderWay) => Rate {
  let first: { atMs: number; bytes: number; images: number } | undefined;
  return ({ totals, total }, under) => {
    const now = { atMs: Date.now(), bytes: totals.bytes + under.bytes, images: totals.images };
    first ??= now;
    const ms = now.atMs - first.atMs;
    if (ms < 1_000) return {};
    const done = now.images - first.images;
    const left = total === undefined || done <= 0 ? undefined : ((total - now.images) / done) * ms;
    return {
      bytesPerSecond: Math.max(0, Math.round(((now.bytes - first.bytes) * 1000) / ms)),
      ...(left === undefined ? {} : { leftMs: left }),
    };
  };
}

/** Prints how a sync ended, or how far it is. */
export function printSync(io: CommandIo, workflowId: string, status: SyncStatus, output: 'text' | 'json'): ExitCode {
  const { totals, notes, omitted, unlisted, fault, state, total, pruned } = status;
  if (output === 'json') {
    const { images: done, ...counts } = totals;
    const { sync, policies, actor } = status;
    printJson(io, {
      ...{ workflowId, sync, state, actor },
      ...(policies === undefined ? {} : { policies }),
      ...(total === undefined ? {} : { imagesLeft: total - done }),
      ...counts,
      ...{ images: notes, imagesOmitted: omitted, unlisted },
      ...(pruned === undefined ? {} : { pruned }),
      ...(fault === undefined ? {} : { fault }),
    });
  } else {
    const colors = colorsFor(io);
    printLines(io, [
      ...notes.flatMap((image) => imageLines(image, false, colors)),
      ...(omitted > 0 ? [`and ${omitted} more images: gate audit list --domain images`] : []),
      ...summaryLines(totals, unlisted, pruned, false, colors),
    ]);
  }
  if (fault !== undefined) throw new CliExit(ExitCode.usage, fault.message, fault.type, [fault.message]);
  return totals.errors > 0 || totals.tagsBlocked > 0 ? ExitCode.denied : ExitCode.ok;
}
