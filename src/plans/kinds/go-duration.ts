/** A duration as Go writes it: `45s`, `1h30m`, `1.5h`. PlanSpec has no days, and no sign. */
export const GO_DURATION_PATTERN = '^([0-9]+(\\.[0-9]+)?(ns|us|µs|μs|ms|s|m|h))+$';

const DURATION = new RegExp(GO_DURATION_PATTERN);
const PART = /([0-9]+(?:\.[0-9]+)?)(ns|us|µs|μs|ms|s|m|h)/g;
const UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  // The Greek letter, which Go takes for the micro sign too.
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * Milliseconds of a Go duration, rounded up to whole ones: what is longer than nothing never becomes nothing.
 *
 * @returns undefined for any other text, and for what is beyond the largest safe integer
 */
export function parseGoDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let sum = 0;
  for (const [, digits, unit] of text.matchAll(PART)) sum += Number(digits) * UNITS_MS[unit!]!;
  const milliseconds = Math.ceil(sum);
  return Number.isSafeInteger(milliseconds) ? milliseconds : undefined;
}
