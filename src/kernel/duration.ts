import ms from 'ms';

/**
 * Milliseconds of a duration such as `500ms`, `45s`, `30m`, `6h`, `30d`.
 *
 * @throws RangeError when `text` is not one, or is beyond the largest safe integer
 */
export function parseDuration(text: string): number {
  const milliseconds = /^[0-9]/.test(text) ? ms(text as ms.StringValue) : undefined;
  if (milliseconds === undefined || !Number.isSafeInteger(Math.round(milliseconds))) {
    throw new RangeError(`Expected a duration such as 45s or 6h, got ${JSON.stringify(text)}`);
  }
  return Math.round(milliseconds);
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
