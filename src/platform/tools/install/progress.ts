import { controlSequence, standardError, type TextStream } from '../../observability/terminal';

/** How far a download or a build is: rewritten in place on a terminal, otherwise a plain line now and then. */
export interface Progress {
  bytes(received: number, total: number | undefined): void;
  line(text: string): void;
  end(): void;
}

const WIDTH = 100;
const PLAIN_EVERY_MS = 10_000;

/** @param say prints a plain line; @param terminal one of `createTerminal`; @param nowMs the clock, for tests */
export function createProgress(
  say: (line: string) => void,
  terminal: TextStream = standardError(),
  nowMs: () => number = Date.now,
): Progress {
  let lastMs = nowMs();
  let drawn = false;
  const show = (text: string): void => {
    if (terminal.isTTY) {
      terminal.write(`${controlSequence('[G')}${text.slice(0, WIDTH).padEnd(WIDTH)}`);
      drawn = true;
    } else if (nowMs() - lastMs >= PLAIN_EVERY_MS) {
      lastMs = nowMs();
      say(`  ${text}`);
    }
  };
  const megabytes = (count: number): string => (count / 1e6).toFixed(1);
  return {
    bytes: (received, total) =>
      show(total === undefined ? `${megabytes(received)} MB` : `${megabytes(received)} of ${megabytes(total)} MB`),
    line: show,
    end: () => {
      if (drawn) terminal.write('\n');
      drawn = false;
    },
  };
}
