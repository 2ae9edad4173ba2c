import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = resolve(__dirname, '..');
const LINTER = join(__dirname, 'support', 'lint-texts.mjs');

/** The rules that each text breaks as the content of a file that exists. */
function rulesBroken(texts: readonly (readonly [file: string, text: string])[]): unknown {
  return JSON.parse(execFileSync(process.execPath, [LINTER, JSON.stringify(texts)], { cwd: ROOT, encoding: 'utf8' }));
}

const IMPURE = [
  ['setTimeout(() => undefined, 1);', 'no-restricted-globals'],
  ['export const read = () => fetch("http://a");', 'no-restricted-globals'],
  ['export const env = process.env;', 'no-restricted-globals'],
  ['export const now = Date.now();', 'no-restricted-properties'],
  ['export const now = new Date();', 'no-restricted-syntax'],
  ['export const random = Math.random();', 'no-restricted-properties'],
] as const;

const BARE = ['export const late = AbortSignal.timeout(1);', 'export const either = AbortSignal.any([]);'];

const SIGNALS_AND_CLOCKS = [
  ...IMPURE.map(([text, rule]) => ['src/gate/facts/collector.ts', text, [rule]] as const),
  ...IMPURE.map(([text]) => ['src/audit/copies/copier.ts', text, []] as const),
  ...['src/worker.ts', 'src/kernel/time.ts', 'test/lint.test.ts'].flatMap((file) =>
    BARE.map((text) => [file, text, ['no-restricted-properties']] as const),
  ),
];

const PARSED = [
  'export const read = (text: string): unknown => JSON.parse(text);',
  'export const read = (answer: Response): unknown => answer.json();',
  "import { parse } from 'yaml';\nexport const read = parse;",
];

const TEXTS = [
  ...PARSED.map((text) => ['src/replay/parse-record.ts', text, ['texts/one-parser']] as const),
  ...PARSED.map((text) => ['src/releases/sources/release-cache.ts', text, []] as const),
];

const WRITES = [
  'process.stdout.write("a");',
  'export const { stderr } = process;',
  "import { stdout } from 'node:process';\nstdout.write('a');",
  'console.log("a");',
  "import { writeSync } from 'node:fs';\nwriteSync(2, 'a');",
  "import pino from 'pino';\nexport const target = pino.destination(1);",
];

const WRITERS = [
  ...['src/dev/story.ts', 'src/platform/tools/main.ts', 'src/cli/output.ts'].flatMap((file) =>
    WRITES.map((text) => [file, text, ['output/one-writer']] as const),
  ),
  ...WRITES.map((text) => ['src/platform/observability/terminal.ts', text, []] as const),
];

const RULES = [
  ['clocks, timers and the process in pure modules, and signals that may never fire everywhere', SIGNALS_AND_CLOCKS],
  ['writes to standard output and error past the one place that no text can steer a terminal through', WRITERS],
  ['other parsers than the one that keeps numbers and refuses duplicate keys, but for texts of our own', TEXTS],
] as const;

describe('the linter', () => {
  let broken: Map<string, unknown>;
  beforeAll(() => {
    // All at once: ESLint reads every type of the program when it starts.
    const cases = RULES.flatMap(([, ofOne]) => ofOne.map(([file, text]) => [file, text] as const));
    const found = rulesBroken(cases) as unknown[];
    broken = new Map(cases.map((one, index) => [one.join('\0'), found[index]]));
  }, 600_000);

  it.each(RULES)('the linter refuses %s', (_what, cases) => {
    expect(cases.map(([file, text]) => [file, text, broken.get(`${file}\0${text}`)])).toEqual(cases);
  });
});
