import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceDurably } from '../files/write-durably';
import type { LockHolder } from './lock';

const TOKEN_FILE = 'owner.token';
const ADDRESS_FILE = 'owner.json';

/** What the owner of a folder leaves beside its lock for other commands of the same user. */
export interface OwnerAddress {
  /** base URL of the owner's HTTP server, e.g. `http://127.0.0.1:9100` */
  url: string;
  token: string;
}

/** A new token, readable by this user alone; each owner makes its own, so an old one opens nothing. */
export async function writeToken(folder: string): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  await replaceFile(join(folder, TOKEN_FILE), token);
  return token;
}

/** The token of the folder's owner; undefined when there is none. */
export async function readToken(folder: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, TOKEN_FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export async function writeAddress(folder: string, holder: LockHolder, url: string): Promise<void> {
  await replaceFile(join(folder, ADDRESS_FILE), JSON.stringify({ url, nonce: holder.nonce }));
}

/** Where `holder` answers; undefined when it has not said so (its HTTP server is off, or not up yet). */
export async function readAddress(folder: string, holder: LockHolder): Promise<OwnerAddress | undefined> {
  try {
    const [address, token] = await Promise.all([
      readFile(join(folder, ADDRESS_FILE), 'utf8'),
      readFile(join(folder, TOKEN_FILE), 'utf8'),
    ]);
    const { url, nonce } = JSON.parse(address) as { url: string; nonce: string };
    // A dead owner's address may have been left behind, and its port may be another program's by now.
    return nonce === holder.nonce ? { url, token } : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export async function removeOwnerFiles(folder: string): Promise<void> {
  await Promise.all([TOKEN_FILE, ADDRESS_FILE].map((name) => rm(join(folder, name), { force: true })));
}

function replaceFile(file: string, text: string): Promise<void> {
  return replaceDurably(file, text, { part: `${file}.new`, mode: 0o600 });
}
