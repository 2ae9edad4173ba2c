import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  changeFile,
  changesBetween,
  policyChangeRecord,
  withoutPolicy,
} from '../../../src/images/sources/change-policies';
import { loadImagePolicies } from '../../../src/images/sources/load-image-policies';
import { whoMayWrite } from '../../../src/images/sources/who-may-write';

describe('changes of a folder of policies', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'image-policies-'))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const policy = (id: string, priority = 0) =>
    `- { id: ${id}, name: ${id}, priority: ${priority}, actions: [ { type: block } ] }\n`;

  it('are told by policy, with digests before and after', async () => {
    write('a.yaml', policy('a') + policy('b') + policy('c'));
    const before = await loadImagePolicies(folder);
    const file = join(folder, 'a.yaml');
    const text = policy('a') + policy('b', 5) + policy('d');
    const after = await loadImagePolicies(folder, {}, { changed: { file, text } });
    const changes = changesBetween(before, after);
    expect(changes.map(({ id, kind }) => [id, kind])).toEqual([
      ['b', 'updated'],
      ['c', 'deleted'],
      ['d', 'created'],
    ]);
    expect(changesBetween(before, before)).toEqual([]);
    const record = policyChangeRecord(changes[0]!, { actor: 'ann', reason: 'why', file }, 0);
    expect(record).toMatchObject({ domain: 'images', subject: 'b', kind: 'updated', actor: 'ann', reason: 'why' });
    expect(record.details).toEqual({ file, before: changes[0]!.before, after: changes[0]!.after });
  });

  it('are checked beside all other files before they are made', async () => {
    write('a.yaml', policy('a'));
    const changed = { file: join(folder, 'b.yaml'), text: policy('a') };
    await expect(loadImagePolicies(folder, {}, { changed })).rejects.toThrow('the id a is used twice');
    await expect(loadImagePolicies(folder, {}, { changed: { ...changed, text: '{' } })).rejects.toThrow('b.yaml');
    expect(readdirSync(folder)).toEqual(['a.yaml']);
  });

  it('are made whole or not at all, and what is told before decides', async () => {
    write('a.yaml', policy('a'));
    chmodSync(join(folder, 'a.yaml'), 0o640);
    const file = join(folder, 'a.yaml');
    const refuse = () => Promise.reject(new Error('the store is down'));
    await expect(changeFile(file, 'x', refuse)).rejects.toThrow('the store is down');
    await expect(changeFile(file, undefined, refuse)).rejects.toThrow('the store is down');
    expect([readdirSync(folder), readFileSync(file, 'utf8')]).toEqual([['a.yaml'], policy('a')]);
    await changeFile(file, policy('b'), () => {
      expect(readFileSync(file, 'utf8')).toBe(policy('a'));
      return Promise.resolve();
    });
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual([policy('b'), 0o640]);
    await changeFile(file, undefined, () => Promise.resolve());
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['a.yaml', `# all\npolicies:\n  # one\n  - id: a\n  # two\n  - id: b # it\n`, '# two'],
    ['a.yaml', `id: a\n---\nid: b # it\n`, '# it'],
    ['a.yml', `- id: a\n- id: b\n`, '- id: b'],
    ['a.json', '[{"id":"a"},{"id":"b"}]', '"id": "b"'],
    ['a.json', '{"policies":[{"id":"a"},{"id":"b"}]}', '"policies": ['],
  ])('takes a policy out of %s and leaves the rest: %j', (name, text, left) => {
    const rest = withoutPolicy(name, text, 'a')!;
    expect(rest).toContain(left);
    expect(rest).not.toMatch(/id"?: "?a/);
    expect(withoutPolicy(name, rest, 'b')).toBeUndefined();
  });

  it('who else may write is told of the folder and of each file', async () => {
    mkdirSync(join(folder, 'more'));
    writeFileSync(join(folder, 'more', 'a.yaml'), policy('a'));
    chmodSync(folder, 0o755);
    chmodSync(join(folder, 'more'), 0o755);
    chmodSync(join(folder, 'more', 'a.yaml'), 0o644);
    expect(await whoMayWrite(folder)).toEqual([]);
    chmodSync(join(folder, 'more'), 0o775);
    chmodSync(join(folder, 'more', 'a.yaml'), 0o666);
    expect(await whoMayWrite(folder)).toEqual([
      `${join(folder, 'more')} may be written by its group (mode 0775)`,
      `${join(folder, 'more', 'a.yaml')} may be written by every user of this computer (mode 0666)`,
    ]);
  });
});
