import type { CliIo } from './io';

/**
 * A table whose rows come one by one, its titles first: a column grows with its widest cell so far, since the rows to come are
 * not known.
 */
export function growingTable(
  { stdout }: Pick<CliIo, 'stdout'>,
  head: readonly string[],
): (cells: readonly string[]) => void {
  const widths = head.map(() => 0);
  const row = (cells: readonly string[]): void => {
    cells.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)));
    stdout.write(
      `${cells
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
  };
  row(head.map((title) => title.toUpperCase()));
  return row;
}
