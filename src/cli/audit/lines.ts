import type { AuditRecord } from '../../audit/audit-record';

/** Formats in which records are written one after the other. */
export const LINE_FORMATS = ['jsonl', 'csv', 'opa'] as const;
export type LineFormat = (typeof LINE_FORMATS)[number];

export interface LineWriter {
  head: string;
  /** undefined for a record that the format does not know: OPA's knows decisions alone */
  toLine(record: AuditRecord): string | undefined;
}

export async function lineWriter(format: LineFormat): Promise<LineWriter> {
  if (format === 'csv') {
    const { CSV_HEAD, toCsvLine } = await import('../../audit/to-csv.js');
    return { head: CSV_HEAD, toLine: toCsvLine };
  }
  if (format === 'jsonl') return { head: '', toLine: (record) => `${JSON.stringify(record)}\n` };
  const { toOpaEvent } = await import('../../audit/to-opa-event.js');
  return {
    head: '',
    toLine(record) {
      const event = toOpaEvent(record);
      return event && `${JSON.stringify(event)}\n`;
    },
  };
}
