import { randomBytes } from 'node:crypto';
import { visibleLines } from '../../kernel/visible-text';

/** A stream that a command writes text to; a stream of Node fits. */
export interface TextStream {
  write(text: string): unknown;
  isTTY?: boolean;
  /** characters of a line of the terminal */
  columns?: number;
  once?(event: 'drain' | 'close', listener: () => void): unknown;
  off?(event: 'drain' | 'close', listener: () => void): unknown;
}

// No text that comes from elsewhere can hold it, so what follows it is this program's own.
const MARK = `\u001b${randomBytes(8).toString('hex')}`;
const OWN = new RegExp(`${MARK}(\\[[0-9;]*[A-Za-z])`);

/** A control sequence of this program's own, such as `[32m`: the only ones that `createTerminal` lets through. */
export function controlSequence(sequence: `[${string}`): string {
  return `${MARK}${sequence}`;
}

const STYLES = {
  bold: ['[1m', '[22m'],
  dim: ['[2m', '[22m'],
  red: ['[31m', '[39m'],
  green: ['[32m', '[39m'],
  yellow: ['[33m', '[39m'],
  cyan: ['[36m', '[39m'],
} as const;

/** Functions that paint a text for a stream of `createTerminal`. */
export type Colors = Record<keyof typeof STYLES, (text: string) => string>;

/** Colour only on a terminal, and not where the user says NO_COLOR. */
export function colorsFor(
  stream: Pick<TextStream, 'isTTY'>,
  env: Readonly<Record<string, string | undefined>>,
): Colors {
  const areOn = stream.isTTY === true && env.NO_COLOR === undefined;
  const painter = (style: keyof typeof STYLES) => (text: string) => {
    const [begin, end] = STYLES[style];
    return areOn ? `${controlSequence(begin)}${text}${controlSequence(end)}` : text;
  };
  return Object.fromEntries(
    (Object.keys(STYLES) as (keyof typeof STYLES)[]).map((style) => [style, painter(style)]),
  ) as Colors;
}

/** Standard output of this process, for people and for programs alike: nothing in a text can steer a terminal. */
export function standardOutput(): TextStream {
  return createTerminal(process.stdout);
}

/** The same of standard error. */
export function standardError(): TextStream {
  return createTerminal(process.stderr);
}

/**
 * A stream through which no control character and no bidirectional mark of a text reaches a terminal, whoever wrote the text:
 * they are written as `\u001b`. In JSON that is the same value.
 */
export function createTerminal(stream: TextStream): TextStream {
  return {
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.columns;
    },
    write: (text) => stream.write(terminalText(text)),
    ...(stream.once ? { once: stream.once.bind(stream) } : {}),
    ...(stream.off ? { off: stream.off.bind(stream) } : {}),
  };
}

function terminalText(text: string): string {
  return text
    .split(OWN)
    .map((part, at) => (at % 2 === 0 ? visibleLines(part) : `\u001b${part}`))
    .join('');
}
