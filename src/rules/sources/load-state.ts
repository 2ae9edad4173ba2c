import { closeName } from '../../platform/documents/close-name';
import { loadDocuments } from '../../platform/documents/loaders/document';
import { configInvalid } from '../../platform/documents/loaders/read-bytes';
import type { DomainState, RuleDomain, StateReading } from '../domain';
import { RULE_LIMITS } from '../limits';

/**
 * A state from a file of at most 64 MiB.
 *
 * @throws GateError ConfigInvalid with every fault, and where the subject that is asked about is not in it
 */
export async function loadState(path: string, domain: RuleDomain, reading: StateReading): Promise<DomainState> {
  const { documents } = await loadDocuments(path, { largestBytes: RULE_LIMITS.stateBytes });
  const [first, second] = documents;
  if (first === undefined || second !== undefined) {
    throw configInvalid(path, `expected one document, got ${documents.length}`);
  }
  const { document, lineOf, columnOf } = first;
  const where = { file: path, ...(lineOf === undefined ? {} : { lineOf, columnOf }) };
  const state = domain.readState(document, where, reading);
  if (reading.subject !== undefined && state.subjects.length === 0) {
    const { subject, ...others } = reading;
    const known = domain.readState(document, where, others).subjects.flatMap(({ id }) => id ?? []);
    const close = closeName(subject, known);
    const hint = close === undefined ? '' : `; did you mean ${close}?`;
    throw configInvalid(path, `no ${domain.prefixes.subject} in it is named ${subject}${hint}`);
  }
  return state;
}
