import { AUDIT_COLUMNS } from '../../audit/format';

/** How records lie in a file: one a line, as JSON values or lists of them; or why there are none to replay in it. */
export type ExportLayout = 'lines' | 'values' | { why: string };

const CSV_START = 'timestamp,decisionID,kind,';
const INSTEAD = 'replay one of `gate audit export -o jsonl`, or of `-o opa`';

/**
 * What a file is, by its beginning.
 *
 * @param text from the start of the file
 * @returns undefined where it takes more of the file to say
 */
export function layoutOf(text: string): ExportLayout | undefined {
  const begin = text.search(/\S/);
  if (begin < 0) return undefined;
  if (text[begin] === '[') return 'values';
  const end = text.indexOf('\n', begin);
  if (end < 0) return undefined;
  const line = text.slice(begin, end).trim();
  if (line === '{') return 'values';
  if (line.startsWith(CSV_START))
    return { why: `a CSV export, which does not hold the deployment as the policy saw it; ${INSTEAD}` };
  if (line.split(/\s+/).join(' ') === AUDIT_COLUMNS.join(' ') || line.startsWith(`${AUDIT_COLUMNS[0]} `))
    return { why: `a table of gate audit list, which holds no facts; ${INSTEAD}` };
  return 'lines';
}
