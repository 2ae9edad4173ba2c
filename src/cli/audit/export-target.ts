import { resolve } from 'node:path';
import type { CommandIo } from '../io';
import type { TextStream } from '../../platform/observability/terminal';
import { openResult, type ResultFile } from '../write-result';

export interface ExportTarget extends ResultFile {
  /** true once the reader of what is written is gone, as with `| head` */
  isLeft(): boolean;
}

/**
 * A file, or stdout, which `-` names as well.
 *
 * @throws CliExit that names a file that cannot be written
 */
export async function openExport(io: Pick<CommandIo, 'data' | 'cwd'>, name: string | undefined): Promise<ExportTarget> {
  if (name === undefined || name === '-') return toStdout(io);
  // Records hold names of people: what is exported is for this user alone.
  const file = await openResult(resolve(io.cwd, name), { mode: 0o600 });
  return { ...file, isLeft: () => false };
}

function toStdout({ data: stream }: Pick<CommandIo, 'data'>): ExportTarget {
  let left = false;
  // Not by `destroyed`, which a process's stdout takes back.
  const leave = () => {
    left = true;
  };
  stream.once?.('close', leave);
  const end = () => Promise.resolve(void stream.off?.('close', leave));
  return {
    write: (text) => (left ? Promise.resolve() : writeOut(stream, String(text))),
    isLeft: () => left,
    finish: end,
    discard: end,
  };
}

/** Waits for a slow reader of a pipe, so that what it has not read yet does not pile up here; not for one that left. */
async function writeOut(stream: TextStream, text: string): Promise<void> {
  if (text === '' || stream.write(text) !== false || stream.once === undefined) return;
  await new Promise<void>((resolve) => {
    const goOn = () => {
      stream.off?.('drain', goOn);
      stream.off?.('close', goOn);
      resolve();
    };
    stream.once?.('drain', goOn);
    stream.once?.('close', goOn);
  });
}
