import { formatDuration } from '../kernel/duration';
import type { CliIo, CommandIo } from './io';
import { visibleText } from '../kernel/visible-text';
import { colorsFor as colorsOn, type Colors } from '../platform/observability/terminal';

/** Colour only on a terminal, and not where the user says NO_COLOR. */
export function colorsFor({ stdout, env }: Pick<CliIo, 'stdout' | 'env'>): Colors {
  return colorsOn(stdout, env);
}

/** Prints a command's result for programs; see `Results`. */
export function printJson({ results }: Pick<CommandIo, 'results'>, value: unknown): void {
  results.set(value);
}

export function printLines(io: CliIo, lines: readonly string[]): void {
  io.stdout.write(`${lines.join('\n')}\n`);
}

/**
 * A table without rules between rows, as kubectl prints them; on a terminal it fits the lines, and where its columns are too
 * many for that, each row becomes lines of its own. Loaded late: `gate evaluate` needs none.
 */
export async function printTable(
  io: CliIo,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): Promise<void> {
  const [{ default: Table }, { fitColumns, toRecord }] = await Promise.all([
    import('cli-table3'),
    import('./fit-columns.js'),
  ]);
  const titles = head.map((name) => name.toUpperCase());
  const width = io.stdout.isTTY === true ? io.stdout.columns : undefined;
  // What a terminal is not sent as it is takes more room; and a row is a line.
  const cells = rows.map((row) => row.map(visibleText));
  const fitted = fitColumns([titles, ...cells], width);
  if (fitted === undefined) {
    const records = cells.map((row) => toRecord(titles, row));
    return printLines(
      io,
      records.flatMap((lines, at) => (at === 0 ? lines : ['', ...lines])),
    );
  }
  const [shownHead = [], ...shownRows] = fitted;
  const chars = Object.fromEntries(
    [
      'top',
      'top-mid',
      'top-left',
      'top-right',
      'bottom',
      'bottom-mid',
      'bottom-left',
      'bottom-right',
      'left',
      'left-mid',
      'mid',
      'mid-mid',
      'right',
      'right-mid',
    ].map((name) => [name, '']),
  );
  const table = new Table({
    head: shownHead,
    chars: { ...chars, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  table.push(...shownRows);
  const text = table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
  printLines(io, text);
}

/** The colour of a state or an outcome. */
export function painted(colors: Colors, state: string): string {
  if (['allow', 'done'].includes(state)) return colors.green(state);
  if (['deny', 'denied', 'failed', 'aborted', 'terminated', 'timed-out', 'error'].includes(state))
    return colors.red(state);
  if (['paused', 'waiting', 'override'].includes(state)) return colors.yellow(state);
  return state;
}

const SHORT_SHA = 12;

/** Enough of a digest to know it by. */
export function shortSha(sha: string): string {
  return sha.slice(0, SHORT_SHA);
}

/** `3m 12s`: how long ago it was. */
export function formatAge(atMs: number, nowMs: number): string {
  const ageMs = Math.round((nowMs - atMs) / 1000) * 1000;
  return ageMs <= 0 ? '0s' : formatDuration(ageMs);
}
