import { open, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CliExit, ExitCode, type CliIo } from '../io';

export interface ExportTarget {
  write(text: string): Promise<void>;
  /** true once nobody reads any more what is written, as with `| head` */
  isLeft(): boolean;
  /** the file stands under its name from here on */
  finish(): Promise<void>;
  /** nothing of a file is left */
  discard(): Promise<void>;
}

/**
 * A file, renamed into place when it is whole, or stdout, which `-` names as well. A device or a pipe is written to as it is.
 *
 * @throws CliExit that names a file that cannot be written
 */
export async function openExport(io: CliIo, name: string | undefined): Promise<ExportTarget> {
  if (name === undefined || name === '-') return toStdout(io);
  const wanted = resolve(io.cwd, name);
  const attempt = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      throw new CliExit(ExitCode.usage, `cannot write ${wanted}: ${(error as Error).message}`);
    }
  };
  // A link stays a link, and what stands there and is no file must not be replaced by one: not /dev/null, for one.
  const path = await realpath(wanted).catch(() => wanted);
  const found = await stat(path).catch(() => undefined);
  const isReplaced = found === undefined || found.isFile();
  const part = isReplaced ? `${path}.${process.pid}.part` : undefined;
  const file = await attempt(() => open(part ?? path, 'w'));
  return {
    write: (text) => attempt(() => file.writeFile(text)),
    isLeft: () => false,
    finish: () => attempt(() => finish(file, part, path)),
    async discard() {
      await file.close().catch(() => undefined);
      if (part !== undefined) await rm(part, { force: true });
    },
  };
}

async function finish(file: FileHandle, part: string | undefined, path: string): Promise<void> {
  if (part !== undefined) await file.sync();
  await file.close();
  if (part !== undefined) await rename(part, path);
}

function toStdout({ stdout }: CliIo): ExportTarget {
  const stream = stdout as Partial<NodeJS.WriteStream> & CliIo['stdout'];
  let left = false;
  // Not by `destroyed`, which a process's stdout takes back.
  const leave = () => {
    left = true;
  };
  stream.once?.('close', leave);
  const end = () => Promise.resolve(void stream.off?.('close', leave));
  return {
    write: (text) => (left ? Promise.resolve() : writeOut(stream, text)),
    isLeft: () => left,
    finish: end,
    discard: end,
  };
}

/** Waits for a slow reader of a pipe, so that what it has not read yet does not pile up here; not for one that left. */
async function writeOut(stream: Partial<NodeJS.WriteStream> & CliIo['stdout'], text: string): Promise<void> {
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
