import { shortText } from '../kernel/short-text';

const BETWEEN = 2;
/** A column is not made narrower: enough to know an id or a state by. */
const NARROWEST = 8;

/**
 * The cells of a table whose rows are at most `width` characters: the widest columns are cut first, and end in `…`.
 *
 * @param width undefined where nothing bounds it, as in a file
 */
export function fitColumns(rows: readonly (readonly string[])[], width: number | undefined): string[][] {
  const widths = (rows[0] ?? []).map((_cell, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  if (width !== undefined && width > 0) {
    const room = width - BETWEEN * (widths.length - 1);
    for (let over = sum(widths) - room; over > 0; over -= 1) {
      const widest = widths.indexOf(Math.max(...widths));
      if ((widths[widest] ?? 0) <= NARROWEST) break;
      widths[widest]! -= 1;
    }
  }
  return rows.map((row) => row.map((cell, at) => shortText(cell, widths[at])));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
