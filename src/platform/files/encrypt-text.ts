import { open } from 'node:fs/promises';
import { FailureType, GateError } from '../../kernel/failures';
import { whyUnread } from '../../kernel/why-unread';
import { LARGEST_SECRET_BYTES, toOneLine } from '../documents/encrypted-text';
import { readIdentities } from './decrypt-text';

const invalid = (message: string): GateError => new GateError(FailureType.ConfigInvalid, message);

/**
 * A secret encrypted by age, in the form that documents hold it.
 *
 * @param secret UTF-8; white space around it does not count
 * @param recipients at least one
 * @param armored in the lines that age's own tools read and write @default on one line
 * @throws GateError ConfigInvalid, which repeats nothing of the secret
 */
export async function encryptSecret(
  secret: Uint8Array,
  recipients: readonly string[],
  armored = false,
): Promise<string> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(secret).trim();
  } catch {
    throw invalid('expected a secret in UTF-8, but it is in another encoding or binary');
  }
  if (text === '') throw invalid('expected a secret, but it is empty');
  const bytes = Buffer.byteLength(text);
  if (bytes > LARGEST_SECRET_BYTES)
    throw invalid(`expected a secret of at most ${LARGEST_SECRET_BYTES} bytes, got ${bytes}`);
  const { armor, Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch {
      throw invalid(`expected a recipient such as age1…, got ${JSON.stringify(recipient.slice(0, 100))}`);
    }
  }
  const file = await encrypter.encrypt(text);
  return armored ? armor.encode(file).trimEnd() : toOneLine(file);
}

/** The recipients that the identities of a file decrypt for. @throws Error with a sentence that begins in lower case */
export async function recipientsOf(identityFile: string): Promise<string[]> {
  const { identityToRecipient } = await import('age-encryption');
  return Promise.all((await readIdentities(identityFile)).map((identity) => identityToRecipient(identity)));
}

/**
 * Writes a new identity into a file of its owner alone, as age-keygen does.
 *
 * @returns its recipient
 * @throws GateError ConfigInvalid for a file that is there already, which stays as it is, or that cannot be written
 */
export async function writeIdentity(file: string): Promise<string> {
  const { generateX25519Identity, identityToRecipient } = await import('age-encryption');
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const opened = await open(file, 'wx', 0o600).catch((error: unknown): never => {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw invalid(`expected a new file ${file}, but ${isThere ? 'it is there already' : whyUnread(error)}`);
  });
  try {
    await opened.writeFile(`# public key: ${recipient}\n${identity}\n`);
    await opened.sync();
  } finally {
    await opened.close();
  }
  return recipient;
}
