import { parseTime, toTimestamp } from '../../kernel/time';

/** How far clocks of publishers and workers may differ. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000;

/**
 * Why a signed manifest of this time is not taken; undefined when it may be. An earlier manifest is no longer what its
 * publisher says, though its signature is good. One of the far future would keep all that follow from being taken.
 *
 * @param publishedAt as the manifest has it
 * @param acceptedMs of the manifest that was accepted last; undefined before the first
 * @param nowMs the worker's clock
 */
export function orderFault(
  publishedAt: string | undefined,
  acceptedMs: number | undefined,
  nowMs: number,
): string | undefined {
  const atMs = parseTime(publishedAt);
  if (atMs === undefined) {
    const found = publishedAt === undefined ? 'none' : JSON.stringify(publishedAt);
    return `expected publishedAt, an RFC 3339 time, in a signed manifest, found ${found}`;
  }
  if (acceptedMs !== undefined && atMs < acceptedMs) {
    return `published at ${publishedAt}, before the manifest of ${toTimestamp(acceptedMs)} that was accepted last: to return to an earlier release, publish a new manifest (gate policy rollback)`;
  }
  if (atMs - nowMs > CLOCK_TOLERANCE_MS) {
    return `published at ${publishedAt}, but here it is ${toTimestamp(nowMs)}: one of the two clocks is wrong`;
  }
  return undefined;
}

/** The time of a signed manifest that replaces another, and what people must know of it. */
export interface PublicationTime {
  at: string;
  warning?: string;
}

/**
 * When a manifest is published that workers shall take after `replaced`: now, or just after it where that publisher's clock is
 * ahead by as much as workers tolerate.
 *
 * @param replaced `publishedAt` of the manifest in place; undefined when there is none, or it does not say
 */
export function publicationTime(nowMs: number, replaced: string | undefined): PublicationTime {
  const at = toTimestamp(nowMs);
  const beforeMs = parseTime(replaced);
  if (beforeMs === undefined || beforeMs < nowMs) return { at };
  if (beforeMs - nowMs <= CLOCK_TOLERANCE_MS) return { at: toTimestamp(beforeMs + 1) };
  const warning = `the manifest in place was published at ${replaced}, but here it is ${at}: one of the two clocks is wrong. Workers that took it refuse this one`;
  return { at, warning };
}
