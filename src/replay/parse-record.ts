import { fromOpaEvent, isOpaEvent } from './from-opa-event';
import { AuditDomain, type AuditRecord } from '../audit/audit-record';
import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/json';
import { parseTime } from '../kernel/time';
import { JsonTextError, parseJsonText } from '../platform/documents/json-text';

const OUTCOMES: readonly unknown[] = ['allow', 'deny', 'error'];
const TEXTS = ['decisionID', 'kind', 'timestamp'] as const;
const PLACE = ['deploymentID', 'stage'] as const;
const OTHER_PLACE = ['domain', 'subject', 'part'] as const;

const EXPECTED = "expected an audit record or an event of OPA's decision log";

/** A record, or what an event of a decision log tells of one. */
export interface ParsedRecord {
  record: AuditRecord;
  /** why it cannot be replayed, where that does not follow from the record */
  cause?: string;
  /** an event holds no lease */
  isEvent?: true;
}

/** A line of an export as an audit record, or what it lacks to be one. Records of other kinds need their names alone. */
export function parseRecord(line: string): ParsedRecord | { why: string } {
  let value: JsonValue;
  try {
    value = parseJsonText(line);
  } catch (error) {
    const { message } = error as JsonTextError;
    return {
      why: error instanceof JsonTextError && error.isJson ? message : 'expected a JSON object, but it cannot be parsed',
    };
  }
  if (!isJsonObject(value)) return { why: 'expected a JSON object' };
  if (isOpaEvent(value)) {
    const found = fromOpaEvent(value);
    return 'why' in found ? found : { ...found, isEvent: true };
  }
  const isGates = (value.domain ?? AuditDomain.gate) === AuditDomain.gate;
  const text = [...TEXTS, ...(isGates ? PLACE : OTHER_PLACE)].find((name) => typeof value[name] !== 'string');
  if (text !== undefined) return { why: `${EXPECTED}; it lacks the text ${text}${keysOf(value)}` };
  if (parseTime(value.timestamp) === undefined) return { why: 'expected timestamp to be a time' };
  // What a later version holds is not known here; that it cannot be replayed is said of it as a record.
  const why = isGates && value.kind === 'decision' && value.schemaVersion === 1 ? decisionFault(value) : undefined;
  return why === undefined ? { record: value as unknown as AuditRecord } : { why };
}

/** What an object is that is neither, by its first keys. */
function keysOf(value: JsonObject): string {
  const keys = Object.keys(value).slice(0, 5);
  return keys.length === 0 ? '' : `, and has ${keys.map((key) => JSON.stringify(key)).join(', ')}`;
}

function decisionFault(value: JsonObject): string | undefined {
  if (!OUTCOMES.includes(value.outcome)) return 'expected outcome to be allow, deny or error';
  if (!isList(value.reasons, (reason) => typeof reason === 'string')) return 'expected reasons to be a list of texts';
  if (!isList(value.errorDetails, isFault)) return 'expected errorDetails to be a list of faults';
  if (!isList(value.usedFacts, isUsedFact)) return 'expected usedFacts to be a list of facts with their times';
  return undefined;
}

const isList = (value: JsonValue | undefined, isItem: (item: JsonValue) => boolean): boolean =>
  Array.isArray(value) && value.every(isItem);

const isFault = (item: JsonValue): boolean =>
  isJsonObject(item) && typeof item.type === 'string' && typeof item.message === 'string';

const isUsedFact = (item: JsonValue): boolean =>
  isJsonObject(item) &&
  typeof item.id === 'string' &&
  'value' in item &&
  parseTime(item.observedAt) !== undefined &&
  parseTime(item.collectedAt) !== undefined;
