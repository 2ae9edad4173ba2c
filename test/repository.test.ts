import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadSettings } from '../src/settings/load-settings';
import { FailureType } from '../src/kernel/failures';

const root = join(__dirname, '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root })
  .toString()
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)) && statSync(join(root, file)).isFile());
const isText = (file: string): boolean => !readFileSync(join(root, file)).subarray(0, 8_000).includes(0);

describe('the repository', () => {
  it.each(['README.md', 'CHANGELOG.md', 'LICENSE', '.gitattributes', '.editorconfig'])(
    'the repository has %s',
    (file) => {
      expect(files).toContain(file);
    },
  );

  it('the repository names no path of one machine', () => {
    // Put together here, so that this file does not name them either.
    const pattern = new RegExp(`(^|[\\s"'\`(=])/(${['root', 'home', 'Users', 'work'].join('|')})/[\\w.]`, 'm');
    const naming = files.filter((file) => isText(file) && file !== 'package-lock.json' && pattern.test(read(file)));
    expect(naming).toEqual([]);
  });

  it('the repository has a lock file that names no registry, so that every machine uses its own', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved"/);
  });

  it('the repository holds no binaries but recorded histories', () => {
    const binaries = files.filter((file) => !isText(file) && !file.startsWith('test/histories/'));
    expect(binaries).toEqual([]);
  });

  it('the repository has documents whose links lead somewhere', () => {
    const broken = files
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) =>
        [...read(file).matchAll(/\]\(([^)\s]+)\)/g)]
          .map(([, link = '']) => link.split('#')[0] ?? '')
          .filter((link) => link !== '' && !/^[a-z]+:/.test(link) && !existsSync(join(root, dirname(file), link)))
          .map((link) => `${file}: ${link}`),
      );
    expect(broken).toEqual([]);
  });

  it('the repository leads from the README to every document', () => {
    const links = [...read('README.md').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
    expect(links).toEqual(expect.arrayContaining(files.filter((file) => /^docs\/.*\.md$/.test(file))));
  });

  it('the README lists exactly the failure types of the kernel', () => {
    const rows = [...read('README.md').matchAll(/^\| `([A-Z][A-Za-z]+)` \|/gm)].map(([, name]) => name);
    expect(rows.sort()).toEqual(Object.values(FailureType).sort());
  });

  it('the page for operators has a section for each failure type', () => {
    const sections = [...read('docs/operations.md').matchAll(/^## ([A-Z]\S+)$/gm)].map(([, name]) => name);
    expect(sections.sort()).toEqual(Object.values(FailureType).sort());
  });

  it('the repository has documents whose settings are settings', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gate-settings-'));
    const snippets = files
      .filter((file) => /^docs\/.*\.md$/.test(file))
      .flatMap((file) => [...read(file).matchAll(/^```pkl\n([\s\S]*?)^```/gm)].map(([, text = '']) => text));
    try {
      expect(snippets.length).toBeGreaterThan(3);
      for (const [index, text] of snippets.entries()) {
        const file = join(folder, `${index}.pkl`);
        writeFileSync(file, text.startsWith('amends ') ? text : `amends "modulepath:/Settings.pkl"\n\n${text}`);
        await expect(loadSettings(file, {}, folder)).resolves.toHaveProperty('settings');
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
