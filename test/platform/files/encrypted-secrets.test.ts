import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  encryptedTexts,
  LARGEST_SECRET_BYTES,
  readEncrypted,
  toOneLine,
} from '../../../src/platform/documents/encrypted-text';
import { decryptText } from '../../../src/platform/files/decrypt-text';
import { encryptSecret, recipientsOf, writeIdentity } from '../../../src/platform/files/encrypt-text';
import { readSecret } from '../../../src/platform/files/read-secret';

describe('values that age encrypted', () => {
  let folder: string;
  let identityFile: string;
  let recipient: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gate-secrets-'));
    identityFile = join(folder, 'identity.txt');
    recipient = await writeIdentity(identityFile);
  });
  afterAll(() => rm(folder, { recursive: true }));

  const encrypt = (text: string | Uint8Array, recipients = [recipient], armored = false) =>
    encryptSecret(Buffer.from(text), recipients, armored);
  /** What `encryptSecret` refuses, as other programs of age write it. */
  async function written(content: string | Uint8Array): Promise<string> {
    const { Encrypter } = await import('age-encryption');
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    return toOneLine(await encrypter.encrypt(content));
  }
  async function file(name: string, content: string, mode = 0o600): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, content);
    await chmod(path, mode);
    return path;
  }

  it.each([
    ['on one line', false, /^age:[A-Za-z0-9+/]+=*$/],
    ['in armour', true, /^-----BEGIN AGE ENCRYPTED FILE-----\n[\s\S]+\n-----END AGE ENCRYPTED FILE-----$/],
  ])('a secret comes back %s, without the white space around it', async (_form, armored, shape) => {
    const encrypted = await encrypt(' pä ss \n', [recipient], armored);
    expect(encrypted).toMatch(shape);
    expect(await decryptText(encrypted, identityFile)).toBe('pä ss');
    expect(await decryptText(`${encrypted}\n`, identityFile)).toBe('pä ss');
    const ref = { encrypted };
    expect(await readSecret(ref, { env: {}, configFolder: folder, identityFile })).toBe('pä ss');
  });

  it('a secret is decrypted by every recipient, and is other text each time', async () => {
    const other = join(folder, 'second.txt');
    const encrypted = await encrypt('x', [recipient, await writeIdentity(other)]);
    expect(await Promise.all([identityFile, other].map((identity) => decryptText(encrypted, identity)))).toEqual([
      'x',
      'x',
    ]);
    expect(await encrypt('x')).not.toBe(await encrypt('x'));
  });

  it('an identity may be one of several in a file with comments, as after a rotation', async () => {
    const old = await readFile(identityFile, 'utf8');
    const recent = join(folder, 'recent.txt');
    const next = await writeIdentity(recent);
    const both = await file('both.txt', `# new\n${await readFile(recent, 'utf8')}\n\r\n# old\n${old}`);
    expect(await decryptText(await encrypt('old'), both)).toBe('old');
    expect(await decryptText(await encrypt('new', [next]), both)).toBe('new');
    expect(await recipientsOf(both)).toEqual([next, recipient]);
  });

  it('a new identity is for its owner alone, and replaces no file', async () => {
    expect((await stat(identityFile)).mode & 0o777).toBe(0o600);
    const before = await readFile(identityFile, 'utf8');
    await expect(writeIdentity(identityFile)).rejects.toThrow(/it is there already/);
    expect(await readFile(identityFile, 'utf8')).toBe(before);
  });

  it.each([
    ['an empty secret', ' \n', /expected a secret, but it is empty/],
    ['binary', Buffer.from([0xff, 0xfe]), /expected a secret in UTF-8/],
    ['more than 64 KiB', 'a'.repeat(LARGEST_SECRET_BYTES + 1), /at most 65536 bytes, got 65537/],
    ['1 MB', 'a'.repeat(1_000_000), /at most 65536 bytes, got 1000000/],
  ])('%s is not encrypted', async (_what, secret, sentence) => {
    await expect(encrypt(secret)).rejects.toThrow(sentence);
  });

  it('the largest secret fits', async () => {
    const secret = 'ä'.repeat(LARGEST_SECRET_BYTES / 2);
    expect(await decryptText(await encrypt(secret, [recipient], true), identityFile)).toBe(secret);
  });

  it('a recipient that is none is named', async () => {
    await expect(encrypt('x', ['age1nothing'])).rejects.toThrow(
      'expected a recipient such as age1…, got "age1nothing"',
    );
  });

  it('whatever byte of it changes, a value is refused without being repeated', async () => {
    const encrypted = await encrypt('correct-horse');
    const bytes = readEncrypted(encrypted) as Uint8Array;
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Uint8Array.from(bytes, (byte, at) => (at === index ? byte ^ 1 : byte));
      const error = await decryptText(toOneLine(changed), identityFile).then(
        (text) => new Error(`byte ${index} did not count: ${text}`),
        (thrown: Error) => thrown,
      );
      expect(error.message).toMatch(/^expected (?:an encrypted value|a value that is encrypted for an identity)/);
      expect(error.message).not.toContain('correct-horse');
    }
  });

  it.each([
    ['cut off', (text: string) => text.slice(0, -8), /it is damaged/],
    ['no base64', (text: string) => `${text.slice(0, -8)}!!!!====`, /in base64: it is damaged or cut off/],
    ['something else', () => `age:${Buffer.from('hello').toString('base64')}`, /or something else/],
    ['nothing', () => 'age:', /or something else/],
    ['armour without an end', () => '-----BEGIN AGE ENCRYPTED FILE-----\nAAAA', /all lines from/],
    ['a plain text', () => 'hello', /expected an encrypted value: age: and base64 on one line/],
    ['too long', () => `age:${'A'.repeat(200_000)}`, /at most 196608 characters/],
  ])('a value that is %s is refused', async (_what, change, sentence) => {
    await expect(decryptText(change(await encrypt('x')), identityFile)).rejects.toThrow(sentence);
  });

  it.each([
    ['is empty', ' ', 'policy.secrets.X: expected an encrypted text, but it is empty'],
    ['is no UTF-8', Buffer.from([0xff]), 'policy.secrets.X: expected an encrypted text in UTF-8'],
  ])('a value whose text %s is refused with the place that holds it', async (_what, content, message) => {
    const deps = { env: {}, configFolder: folder, identityFile, where: 'policy.secrets.X' };
    await expect(readSecret({ encrypted: await written(content) }, deps)).rejects.toMatchObject({
      message,
      faults: [{ where: 'policy.secrets.X' }],
    });
  });

  it('without the right identity no value is decrypted', async () => {
    const encrypted = await encrypt('x');
    const secretLine = (await readFile(identityFile, 'utf8')).split('\n')[1]!;
    const refusals = await Promise.all(
      [
        undefined,
        join(folder, 'missing.txt'),
        folder,
        await file('blank.txt', '# none\n'),
        await file('open.txt', secretLine, 0o640),
        await file('wrong.txt', `# a\n${secretLine.toLowerCase().slice(0, -1)}\n`),
      ].map((identity) =>
        decryptText(encrypted, identity).then(
          () => 'decrypted',
          ({ message }: Error) => message.replaceAll(`${folder}/`, ''),
        ),
      ),
    );
    expect(refusals).toEqual([
      'expected secrets.identityFile in the settings, a file with the identity that decrypts it',
      'expected identities of age in missing.txt, but there is none',
      expect.stringMatching(/alone, found mode|it is a directory/),
      'expected an identity such as AGE-SECRET-KEY-1… in blank.txt, but there is none',
      'expected open.txt to be a file of its owner alone, found mode 0640: chmod 600 it',
      'expected an identity such as AGE-SECRET-KEY-1… in line 2 of wrong.txt',
    ]);
    const other = join(folder, 'other.txt');
    await writeIdentity(other);
    await expect(decryptText(encrypted, other)).rejects.toThrow(
      /encrypted for an identity in .*other\.txt, but it is for others/,
    );
  });

  it('those of a document are found by their places', async () => {
    const [one, two] = [await encrypt('x'), await encrypt('y', [recipient], true)];
    const document = { a: [{ 'b/c': one }, 'plain'], d: two, e: null, f: 1 };
    expect(encryptedTexts(document).map(({ pointer }) => pointer)).toEqual(['/a/0/b~1c', '/d']);
  });
});
