import { FailureType } from '../../../kernel/failures';
import type { JsonValue } from '../../../kernel/json';
import { parseTimeOrEpoch } from '../../../kernel/time';
import { factFailure } from './fact-failure';

/** Fewer milliseconds than this are a time before 1973: no fact is that old, but epoch seconds read as milliseconds are. */
const EARLIEST_MS = 1e11;

/**
 * The time that a source names: RFC 3339 or epoch milliseconds.
 *
 * @throws GateError FactInvalid that says what was found, epoch seconds among it
 */
export function readSourceTime(value: JsonValue, at: { factId: string; url: string }, where: string): number {
  const timeMs = parseTimeOrEpoch(value);
  const found = JSON.stringify(value);
  const shown = found.length > 60 ? `${found.slice(0, 60)}…` : found;
  if (timeMs === undefined) {
    const what = `answered ${shown} as ${where}, expected RFC 3339 or epoch milliseconds`;
    throw factFailure(FailureType.FactInvalid, at, what);
  }
  if (typeof value === 'number' && Math.abs(value) < EARLIEST_MS) {
    const year = new Date(timeMs).getUTCFullYear();
    const hint = value >= 1e9 ? '; it looks like epoch seconds' : '';
    const what = `answered ${shown} as ${where}, which in epoch milliseconds is in ${year}${hint}`;
    throw factFailure(FailureType.FactInvalid, at, what);
  }
  return timeMs;
}
