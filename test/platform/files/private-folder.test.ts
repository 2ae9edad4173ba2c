import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openAuditDatabase } from '../../../src/audit/stores/postgres/open-audit-database';
import { openExport } from '../../../src/cli/audit/export-target';
import { anIo } from '../../cli/an-io';
import { makePrivateFolder } from '../../../src/platform/files/private-folder';

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

describe('what is for one user alone', () => {
  let folder: string;
  let umask: number;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gate-private-'));
    umask = process.umask(0);
  });
  afterEach(async () => {
    process.umask(umask);
    await rm(folder, { recursive: true, force: true });
  });

  it('a private folder is closed to others, whoever made it', async () => {
    const made = join(folder, 'a', 'b');
    await makePrivateFolder(made);
    expect(await modeOf(made)).toBe('700');
    const open = join(folder, 'open');
    await mkdir(open, { mode: 0o755 });
    await makePrivateFolder(open);
    expect(await modeOf(open)).toBe('700');
  });

  it.each([0o777, 0o775, 0o702, 0o1777])('a folder of mode %o, to which others may write, is refused', async (mode) => {
    const open = join(folder, 'open');
    await mkdir(open);
    await chmod(open, mode);
    await expect(makePrivateFolder(open)).rejects.toMatchObject({
      type: 'ConfigInvalid',
      message: expect.stringContaining(`${open} to be a folder that no one else may write to`),
    });
    expect(await modeOf(open)).toBe((mode & 0o777).toString(8));
  });

  it('an embedded store has folders of mode 0700 and files of mode 0600 whatever the umask', async () => {
    const store = join(folder, 'store');
    await mkdir(store, { mode: 0o755 });
    const opened = await openAuditDatabase({ folder: store });
    await opened.close();
    const modes = new Map<string, string>();
    for (const entry of await readdir(store, { recursive: true, withFileTypes: true })) {
      const kind = entry.isDirectory() ? 'folder' : 'file';
      const mode = await modeOf(join(entry.parentPath, entry.name));
      if (mode !== (kind === 'folder' ? '700' : '600')) modes.set(join(entry.parentPath, entry.name), mode);
    }
    expect(await modeOf(store)).toBe('700');
    expect(modes).toEqual(new Map());
  });

  it('an export is for its user alone, also in the place of a file that others could read', async () => {
    const file = join(folder, 'export.jsonl');
    await writeFile(file, 'old', { mode: 0o644 });
    const target = await openExport(anIo(folder), 'export.jsonl');
    await target.write('new');
    await target.finish();
    expect(await modeOf(file)).toBe('600');
  });
});
