import { parseArgs } from 'node:util';
import { runCorpus } from './corpus/run-corpus';
import { reportText } from './corpus/report';

/**
 * `npm run corpus -- FOLDER [--lib FOLDER]… [--vary COUNT] [--seed NUMBER]` puts the samples of every policy below a folder to OPA
 * and to both evaluators; the report goes to stdout as JSON, table and progress to stderr. Exit code 1 says that something differs.
 */
async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      lib: { type: 'string', multiple: true, default: [] },
      vary: { type: 'string', default: '0' },
      seed: { type: 'string', default: '1' },
    },
  });
  const [folder, ...others] = positionals;
  if (folder === undefined || others.length > 0) throw new Error('Expected one folder: npm run corpus -- FOLDER');
  const variations = { count: Number(values.vary), seed: Number(values.seed) };
  const report = await runCorpus(folder, values.lib, variations, (line) => console.error(line));
  console.error(reportText(report));
  console.log(JSON.stringify(report, null, 2));
  const { compared, comparedTests, differences, testDifferences } = report.totals;
  return compared + comparedTests > 0 && differences + testDifferences === 0 ? 0 : 1;
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  },
);
