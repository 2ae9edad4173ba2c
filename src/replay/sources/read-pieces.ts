import { createReadStream } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { FailureType, GateError } from '../../kernel/failures';
import type { TextPiece } from '../text-piece';
import { layoutOf, type ExportLayout } from './export-layout';
import { ValueSplitter } from './split-values';

/** A record is at most a few megabytes; a file without line ends must not fill the memory. */
const LONGEST_LINE = 16 * 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;
/** How a stream of gzip begins. */
const GZIP = Buffer.from([0x1f, 0x8b]);

/**
 * The records of an export, one a line, in pieces as they are read. What the file is, its beginning says: JSON lines, JSON
 * values that are spread over lines, or lists of them, such as OPA uploads; each also compressed by gzip. Values that are not
 * lines are numbered one after the other.
 *
 * @param input a path, or a stream such as standard input
 * @param signal ends the reading, also while it waits for a writer
 * @throws GateError ConfigInvalid when it cannot be read, is not UTF-8, is an export that holds no whole records, or has a
 * record of more than 16 MiB
 */
export async function* readPieces(
  input: string | Readable,
  name: string,
  signal?: AbortSignal,
): AsyncGenerator<TextPiece, void, undefined> {
  const stream = typeof input === 'string' ? createReadStream(input, { highWaterMark: CHUNK_BYTES }) : input;
  if (signal) addAbortSignal(signal, stream);
  const state = { lines: 0 };
  const piece = (text: string, lines: number): TextPiece => {
    const found = { firstLine: state.lines + 1, lines, text };
    state.lines += lines;
    return found;
  };
  const fault = (why: string): GateError => new GateError(FailureType.ConfigInvalid, why);
  const requireLength = (length: number): void => {
    if (length > LONGEST_LINE)
      throw fault(`${name}:${state.lines + 1}: expected lines of JSON, found one of more than 16 MiB`);
  };
  try {
    let layout: ExportLayout | undefined;
    const values = new ValueSplitter();
    let rest = '';
    for await (const text of decoded(stream)) {
      rest += text;
      layout ??= layoutOf(rest);
      if (layout === undefined) {
        requireLength(rest.length);
        continue;
      }
      if (typeof layout === 'object') throw fault(`${name}: ${layout.why}`);
      if (layout === 'values') {
        const found = values.push(rest);
        rest = '';
        if (found.length > 0) yield piece(found.join('\n'), found.length);
      } else {
        const end = rest.lastIndexOf('\n');
        if (end >= 0) {
          const whole = rest.slice(0, end);
          rest = rest.slice(end + 1);
          yield piece(whole, countLines(whole));
        }
      }
      requireLength(Math.max(rest.length, values.waiting));
    }
    layout ??= layoutOf(`${rest}\n`);
    if (typeof layout === 'object') throw fault(`${name}: ${layout.why}`);
    if (layout === 'values') {
      const left = [...values.push(rest), ...values.finish()];
      if (left.length > 0) yield piece(left.join('\n'), left.length);
    } else if (rest !== '') yield piece(rest, countLines(rest));
  } catch (error) {
    throw error instanceof GateError ? error : unreadable(name, state.lines, error);
  }
}

/** The text of a stream, decompressed where it begins as gzip does. */
async function* decoded(stream: Readable): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of decompressed(stream)) yield decoder.decode(chunk, { stream: true });
  const rest = decoder.decode();
  if (rest !== '') yield rest;
}

async function* decompressed(stream: Readable): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let head: Uint8Array = new Uint8Array();
  let isOver = false;
  while (head.length < GZIP.length && !isOver) {
    const { done, value } = await chunks.next();
    isOver = done === true;
    if (!isOver) head = Buffer.concat([head, value as Uint8Array]);
  }
  async function* all(): AsyncGenerator<Uint8Array, void, undefined> {
    yield head;
    while (!isOver) {
      const { done, value } = await chunks.next();
      if (done === true) return;
      yield value;
    }
  }
  if (!GZIP.equals(head.subarray(0, GZIP.length))) return yield* all();
  const gunzip = createGunzip();
  const feeding = pipeline(all(), gunzip);
  feeding.catch(() => undefined);
  yield* gunzip as AsyncIterable<Uint8Array>;
  await feeding;
}

function countLines(text: string): number {
  let count = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

function unreadable(name: string, line: number, error: unknown): GateError {
  const { code, message } = error as NodeJS.ErrnoException;
  const after = line === 0 ? '' : `, found something else after line ${line}`;
  const why =
    code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
      ? `expected lines of JSON in UTF-8${after}`
      : code === 'Z_BUF_ERROR' || code === 'Z_DATA_ERROR'
        ? `the compressed text is damaged or has no end${line === 0 ? '' : `, found after line ${line}`} (${message})`
        : `cannot be read (${code ?? message})`;
  return new GateError(FailureType.ConfigInvalid, `${name}: ${why}`, undefined, { cause: error });
}
