import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureType, GateError } from '../../kernel/failures';

/** Of group and others: who may write to a folder may put files into it that this program would take for its own. */
const WRITE_OF_OTHERS = 0o022;

/**
 * A folder for this user's eyes only (0700), made or taken as it is, whatever the umask and whoever made it.
 *
 * @throws GateError ConfigInvalid for a folder that others may write to, or that is no folder; the file system's error
 *   otherwise
 */
export async function makePrivateFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  const { mode } = await stat(folder);
  if (made === undefined && (mode & WRITE_OF_OTHERS) !== 0) {
    const found = (mode & 0o777).toString(8).padStart(4, '0');
    const message = `Expected ${folder} to be a folder that no one else may write to, found mode ${found}; look at what is in it, then chmod 700 it`;
    throw new GateError(FailureType.ConfigInvalid, message);
  }
  if ((mode & 0o777) !== 0o700) await chmod(folder, 0o700);
}

/** Every folder below `folder` becomes 0700, every file 0600; links are left as they are. */
export async function makePrivateTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o700);
    else if (entry.isFile()) await chmod(path, 0o600);
  }
  await chmod(folder, 0o700);
}
