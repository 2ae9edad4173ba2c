import type { GateError } from '../../../kernel/failures';
import { sourceFailure, type SourceFailureType } from '../../../platform/sources/request-json';

/** An error about a fact's source that names the fact and the URL without secrets. */
export function factFailure(
  type: SourceFailureType,
  { factId, url }: { factId: string; url: string },
  what: string,
  extra: { status?: number; cause?: unknown } = {},
): GateError {
  return sourceFailure(type, { subject: `Fact ${factId}`, factId, url }, what, extra);
}
