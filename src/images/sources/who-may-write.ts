import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const OF_GROUP = 0o020;
const OF_OTHERS = 0o002;

/**
 * Who else than its owner may change the policies of a file or folder, a sentence for each place: whoever may write there says where
 * images go. Empty if no one else may.
 */
export async function whoMayWrite(path: string): Promise<string[]> {
  const below = await readdir(path, { recursive: true }).catch(() => []);
  const found: string[] = [];
  for (const place of [path, ...below.sort().map((name) => join(path, name))]) {
    const known = await stat(place).catch(() => undefined);
    if (known === undefined || (known.mode & (OF_GROUP | OF_OTHERS)) === 0) continue;
    const who = (known.mode & OF_OTHERS) === 0 ? 'its group' : 'every user of this computer';
    found.push(`${place} may be written by ${who} (mode ${(known.mode & 0o777).toString(8).padStart(4, '0')})`);
  }
  return found;
}
