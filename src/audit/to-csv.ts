import type { AuditRecord, GateRecord } from './audit-record';
import { isGateRecord, placeOf } from './place';
import { completed, unknownFields } from './unknown-fields';

/**
 * What a spreadsheet may run: a cell that begins like a formula, in full-width signs too, also after spaces and characters
 * that do not show (programs trim them).
 */
const FORMULA = /^(?:[\t\r\n']|[\s\p{C}]*[=+\-@＝＋－＠])/u;

const COLUMNS: readonly (readonly [string, (record: AuditRecord) => string | number | undefined])[] = [
  ['timestamp', (record) => record.timestamp],
  ['decisionID', (record) => record.decisionID],
  ['kind', (record) => record.kind],
  ['deploymentID', (record) => gate(record)?.deploymentID],
  ['stage', (record) => gate(record)?.stage],
  ['outcome', (record) => record.outcome],
  ['reasons', (record) => record.reasons.join('\n')],
  ['errors', (record) => record.errorDetails.map(({ type, message }) => `${type}: ${message}`).join('\n')],
  ['actor', (record) => record.actor],
  ['reason', (record) => record.reason],
  ['refersTo', (record) => record.refersTo],
  ['policySHA', (record) => record.policySHA],
  ['configRev', (record) => record.configRev],
  ['manifestVersion', (record) => record.manifestVersion],
  ['evalDurationNS', (record) => record.evalDurationNS],
  ['workflowID', (record) => record.workflowID],
  ['runID', (record) => record.runID],
  ['leaseExpiresAt', (record) => record.leaseExpiresAt],
  ['usedFacts', (record) => JSON.stringify(record.usedFacts)],
  ['masked', (record) => record.masked?.join('\n')],
  ['domain', (record) => placeOf(record).domain],
  ['subject', (record) => placeOf(record).subject],
  ['part', (record) => placeOf(record).part],
  ['details', (record) => record.details && JSON.stringify(record.details)],
  ['damaged', (record) => record.damaged?.join('\n')],
  // What a later version has added.
  ['more', (record) => asJson(Object.fromEntries(unknownFields(record)))],
];

function asJson(fields: Record<string, unknown>): string | undefined {
  return Object.keys(fields).length === 0 ? undefined : JSON.stringify(fields);
}

function gate(record: AuditRecord): GateRecord | undefined {
  return isGateRecord(record) ? record : undefined;
}

export const CSV_HEAD = toLine(COLUMNS.map(([name]) => name));

/** One record as a line of RFC 4180, under `CSV_HEAD`. */
export function toCsvLine(record: AuditRecord): string {
  const whole = completed(record);
  return toLine(COLUMNS.map(([, read]) => String(read(whole) ?? '')));
}

function toLine(cells: readonly string[]): string {
  return `${cells.map(toCell).join(',')}\r\n`;
}

/** An apostrophe before a formula makes it text. */
function toCell(text: string): string {
  const inert = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
