import { temporal } from '@temporalio/proto';

export type History = temporal.api.history.v1.IHistory;
const { History: Codec } = temporal.api.history.v1;

/** A recorded workflow as it is kept in test/histories: protobuf, because the JSON form does not read back everywhere. */
export interface HistoryFile {
  workflowId: string;
  /** version of the package that recorded it */
  recordedBy: string;
  /** base64, in lines */
  history: string[];
}

const LINE = 120;

export function encodeHistory(workflowId: string, recordedBy: string, history: History): HistoryFile {
  const text = Buffer.from(Codec.encode(history).finish()).toString('base64');
  const lines = Array.from({ length: Math.ceil(text.length / LINE) }, (_, line) =>
    text.slice(line * LINE, (line + 1) * LINE),
  );
  return { workflowId, recordedBy, history: lines };
}

export function decodeHistory(file: HistoryFile): History {
  return Codec.decode(Buffer.from(file.history.join(''), 'base64'));
}
