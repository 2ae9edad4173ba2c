import { fitting, jsonBytes, LIMITS } from '../../kernel/limits';
import { reasonCode } from '../../kernel/reason-code';
import { shortText } from '../../kernel/short-text';

/** The code of the reason that says how many were left out. */
export const REASONS_LEFT_OUT = 'reasons_left_out';

/**
 * The reasons that a decision keeps, ordered, each once: what denied stays denied, however many reasons there are. The first
 * one of each code is kept before any second one. Where some are left out, one more says how many and why.
 */
export function boundedReasons(given: readonly string[]): string[] {
  const { count, chars, bytes } = LIMITS.reasons;
  const reasons = [...new Set(given.map((reason) => shortText(reason, chars)))].sort();
  const { kept, left } = fitting(reasons, LIMITS.reasons, reasonCode, jsonBytes);
  if (left === 0) return kept;
  const found = `the policy gave ${reasons.length} reasons of ${jsonBytes(reasons)} bytes`;
  const note = `${REASONS_LEFT_OUT}: ${found}, and a decision keeps at most ${count} of ${bytes} bytes: ${left} are not here`;
  return [...kept, note].sort();
}
