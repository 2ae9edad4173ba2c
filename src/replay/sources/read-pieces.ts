import { createReadStream } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { FailureType, GateError } from '../../kernel/failures';
import type { TextPiece } from '../text-piece';

/** A record is at most a few megabytes; a file without line ends must not fill the memory. */
const LONGEST_LINE = 16 * 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;

/**
 * The whole lines of a file of JSON lines, in pieces as they are read.
 *
 * @param input a path, or a stream such as standard input
 * @param signal ends the reading, also while it waits for a writer
 * @throws GateError ConfigInvalid when it cannot be read, is not UTF-8, or has a line of more than 16 MiB
 */
export async function* readPieces(
  input: string | Readable,
  name: string,
  signal?: AbortSignal,
): AsyncGenerator<TextPiece, void, undefined> {
  const stream = typeof input === 'string' ? createReadStream(input, { highWaterMark: CHUNK_BYTES }) : input;
  if (signal) addAbortSignal(signal, stream);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let lines = 0;
  let rest = '';
  const piece = (text: string): TextPiece => {
    const found = { firstLine: lines + 1, lines: countLines(text), text };
    lines += found.lines;
    return found;
  };
  try {
    for await (const chunk of stream) {
      const text = decoder.decode(chunk as Uint8Array, { stream: true });
      const end = text.lastIndexOf('\n');
      if (end < 0) rest += text;
      else {
        yield piece(rest + text.slice(0, end));
        rest = text.slice(end + 1);
      }
      if (rest.length > LONGEST_LINE)
        throw new GateError(
          FailureType.ConfigInvalid,
          `${name}:${lines + 1}: expected lines of JSON, found one of more than 16 MiB`,
        );
    }
    rest += decoder.decode();
  } catch (error) {
    throw error instanceof GateError ? error : unreadable(name, lines, error);
  }
  if (rest !== '') yield piece(rest);
}

function countLines(text: string): number {
  let count = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

function unreadable(name: string, line: number, error: unknown): GateError {
  const { code, message } = error as NodeJS.ErrnoException;
  const why =
    code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
      ? `expected lines of JSON in UTF-8${line === 0 ? '' : `, found something else after line ${line}`}`
      : `cannot be read (${code ?? message})`;
  return new GateError(FailureType.ConfigInvalid, `${name}: ${why}`, undefined, { cause: error });
}
