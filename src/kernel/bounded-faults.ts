import type { Fault } from './failures';
import { fitting, jsonBytes, LIMITS } from './limits';
import { shortText } from './short-text';

/**
 * Faults that a decision, a failure or a record may hold: each with a short message, and no more than fit. The first fault of
 * each type and fact is kept before any second one; the last one then says how many were left out. Faults within the limits
 * are given back as they are.
 */
export function boundedFaults(faults: readonly Fault[]): Fault[] {
  const { chars } = LIMITS.faults;
  const short = faults.map((fault) => {
    const { message, where } = fault;
    if (message.length <= chars && (where ?? '').length <= chars) return fault;
    return {
      ...fault,
      message: shortText(message, chars),
      ...(where === undefined ? {} : { where: shortText(where, chars) }),
    };
  });
  const { kept, left } = fitting(short, LIMITS.faults, ({ type, factId = '' }) => `${type} ${factId}`, jsonBytes);
  if (left === 0) return kept;
  const { count, bytes } = LIMITS.faults;
  const message = `${left} more of ${faults.length} faults (${jsonBytes(faults)} bytes) are left out: at most ${count} and ${bytes} bytes are kept`;
  return [...kept, { type: (short.find((fault) => !kept.includes(fault)) ?? short[0]!).type, message }];
}
