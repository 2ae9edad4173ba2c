import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { FailureType, GateError } from '../../../kernel/failures';
import { whyUnread } from '../../../kernel/why-unread';

/** A configuration is written by people; a larger file is a mistake. */
export const LARGEST_BYTES = 1024 * 1024;

/**
 * The bytes of a regular file that is not empty; throws GateError ConfigInvalid.
 *
 * @param largest whole MiB @default 1 MiB
 */
export async function readBytes(path: string, largest: number = LARGEST_BYTES): Promise<Uint8Array> {
  let file;
  try {
    // Opening a pipe would wait until someone writes to it.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (stat.isDirectory()) throw configInvalid(path, 'expected a file, but it is a directory');
    // A pipe or a device could be read for ever.
    if (!stat.isFile()) throw configInvalid(path, 'expected a file, but it is a device or a pipe');
    if (stat.size > largest) {
      throw configInvalid(path, `expected at most ${largest / LARGEST_BYTES} MiB, got ${stat.size} bytes`);
    }
    if (stat.size === 0) throw configInvalid(path, 'expected a document, but the file is empty');
    return new Uint8Array(await file.readFile());
  } catch (error) {
    if (error instanceof GateError) throw error;
    throw configInvalid(path, `expected a file, but ${whyUnread(error)}`, error);
  } finally {
    await file?.close();
  }
}

/** The text of UTF-8 bytes, without a byte order mark; throws GateError ConfigInvalid for anything else. */
export function decodeText(path: string, bytes: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw configInvalid(path, 'expected text in UTF-8, but it is in another encoding or binary', error);
  }
  if (text.includes('\0')) throw configInvalid(path, 'expected text, but it is binary');
  if (text.trim() === '') throw configInvalid(path, 'expected a document, but the file is blank');
  return text;
}

/** One fault about a file, `file:line` when a line is known. */
export function configInvalid(where: string, sentence: string, cause?: unknown): GateError {
  const message = `${where}: ${sentence}`;
  return new GateError(FailureType.ConfigInvalid, message, [{ type: FailureType.ConfigInvalid, message, where }], {
    cause,
  });
}
