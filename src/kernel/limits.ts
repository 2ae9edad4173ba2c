import { shortText } from './short-text';

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * What a deployment may carry at most, in one place (docs/limits.md has the table). Temporal ends a run that passes its own
 * limits, without a word to anyone; these are below them, and what passes one of these is named with its size.
 */
export const LIMITS = {
  /** of a fact's value as JSON; `sizes.factBytes` of a release sets another */
  factBytes: MIB,
  /** of all facts of one decision as JSON; `sizes.snapshotBytes` of a release sets another */
  snapshotBytes: 4 * MIB,
  /** of the facts that pass through Temporal's history; bigger ones are put into the store of record first */
  carriedFactsBytes: 64 * KIB,
  /** of the attributes of a deployment and of all its stages as JSON */
  attributesBytes: 64 * KIB,
  /** of a whole deployment as JSON */
  deploymentBytes: 512 * KIB,
  /** deny reasons that a decision keeps, characters of each and bytes of all */
  reasons: { count: 1_000, chars: 1_000, bytes: 32 * KIB },
  /** faults that a decision or a failure keeps, characters of each and bytes of all */
  faults: { count: 100, chars: 1_000, bytes: 32 * KIB },
  /** paths and other short texts about an evaluation */
  paths: { count: 100, chars: 300, bytes: 8 * KIB },
  /** warnings of a source about one answer */
  warnings: { count: 20, chars: 300, bytes: 8 * KIB },
  /** characters of the message of a failure that passes through Temporal, and of the reason why a deployment ended */
  failureChars: 2_000,
  /** facts of a decision that a workflow keeps and shows, each shortened */
  shownFacts: { count: 200, bytes: 64 * KIB },
  /** of the answer of the query `status` as JSON, and of the result of a deployment's workflow */
  statusBytes: 512 * KIB,
  /** characters of the description of a fact's source */
  sourceChars: 500,
  /** of one argument of a signal, an Update or a query; a bigger one is not parsed */
  messageBytes: 64 * KIB,
  /** characters of an operator's actor, reason and `for`, each */
  operatorChars: 1_000,
  /** signals that were not accepted and are noted, and calls of operators that a run remembers through continue-as-new */
  notes: 10,
  rememberedCalls: 200,
} as const;

/** How many there may be, characters of each, and bytes of all as JSON. */
export interface ListLimit {
  count: number;
  chars: number;
  bytes: number;
}

/** Bytes of a text in UTF-8. A half of a surrogate pair counts as the replacement character does. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x80) continue;
    bytes += code < 0x800 ? 1 : 2;
    // Both halves of a pair have four bytes together.
    const isPair = code >= 0xd800 && code < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
    if (isPair) at += 1;
  }
  return bytes;
}

/** Bytes of a value as JSON; 0 for undefined. */
export function jsonBytes(value: unknown): number {
  return utf8Bytes(JSON.stringify(value) ?? '');
}

/** What is kept of a list, in its order, and how many are not. */
export interface Kept<T> {
  kept: T[];
  left: number;
}

/**
 * The items that fit. The first of each group is kept before any second one, so that a long list of one kind hides no other.
 *
 * @param groupOf what kind of item it is
 * @param bytesOf its size
 */
export function fitting<T>(
  items: readonly T[],
  limit: Pick<ListLimit, 'count' | 'bytes'>,
  groupOf: (item: T) => string,
  bytesOf: (item: T) => number,
): Kept<T> {
  const seen = new Set<string>();
  const firsts = new Set<number>();
  items.forEach((item, at) => {
    const group = groupOf(item);
    if (!seen.has(group)) firsts.add(at);
    seen.add(group);
  });
  const order = [...firsts, ...items.keys()];
  const kept = new Set<number>();
  let left = limit.bytes;
  for (const at of order) {
    if (kept.size >= limit.count) break;
    const bytes = bytesOf(items[at]!);
    if (kept.has(at) || bytes > left) continue;
    kept.add(at);
    left -= bytes;
  }
  return { kept: items.filter((_item, at) => kept.has(at)), left: items.length - kept.size };
}

/** The texts that fit, each shortened; the last one then says how many were left out. */
export function fittingTexts(texts: readonly string[], limit: ListLimit): string[] {
  const short = texts.map((text) => shortText(text, limit.chars));
  const { kept, left } = fitting(short, limit, (text) => text, jsonBytes);
  return left === 0 ? kept : [...kept, `and ${left} more`];
}
