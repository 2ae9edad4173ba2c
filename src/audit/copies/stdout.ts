import { visibleLines } from '../../kernel/visible-text';
import type { AuditRecord, AuditSink } from '../audit-record';

/** What lines of text are written to; a stream of Node fits. */
export interface TextOutput {
  /** calls `written` when the text is taken, with an error when it cannot be */
  write(text: string, written: (error?: Error | null) => void): unknown;
  on?(event: 'error', listener: () => void): unknown;
  off?(event: 'error', listener: () => void): unknown;
}

/** The callback of a write reports its failure; an `error` event without a listener would end the process as well. */
const ignore = (): void => undefined;

/**
 * One JSON line a record. `write` resolves when the stream has taken the line, so a reader that is slow holds up the copies
 * and nothing else; it rejects when the reader is gone (`EPIPE`).
 *
 * @param stream @default process.stdout
 */
export function createStdoutSink(stream: TextOutput = process.stdout): AuditSink {
  // One listener, however many gates of a program write to the same stream.
  stream.off?.('error', ignore);
  stream.on?.('error', ignore);
  return {
    name: 'stdout',
    write: (record: AuditRecord) =>
      new Promise<void>((resolve, reject) => {
        stream.write(visibleLines(`${JSON.stringify(record)}\n`), (error) => (error ? reject(error) : resolve()));
      }),
  };
}
