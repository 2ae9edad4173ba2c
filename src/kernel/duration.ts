/** A duration as people write it, everywhere: `500ms`, `45s`, `1.5h`, `30d`. Without a unit it is not one. */
export const DURATION_PATTERN = '^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$';

const DURATION = new RegExp(DURATION_PATTERN);
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** What counts where nothing else is configured. */
export const DEFAULT_DURATIONS = {
  /** how long a fact may be served from the cache */
  factTtl: '15s',
  /** how old a fact may be when the decision is made */
  factMaxAge: '45s',
  /** how long a fact's source may take */
  factTimeout: '5s',
  /** how long an action's request may take */
  actionTimeout: '10s',
  /** how long one attempt at replicating an image may take */
  replicateImage: '1h',
  /** how long a move of a shard's replica may take */
  shardMove: '30m',
  /** how often a worker reads its manifest, and a stage that waits asks again */
  refresh: '30s',
} as const;

/** Whether `text` is a duration, however long; `parseDuration` also refuses what cannot be counted. */
export function isDuration(text: string): boolean {
  return DURATION.test(text);
}

/**
 * Milliseconds of a duration, rounded to whole ones.
 *
 * @throws RangeError when `text` is not a duration, or is beyond the largest safe integer
 */
export function parseDuration(text: string): number {
  const unit = DURATION.exec(text)?.[2] ?? '';
  const milliseconds = Math.round(Number.parseFloat(text) * (UNITS_MS[unit] ?? NaN));
  if (!Number.isSafeInteger(milliseconds)) {
    throw new RangeError(`Expected a duration such as 45s or 6h, got ${JSON.stringify(text)}`);
  }
  return milliseconds;
}

/** `1h 5m`, `45s`, `300ms`: at most two units, for people. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))}ms`;
  const units: [string, number][] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ];
  const parts: string[] = [];
  let rest = Math.round(milliseconds / 1000) * 1000;
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    if (count > 0 && parts.length < 2) {
      parts.push(`${count}${unit}`);
      rest -= count * size;
    } else if (parts.length > 0) break;
  }
  return parts.join(' ');
}
