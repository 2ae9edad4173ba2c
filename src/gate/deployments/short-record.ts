import type { AuditRecord, UsedFact } from '../../audit/audit-record';
import { isGateRecord } from '../../audit/place';
import { fitting, jsonBytes, LIMITS } from '../../kernel/limits';
import { shortText } from '../../kernel/short-text';
import type { JsonValue } from '../../kernel/json';

const SHOWN_VALUE_LENGTH = 120;

/** A fact of a record without its bulk: where the value is long, `shown` is its beginning and `value` is null. */
export interface ShortFact extends UsedFact {
  shown?: string;
}

/**
 * A record as a workflow keeps it and Temporal's history holds it: long values are shown by their beginning, of very many
 * facts those are kept that the evaluation looked at, as far as they fit, and the attributes, which the workflow has
 * itself, are left out.
 */
export function shortRecord<R extends AuditRecord>(record: R): R {
  const { usedFacts } = record;
  const deployment = isGateRecord(record) ? record.deployment : undefined;
  return {
    ...record,
    usedFacts: fittingFacts(usedFacts.map(shortFact)),
    ...(deployment === undefined ? {} : { deployment: { ...deployment, attributes: {}, stage_attributes: {} } }),
  };
}

/** What is shown of a fact's value. */
export function shownValue({ value, shown }: ShortFact): string {
  return shown ?? textOf(value);
}

function fittingFacts(facts: ShortFact[]): ShortFact[] {
  const groupOf = ({ id, lookedAt }: ShortFact): string => (lookedAt === false ? 'passed over' : `fact ${id}`);
  return fitting(facts, LIMITS.shownFacts, groupOf, jsonBytes).kept;
}

function shortFact(fact: ShortFact): ShortFact {
  const { value, source } = fact;
  const short = { ...fact, source: shortText(source, LIMITS.sourceChars) };
  const isLong = JSON.stringify(value).length > SHOWN_VALUE_LENGTH;
  return isLong ? { ...short, value: null, shown: textOf(value) } : short;
}

function textOf(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length > SHOWN_VALUE_LENGTH ? `${text.slice(0, SHOWN_VALUE_LENGTH)}…` : text;
}
