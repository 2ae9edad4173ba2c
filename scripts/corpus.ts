import { runCorpus } from './corpus/run-corpus';
import { reportText } from './corpus/report';

/**
 * `npm run corpus -- FOLDER [--lib FOLDER]…` puts the samples of every policy below a folder to OPA and to both evaluators; the
 * report goes to stdout as JSON, table and progress to stderr. Exit code 1 says that something differs.
 */
async function main(args: readonly string[]): Promise<number> {
  const libraries: string[] = [];
  const folders: string[] = [];
  for (let at = 0; at < args.length; at++) {
    if (args[at] === '--lib' && args[at + 1] !== undefined) libraries.push(args[++at]!);
    else folders.push(args[at]!);
  }
  const [folder, ...others] = folders;
  if (folder === undefined || others.length > 0)
    throw new Error('Expected one folder: npm run corpus -- FOLDER [--lib FOLDER]…');
  const report = await runCorpus(folder, libraries, (line) => console.error(line));
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
