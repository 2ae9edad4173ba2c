import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadDocument } from '../../../src/platform/documents/loaders/document';
import { loadReleaseConfig } from '../../../src/releases/sources/load-release-config';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'planning-engine-alone-'));
  await writeFile(join(folder, 'base.pkl'), 'amends "modulepath:/Release.pkl"\nlimits { maxDelta = 1 }\n');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}
const OWN = 'amends "modulepath:/Release.pkl"\nlimits { maxDelta = 7 }\n';

describe("a release's configuration in PKL", () => {
  it.each(['release.pkl', 'with spaces and, a comma.pkl', 'ünï.pkl', 'a+b(1)[2].pkl', '100%.pkl'])(
    'a release configuration in PKL amends the module of the package, whatever its own file is called: %s',
    async (name) => {
      const { config } = await loadReleaseConfig(await write(name, OWN));
      expect(config.limits).toEqual({ maxDelta: 7, maxPending: 2000 });
    },
  );

  it('a release configuration in PKL may be reached through a link, as mounted configurations are', async () => {
    await mkdir(join(folder, '..data'));
    await writeFile(join(folder, '..data', 'release.pkl'), OWN);
    await symlink(join('..data', 'release.pkl'), join(folder, 'release.pkl'));
    expect((await loadReleaseConfig(join(folder, 'release.pkl'))).config.limits).toMatchObject({ maxDelta: 7 });
  });

  it.each([
    ['amends', 'amends "base.pkl"\n'],
    ['imports', `import "base.pkl"\n${OWN.replace('7', 'base.limits.maxDelta')}`],
    ['imports by an expression', OWN.replace('7', 'import("base.pkl").limits.maxDelta')],
  ])(
    'a release configuration in PKL is refused when it %s a file of the user: its digest would not name all of it',
    async (_, text) => {
      // What amends the package's module must say so on its first line, before its imports.
      const lines = text.split('\n');
      const ordered = [
        ...lines.filter((line) => line.startsWith('amends')),
        ...lines.filter((line) => !line.startsWith('amends')),
      ];
      const path = await write('release.pkl', ordered.join('\n'));
      await expect(loadReleaseConfig(path)).rejects.toMatchObject({
        type: 'ConfigInvalid',
        message: expect.stringContaining("a release's configuration is one file, whose digest names all of it"),
      });
      await expect(loadReleaseConfig(path)).rejects.toThrow('release.pkl');
    },
  );

  it('a release configuration in PKL is stricter than other documents, which may import from their own folder', async () => {
    const { document } = await loadDocument(await write('settings.pkl', 'amends "base.pkl"\n'));
    expect(document).toMatchObject({ limits: { maxDelta: 1, maxPending: 2000 } });
  });
});
