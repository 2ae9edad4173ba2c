import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { FailureType, GateError } from '../../failures';
import type { ReplayItem } from '../replay';

/** A record is at most a few megabytes; a file without line ends must not fill the memory. */
const LONGEST_LINE = 16 * 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;

/**
 * The lines of a file of JSON lines, a batch for each piece that is read.
 *
 * @param input a path, or a stream such as standard input
 * @throws GateError ConfigInvalid when it cannot be read, is not UTF-8, or has a line of more than 16 MiB
 */
export async function* readLines(
  input: string | Readable,
  name: string,
): AsyncGenerator<ReplayItem[], void, undefined> {
  const stream = typeof input === 'string' ? createReadStream(input, { highWaterMark: CHUNK_BYTES }) : input;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 0;
  let rest = '';
  const toItems = (texts: readonly string[]): ReplayItem[] => texts.map((text) => ({ line: (line += 1), text }));
  try {
    for await (const chunk of stream) {
      const texts = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n');
      rest = texts.pop() ?? '';
      if (rest.length > LONGEST_LINE)
        throw new GateError(
          FailureType.ConfigInvalid,
          `${name}:${line + texts.length + 1}: expected lines of JSON, found one of more than 16 MiB`,
        );
      if (texts.length > 0) yield toItems(texts);
    }
    rest += decoder.decode();
  } catch (error) {
    throw error instanceof GateError ? error : unreadable(name, line, error);
  }
  if (rest !== '') yield toItems([rest]);
}

function unreadable(name: string, line: number, error: unknown): GateError {
  const { code, message } = error as NodeJS.ErrnoException;
  const why =
    code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
      ? `expected UTF-8 after line ${line}`
      : `cannot be read (${code ?? message})`;
  return new GateError(FailureType.ConfigInvalid, `${name}: ${why}`, undefined, { cause: error });
}
