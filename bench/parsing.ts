import { parseJson, parseYaml } from '../src/platform/documents/loaders/parse-text';
import { alternate, type BenchRow } from './bench-row';

const ROUNDS = 15;
const SMALL = 8_000;
const TIMES = 8;

/** Texts of one shape, in two sizes: eight times the text may take at most ten times as long. */
const SHAPES: Record<string, (entries: number) => { text: string; isYaml?: true }> = {
  'JSON, escaped quotes': (entries) => ({ text: JSON.stringify({ text: '"'.repeat(entries) }) }),
  'JSON, many keys': (entries) => ({ text: JSON.stringify(keys(entries / 4)) }),
  'JSON, a long list of numbers': (entries) => ({ text: JSON.stringify(Array(entries).fill(1.5)) }),
  'YAML, many keys': (entries) => ({
    text: Object.keys(keys(entries / 4))
      .map((key) => `${key}: 1`)
      .join('\n'),
    isYaml: true,
  }),
};

/** The one parser of texts that users and sources hand in: its time grows with the text and no faster. */
export async function benchParsing(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const [name, make] of Object.entries(SHAPES)) {
    const [small, large] = [make(SMALL), make(SMALL * TIMES)];
    const measured = await alternate(
      ROUNDS,
      () => milliseconds(large, 1),
      () => milliseconds(small, TIMES),
    );
    rows.push({
      name: `Parsing eight times the text: ${name}`,
      baseline: 'the text once',
      ...measured,
      target: '<= 10',
      met: measured.ratio <= 10,
      unit: 'ms',
    });
  }
  return rows;
}

const keys = (count: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`key_${at}`, 1]));

/**
 * The mean of `times` readings, in processor time, which other processes do not stretch. Both sizes read as many characters a
 * round, and leave as much garbage.
 */
function milliseconds({ text, isYaml }: { text: string; isYaml?: true }, times: number): Promise<number> {
  const from = process.cpuUsage();
  for (let count = 0; count < times; count++) {
    if (isYaml) parseYaml('a.yaml', text);
    else parseJson('a.json', text);
  }
  const { user, system } = process.cpuUsage(from);
  return Promise.resolve((user + system) / 1000 / times);
}
