import { rename, rm, writeFile } from 'node:fs/promises';
import { CliExit, ExitCode } from './io';

const REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOENT: 'its folder does not exist',
  ENOSPC: 'no space is left on the device',
  ENOTDIR: 'a part of its path is not a folder',
  EROFS: 'the file system is read-only',
};

/**
 * Writes a whole file or none: renamed into place, so that whoever watches it never sees half of it.
 *
 * @throws CliExit that names the file and the reason; what had been written of it is removed
 */
export async function writeResult(path: string, content: string | Uint8Array): Promise<void> {
  const part = `${path}.part`;
  try {
    await writeFile(part, content);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new CliExit(ExitCode.usage, `cannot write ${path}: ${REASONS[code] ?? message}`);
  }
}
