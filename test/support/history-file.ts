import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
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

/** Where the runs of workflows are written, and the version of the package that they ran. */
export interface RunsFolder {
  folder: string;
  recordedBy: string;
}

/** Writes the first run of a workflow, and the last one where it continued as new, once it has ended. */
export async function writeRuns(
  client: Client,
  handle: WorkflowHandleWithFirstExecutionRunId,
  { folder, name, recordedBy }: RunsFolder & { name: string },
): Promise<void> {
  await handle.result().catch(() => undefined);
  const runs = [handle.firstExecutionRunId, (await handle.describe()).runId];
  for (const [index, runId] of [...new Set(runs)].entries()) {
    const history = await client.workflow.getHandle(handle.workflowId, runId).fetchHistory();
    const file = encodeHistory(handle.workflowId, recordedBy, history);
    writeFileSync(join(folder, `${name}${index === 0 ? '' : '.last-run'}.json`), `${JSON.stringify(file, null, 1)}\n`);
  }
}
