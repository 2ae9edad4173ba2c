// `npm test`: finds or installs the tools that the tests need, runs every suite with coverage, and ends with
// `N passed, N failed` alone on a line. `npm test -- test/gate/facts` runs a part, without the coverage threshold.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';

const COVERED_LINES_PERCENT = 95;
const RESULTS = 'coverage/results.json';

const chosen = process.argv.slice(2);
const run = (args) => spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status ?? 1;
const close = (passed, failed, why) => {
  if (why) console.log(why);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
};

mkdirSync('coverage', { recursive: true });
rmSync(RESULTS, { force: true });
const built = run(['scripts/build.mjs', '--if-changed']) === 0;
const ready = built && run(['dist/platform/tools/main.js', 'opa', 'temporal', 'versitygw']) === 0;
if (!ready) {
  close(0, 1, built ? 'The tools that the tests need are missing.' : 'The build failed.');
} else {
  const coverage = [
    ...['--coverage', '--coverageReporters=text-summary', '--coverageReporters=lcovonly'],
    `--coverageThreshold={"global":{"lines":${COVERED_LINES_PERCENT}}}`,
  ];
  const status = run([
    ...['node_modules/jest/bin/jest.js', '--json', `--outputFile=${RESULTS}`],
    ...(chosen.length > 0 ? chosen : coverage),
  ]);
  if (!existsSync(RESULTS)) {
    close(0, 1, `jest ended with exit code ${status} and left no results.`);
  } else {
    const results = JSON.parse(readFileSync(RESULTS, 'utf8'));
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    // jest also fails when the coverage is below the threshold: that counts as one failure.
    const other = status !== 0 && failed === 0;
    const why = other ? `jest ended with exit code ${status}: see above (coverage?).` : undefined;
    close(results.numPassedTests, failed + (other ? 1 : 0), why);
  }
}
