const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;
const MAX_DATE_MS = 8.64e15;

/**
 * The epoch milliseconds that `value` names: RFC 3339 with its offset, or a number of epoch milliseconds.
 *
 * @returns undefined for anything else, a day that its month does not have among it; throws nothing
 */
export function parseFactTime(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && Math.abs(value) <= MAX_DATE_MS ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const parts = RFC_3339.exec(value);
  if (parts === null) return undefined;
  // Date.parse rolls 30 February over into March.
  const daysInMonth = new Date(Date.UTC(Number(parts[1]), Number(parts[2]), 0)).getUTCDate();
  if (Number(parts[3]) > daysInMonth) return undefined;
  const parsed = Date.parse(value.toUpperCase());
  return Number.isNaN(parsed) ? undefined : parsed;
}
