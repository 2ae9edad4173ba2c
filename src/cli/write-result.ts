import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { CliExit, ExitCode } from './io';

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
 * @throws CliExit that names the file and the reason, as its functions do
 */
export async function openResult(wanted: string): Promise<ResultFile> {
  const attempt = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      throw new CliExit(ExitCode.usage, `cannot write ${wanted}: ${REASONS[code] ?? message}`);
    }
  };
  const path = await realpath(wanted).catch(() => wanted);
  const found = await stat(path).catch(() => undefined);
  // What is there and is no file must not be replaced by one: not /dev/null, for one.
  const part = found === undefined || found.isFile() ? `${path}.${process.pid}.part` : undefined;
  const file = await attempt(() => open(part ?? path, 'w'));
  return {
    write: (content) => attempt(() => file.writeFile(content)),
    finish: () =>
      attempt(async () => {
        if (part !== undefined) await file.sync();
        await file.close();
        if (part !== undefined) await rename(part, path);
      }),
    async discard() {
      await file.close().catch(() => undefined);
      if (part !== undefined) await rm(part, { force: true }).catch(() => undefined);
    },
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
