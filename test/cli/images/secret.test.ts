import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encryptSecret } from '../../../src/platform/files/encrypt-text';
import { runCli } from '../run-cli';

const hasAge = (process.env.PATH ?? '').split(delimiter).some((entry) => existsSync(join(entry, 'age')));

describe('gate images secret', () => {
  let folder: string;
  let recipient: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-images-secret-'));
    recipient = (await gate(['keygen', 'identity.txt'])).stdout.trim();
    settle({});
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const gate = (args: string[], input?: string | Uint8Array) =>
    runCli(folder, ['images', 'secret', ...args], {}, undefined, input);
  const settle = (more: object, file = 's.json') =>
    writeFileSync(join(folder, file), JSON.stringify({ secrets: { identityFile: 'identity.txt' }, ...more }));
  const encrypted = async (...args: string[]) => (await gate(['encrypt', ...args], 'correct-horse\n')).stdout.trim();

  it('encrypts what settings and policies decrypt, and says that it can be decrypted', async () => {
    const [one, two] = [await encrypted('--recipient', recipient), await encrypted('--settings', 's.json', '--armor')];
    const hooks = { before: [{ url: 'https://ci.example', headers: { Authorization: two } }] };
    const policy = {
      ...{ id: 'a', name: 'A', hooks, source: { registry: 'hub.example', repositories: ['team/app'] } },
      actions: [{ type: 'replicate', target_registry: 'mirror.example' }],
    };
    settle({ policy: { enabled: true, policies: [policy], secrets: { X: { encrypted: one } } } });
    expect(await gate(['check', '--settings', 's.json'])).toEqual({
      code: 0,
      stdout: '2 encrypted values, no faults\n',
      stderr: '',
    });
    const shown = await runCli(folder, ['images', 'policies', 'show', 'a', '--settings', 's.json']);
    expect(shown.stdout).not.toContain('correct-horse');
  });

  it('recipients are those of the options, else of the settings, else of the identity', async () => {
    await gate(['keygen', 'other.txt']);
    const other = readFileSync(join(folder, 'other.txt'), 'utf8').match(/age1\w+/)![0];
    settle({ secrets: { identityFile: 'other.txt', recipients: [recipient] } });
    const policy = { secrets: { X: { encrypted: await encrypted('--settings', 's.json') } } };
    settle({ policy });
    expect((await gate(['check', '--settings', 's.json'])).code).toBe(0);
    settle({ secrets: { identityFile: 'other.txt' }, policy });
    expect(await gate(['check', '--settings', 's.json'])).toMatchObject({ code: 2 });
    expect(await encrypted('--settings', 's.json', '--recipient', other)).toMatch(/^age:/);
  });

  it('names every value that cannot be decrypted, with file, line and column, and none of them', async () => {
    const value = await encrypted('--settings', 's.json');
    await gate(['keygen', 'other.txt']);
    const other = readFileSync(join(folder, 'other.txt'), 'utf8').match(/age1\w+/)![0];
    writeFileSync(
      join(folder, 's.yaml'),
      [
        'secrets: { identityFile: identity.txt }',
        'policy:',
        '  secrets:',
        `    A: { encrypted: '${value}' }`,
        `    B: { encrypted: '${await encryptSecret(Buffer.from('correct-horse'), [other])}' }`,
        `    C: { encrypted: '${value.slice(0, -8)}' }`,
        '',
      ].join('\n'),
    );
    const { code, stdout, stderr } = await gate(['check', '--settings', 's.yaml']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('s.yaml:5:10: expected a value that is encrypted for an identity in identity.txt');
    expect(stderr).toContain('s.yaml:6:10: expected an encrypted value');
    expect(stderr).not.toMatch(/s\.yaml:4:|correct-horse/);
  });

  it.each([
    ['a damaged value', { encrypted: 'age:AAAA' }, 'X.encrypted: expected an encrypted value of age, version 1'],
    ['a plain value', { encrypted: 'hello' }, 'X.encrypted: expected an encrypted value: age: and base64'],
    ['an empty value', { encrypted: '' }, 'policy.secrets.X'],
    ['no identity', undefined, 'X.encrypted: expected secrets.identityFile'],
  ])('settings with %s are refused by every command that reads them', async (_what, ref, sentence) => {
    const given = ref ?? { encrypted: await encrypted('--recipient', recipient) };
    settle({ policy: { secrets: { X: given } }, ...(ref === undefined ? { secrets: {} } : {}) });
    const { code, stderr } = await runCli(folder, ['images', 'sync', '--dry-run', '--settings', 's.json']);
    expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)]);
  });

  it.each([
    [['encrypt', '--settings', 's.json'], '', 'expected a secret, but it is empty'],
    [['encrypt', '--settings', 's.json'], Buffer.from([0xff]), 'expected a secret in UTF-8'],
    [['encrypt', '--settings', 's.json'], 'a'.repeat(1_000_000), 'at most 65536 bytes'],
    [['encrypt', '--settings', 's.json'], 'a'.repeat(2_000_000), 'at most 1 MiB on standard input'],
    [['encrypt', '--recipient', 'ann'], 'x', 'expected a recipient such as age1…, got "ann"'],
    [['encrypt'], 'x', 'expected --recipient, or settings with secrets.recipients or secrets.identityFile'],
    [['keygen', 'identity.txt'], '', 'it is there already'],
    [['keygen', 'missing/identity.txt'], '', 'expected a new file missing/identity.txt, but there is none'],
  ])('refuses %j', async (args, input, sentence) => {
    const { code, stdout, stderr } = await gate(args, input);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(sentence)]);
  });

  (hasAge ? it : it.skip)('age decrypts what the command encrypts', async () => {
    writeFileSync(join(folder, 'a.age'), `${await encrypted('--settings', 's.json', '--armor')}\n`);
    const decrypted = await new Promise((resolve, reject) => {
      const args = ['--decrypt', '-i', join(folder, 'identity.txt'), join(folder, 'a.age')];
      execFile('age', args, (error, stdout) => (error ? reject(error) : resolve(stdout)));
    });
    expect(decrypted).toBe('correct-horse');
  });
});
