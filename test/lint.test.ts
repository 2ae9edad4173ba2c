import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

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

describe('the linter', () => {
  it.each([
    ['clocks, timers and the process in pure modules, and signals that may never fire everywhere', SIGNALS_AND_CLOCKS],
    ['other parsers than the one that keeps numbers and refuses duplicate keys, but for texts of our own', TEXTS],
  ])(
    'the linter refuses %s',
    (_what, cases) => {
      const broken = rulesBroken(cases.map(([file, text]) => [file, text] as const)) as unknown[];
      expect(cases.map(([file, text], index) => [file, text, broken[index]])).toEqual(cases);
    },
    600_000,
  );
});
