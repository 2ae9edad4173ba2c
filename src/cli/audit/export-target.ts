import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CliExit, ExitCode, type CliIo } from '../io';

export interface ExportTarget {
  write(text: string): Promise<void>;
  /** the file stands under its name from here on */
  finish(): Promise<void>;
  /** nothing of a file is left */
  discard(): Promise<void>;
}

/**
 * A file, renamed into place when it is whole, or stdout.
 *
 * @throws CliExit that names a file that cannot be written
 */
export async function openExport(io: CliIo, name: string | undefined): Promise<ExportTarget> {
  if (name === undefined) {
    const idle = () => Promise.resolve();
    return { write: (text) => writeOut(io, text), finish: idle, discard: idle };
  }
  const path = resolve(io.cwd, name);
  const part = `${path}.${process.pid}.part`;
  const attempt = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      throw new CliExit(ExitCode.usage, `cannot write ${path}: ${(error as Error).message}`);
    }
  };
  const file = await attempt(() => open(part, 'w'));
  return {
    write: (text) => attempt(() => file.writeFile(text)),
    finish: () =>
      attempt(async () => {
        await file.sync();
        await file.close();
        await rename(part, path);
      }),
    async discard() {
      await file.close().catch(() => undefined);
      await rm(part, { force: true });
    },
  };
}

/** Waits for a slow reader of a pipe, so that what it has not read yet does not pile up here. */
async function writeOut({ stdout }: CliIo, text: string): Promise<void> {
  if (text === '' || stdout.write(text) !== false) return;
  await new Promise<void>((resolve) => (stdout as NodeJS.WriteStream).once('drain', resolve));
}
