/** The code of a deny reason that has no `:`. */
export const OTHER_REASON = 'other';

/** The codes of a record's reasons, in their order: a masked record holds nothing else. */
export function reasonCodesOf({
  reasons,
  masked,
}: {
  reasons: readonly string[];
  masked?: readonly string[];
}): string[] {
  return masked === undefined ? reasons.map(reasonCode) : [...reasons];
}

/**
 * A deny reason's code: its text before the first `:` in snake_case (gate rules, section 1). Codes label metrics and are
 * public.
 *
 * @returns e.g. `max_pending_limit_exceeded` for `max_pending limit exceeded: current 3100 > configured 2000`; `other`
 *   where there is no `:`, or no letter or digit before it
 */
export function reasonCode(reason: string): string {
  const end = reason.indexOf(':');
  if (end < 0) return OTHER_REASON;
  const code = reason
    .slice(0, end)
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1_$2')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '_')
    .replace(/^_+|_+$/g, '');
  return code === '' ? OTHER_REASON : code;
}
