import { stat } from 'node:fs/promises';
import { messageOf } from '../../kernel/message-of';
import { whyUnread } from '../../kernel/why-unread';
import { readEncrypted } from '../documents/encrypted-text';
import { decodeText, readBytes } from '../documents/loaders/read-bytes';

/** Of group and others. */
const ACCESS_OF_OTHERS = 0o077;

/**
 * The text that was encrypted by age for one of the identities of a file.
 *
 * @param identityFile absolute; lines such as age-keygen writes, read at each use so that a rotated one is taken up
 * @throws Error with a sentence that begins in lower case and repeats nothing of the value and of the identities
 */
export async function decryptText(text: string, identityFile: string | undefined): Promise<string> {
  const file = readEncrypted(text);
  if (typeof file === 'string') throw new Error(file);
  if (identityFile === undefined)
    throw new Error('expected secrets.identityFile in the settings, a file with the identity that decrypts it');
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  for (const identity of await readIdentities(identityFile)) decrypter.addIdentity(identity);
  const bytes = await decrypter.decrypt(file).catch((error: unknown) => {
    if (!/no identity matched/.test(messageOf(error)))
      throw new Error('expected an encrypted value that is whole: it is damaged');
    throw new Error(`expected a value that is encrypted for an identity in ${identityFile}, but it is for others`);
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error('expected an encrypted text in UTF-8');
  }
}

/**
 * The identities in a file that its owner alone can read.
 *
 * @throws Error with a sentence that begins in lower case
 */
export async function readIdentities(file: string): Promise<string[]> {
  const { mode } = await stat(file).catch((error: unknown): never => {
    throw new Error(`expected identities of age in ${file}, but ${whyUnread(error)}`);
  });
  if (process.platform !== 'win32' && (mode & ACCESS_OF_OTHERS) !== 0) {
    const found = (mode & 0o777).toString(8).padStart(4, '0');
    throw new Error(`expected ${file} to be a file of its owner alone, found mode ${found}: chmod 600 it`);
  }
  const lines = decodeText(file, await readBytes(file))
    .split('\n')
    .map((line) => line.trim());
  const identities: string[] = [];
  for (const [index, line] of lines.entries()) {
    if (line === '' || line.startsWith('#')) continue;
    // The library's own message may quote the line.
    if (!(await isIdentity(line)))
      throw new Error(`expected an identity such as AGE-SECRET-KEY-1… in line ${index + 1} of ${file}`);
    identities.push(line);
  }
  if (identities.length === 0)
    throw new Error(`expected an identity such as AGE-SECRET-KEY-1… in ${file}, but there is none`);
  return identities;
}

async function isIdentity(line: string): Promise<boolean> {
  const { Decrypter } = await import('age-encryption');
  try {
    new Decrypter().addIdentity(line);
    return true;
  } catch {
    return false;
  }
}
