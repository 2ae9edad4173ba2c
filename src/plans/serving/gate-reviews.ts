import { canonicalJson } from '../../kernel/canonical-json';
import type { JsonValue } from '../../kernel/json';
import { toTimestamp } from '../../kernel/time';
import type { SchemaFault } from '../../platform/documents/validate';
import type { Gate } from '../kinds/gate';

export type GateStatus = NonNullable<Gate['status']>;
export type Review = NonNullable<GateStatus['reviewHistory']>[number];

/** Who writes a gate's status. */
export interface Reviewer {
  actor: string;
  /** whether it may speak for others; who may not says its own word alone */
  namesOthers: boolean;
}

export interface ReviewOptions {
  generation: number;
  nowMs: number;
  by: Reviewer;
}

/** The comment of the entry behind which earlier approvals count no more. */
export const TAKEN_BACK = 'The decision was taken back';

/** Who has approved a generation so far: after the last rejection, and the last decision that was taken back. */
export function standingApprovals(history: readonly Review[], generation: number): string[] {
  const end = history.findLastIndex(({ action, comment }) => action === 'reject' || comment === TAKEN_BACK);
  const standing = history
    .slice(end + 1)
    .filter(({ action, targetGeneration }) => action === 'approve' && targetGeneration === generation);
  return [...new Set(standing.map(({ reviewer }) => reviewer))];
}

/** Whether two states of a gate are one decision, which others may have joined. */
export function isSameDecision(one: GateStatus | undefined, other: GateStatus | undefined): boolean {
  const [first, second] = [one?.resolution, other?.resolution];
  if (first === undefined || second === undefined) return false;
  return (
    first.outcome === second.outcome &&
    first.timestamp === second.timestamp &&
    one?.decidedGeneration === other?.decidedGeneration
  );
}

/**
 * A gate's status with its history of reviews, which only grows: whoever decides anew has an entry, be it sent or added here,
 * and so has a decision that is taken back.
 *
 * @param before as it is stored; absent for a new gate
 */
export function withReviews(
  before: GateStatus | undefined,
  sent: GateStatus,
  { generation, nowMs, by }: ReviewOptions,
): { status: GateStatus; faults: SchemaFault[] } {
  const stored = before?.reviewHistory ?? [];
  const history = sent.reviewHistory ?? stored;
  if (!isSame(history.slice(0, stored.length), stored)) {
    const sentence = 'expected the stored history at its beginning: entries are added, and never changed or removed';
    return { status: sent, faults: [{ pointer: '/status/reviewHistory', sentence }] };
  }
  const added = history.slice(stored.length);
  const entry = { timestamp: toTimestamp(nowMs), targetGeneration: generation };
  const isTaken = before?.resolution !== undefined && !isSameDecision(before, sent);
  const isNoted = added.some(({ comment }) => comment === TAKEN_BACK);
  const taken: Review[] =
    isTaken && !isNoted && before.decidedGeneration === generation
      ? [{ reviewer: by.actor, action: 'comment', ...entry, comment: TAKEN_BACK }]
      : [];
  const { resolution } = sent;
  const action = resolution?.outcome === 'rejected' ? 'reject' : 'approve';
  const known = new Set([
    ...(isTaken || action === 'reject' ? [] : standingApprovals(stored, generation)),
    ...(isSameDecision(before, sent) ? (before?.resolution?.actors ?? []) : []),
  ]);
  const deciding = [...new Set(resolution?.actors ?? [])].filter((actor) => !known.has(actor));
  const derived = deciding
    .filter((actor) => !added.some((each) => each.reviewer === actor && each.action === action))
    .map((reviewer): Review => ({ reviewer, action, ...entry }));
  const strangers = [...new Set([...deciding, ...added.map(({ reviewer }) => reviewer)])].filter(
    (actor) => actor !== by.actor,
  );
  const faults: SchemaFault[] = [];
  if (!by.namesOthers && strangers.length > 0) {
    faults.push({
      pointer: deciding.some((actor) => actor !== by.actor) ? '/status/resolution/actors' : '/status/reviewHistory',
      sentence: `expected no one to decide now but ${by.actor}, whose token this is, got ${strangers.join(', ')}`,
    });
  }
  const all = [...taken, ...added, ...derived];
  return {
    status:
      all.length === 0 && sent.reviewHistory === undefined && stored.length === 0
        ? sent
        : { ...sent, reviewHistory: [...stored, ...all] },
    faults,
  };
}

function isSame(one: readonly Review[], other: readonly Review[]): boolean {
  return canonicalJson(one as unknown as JsonValue) === canonicalJson(other as unknown as JsonValue);
}
