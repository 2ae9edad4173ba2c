import stringWidth from 'string-width';

const BETWEEN = 2;
/** A column is not made narrower: enough to know an id or a state by. */
const NARROWEST = 8;

/**
 * The cells of a table whose rows take at most `width` columns of a terminal, where a wide character takes two: the widest
 * columns of the table are cut first, and end in `…`.
 *
 * @param width undefined where nothing bounds it, as in a file
 * @returns undefined where the columns are too many for the width
 */
export function fitColumns(rows: readonly (readonly string[])[], width: number | undefined): string[][] | undefined {
  const widths = (rows[0] ?? []).map((_cell, at) => Math.max(...rows.map((row) => stringWidth(row[at] ?? ''))));
  if (width !== undefined && width > 0) {
    const room = width - BETWEEN * (widths.length - 1);
    for (let over = sum(widths) - room; over > 0; over -= 1) {
      const widest = widths.indexOf(Math.max(...widths));
      if ((widths[widest] ?? 0) <= NARROWEST) return undefined;
      widths[widest]! -= 1;
    }
  }
  return rows.map((row) => row.map((cell, at) => cut(cell, widths[at]!)));
}

/** A row of a table that does not fit, as a line for each cell that is not empty. */
export function toRecord(titles: readonly string[], row: readonly string[]): string[] {
  const longest = Math.max(...titles.map((title) => title.length));
  return titles.flatMap((title, at) => {
    const cell = row[at] ?? '';
    return cell === '' ? [] : [`${title.padEnd(longest + BETWEEN)}${cell}`];
  });
}

/** What a reader takes for one character is not split. */
const CHARACTERS = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  let room = width - 1;
  for (const { segment } of CHARACTERS.segment(text)) {
    room -= stringWidth(segment);
    if (room < 0) break;
    kept += segment;
  }
  return `${kept}…`;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
