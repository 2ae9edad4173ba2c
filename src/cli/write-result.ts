import { open, realpath, stat } from 'node:fs/promises';
import { beginFile, type UnfinishedFile } from '../platform/files/write-durably';
import { CliExit, CommandFailureType, ExitCode } from './exit';

const REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOENT: 'its folder does not exist',
  ENOSPC: 'no space is left on the device',
  ENOTDIR: 'a part of its path is not a folder',
  EROFS: 'the file system is read-only',
};

/** A file that a command writes: what stood under its name stays until `finish`. */
export interface ResultFile {
  write(content: string | Uint8Array): Promise<void>;
  /** is under its name from here on */
  finish(): Promise<void>;
  /** nothing of it is left */
  discard(): Promise<void>;
}

/**
 * Begins a file that is renamed into place when it is whole, so that whoever watches it never sees half of it. A link stays a
 * link; a device or a pipe is written to as it is.
 *
 * @param options.mode of the file, less the umask @default 0o666
 * @throws CliExit that names the file and the reason, as its functions do
 */
export async function openResult(wanted: string, { mode }: { mode?: number } = {}): Promise<ResultFile> {
  const attempt = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      throw new CliExit(
        ExitCode.usage,
        `cannot write ${wanted}: ${REASONS[code] ?? message}`,
        CommandFailureType.Unexpected,
      );
    }
  };
  const path = await realpath(wanted).catch(() => wanted);
  const found = await stat(path).catch(() => undefined);
  // What is there and is no file must not be replaced by one: not /dev/null, for one.
  const part = found === undefined || found.isFile() ? `${path}.${process.pid}.part` : undefined;
  const file = await attempt(() =>
    part === undefined ? writeAsItIs(path) : beginFile(path, { part, ...(mode === undefined ? {} : { mode }) }),
  );
  return {
    write: (content) => attempt(() => file.write(content)),
    finish: () => attempt(() => file.finish()),
    discard: () => file.discard(),
  };
}

/** A device or a pipe: what was written to it cannot be taken back. */
async function writeAsItIs(path: string): Promise<UnfinishedFile> {
  const file = await open(path, 'w');
  return {
    write: (content) => file.writeFile(content),
    finish: () => file.close(),
    discard: () => file.close().catch(() => undefined),
  };
}

/**
 * Writes a whole file or none.
 *
 * @throws CliExit that names the file and the reason; what had been written of it is removed
 */
export async function writeResult(path: string, content: string | Uint8Array): Promise<void> {
  const file = await openResult(path);
  try {
    await file.write(content);
    await file.finish();
  } catch (error) {
    await file.discard();
    throw error;
  }
}
