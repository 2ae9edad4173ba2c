/** A block of PEM; headers are read over. */
export interface PemBlock {
  type: string;
  bytes: Buffer;
}

const BEGIN = '-----BEGIN ';
const END = '\n-----END ';
const DASHES = '-----';

/**
 * The next block and what follows it, as Go's `pem.Decode` finds them; undefined where there is no whole block.
 *
 * @param data bytes as latin1 text
 */
export function decodePem(data: string): { block: PemBlock; rest: string } | undefined {
  let at = 0;
  for (;;) {
    const end = data.indexOf(END, at);
    if (end < 0) return undefined;
    // the last BEGIN before the END: one that has no END of its own is skipped
    const begin = data.slice(at, end).lastIndexOf(BEGIN);
    if (begin === 0 || (begin > 0 && data[at + begin - 1] === '\n')) {
      const found = readBlock(data, at + begin + BEGIN.length, end);
      if (found) return found;
    }
    at = end + END.length;
  }
}

function readBlock(data: string, from: number, end: number): { block: PemBlock; rest: string } | undefined {
  const [typeLine, bodyAt] = lineAt(data, from);
  if (!typeLine.endsWith(DASHES)) return undefined;
  const type = typeLine.slice(0, -DASHES.length);
  const [start, hasHeaders] = skipHeaders(data, bodyAt, end);
  if (hasHeaders && start > end) return undefined;
  const trailer = `${type}${DASHES}`;
  const afterEnd = end + END.length;
  if (!data.startsWith(trailer, afterEnd)) return undefined;
  const [restOfLine] = lineAt(data, afterEnd + trailer.length);
  if (restOfLine !== '') return undefined;
  const digits = data.slice(start, Math.max(start, end)).replace(/[ \t\r\n]/g, '');
  if (digits.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(digits)) return undefined;
  const [, restAt] = lineAt(data, end + END.length - 1);
  return { block: { type, bytes: Buffer.from(digits, 'base64') }, rest: data.slice(restAt) };
}

function skipHeaders(data: string, from: number, end: number): [at: number, some: boolean] {
  let at = from;
  while (at <= end) {
    const [line, next] = lineAt(data, at);
    if (!line.includes(':')) break;
    at = next;
  }
  return [at, at !== from];
}

/** The line at a position without the white space at its end, and where the next begins. */
function lineAt(data: string, from: number): [line: string, next: number] {
  const newline = data.indexOf('\n', from);
  const line = newline < 0 ? data.slice(from) : data.slice(from, newline).replace(/\r$/, '');
  return [line.replace(/[ \t]+$/, ''), newline < 0 ? data.length : newline + 1];
}
