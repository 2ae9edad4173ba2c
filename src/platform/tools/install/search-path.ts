import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

export async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Every executable called `name` on the PATH, in its order. Empty entries, which a shell reads as `.`, are left out. */
export async function searchPath(name: string, path: string | undefined): Promise<string[]> {
  const candidates = (path ?? '').split(delimiter).filter(Boolean);
  const found: string[] = [];
  for (const folder of new Set(candidates)) {
    const candidate = join(folder, name);
    if (await isExecutableFile(candidate)) found.push(candidate);
  }
  return found;
}
