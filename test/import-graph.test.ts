import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = join(__dirname, '..');
const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

interface Violation {
  from: string;
  to: string;
  rule: { name: string };
}

/** Every wrong arrow below `src` of `folder`, as `rule: from -> to`. */
function wrongArrows(folder: string): string[] {
  const args = [bin, '--config', join(root, '.dependency-cruiser.js'), '--output-type', 'json', 'src'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', maxBuffer: 1e8 });
  if (!stdout.startsWith('{')) throw new Error(`dependency-cruiser: ${stderr}`);
  const { summary } = JSON.parse(stdout) as { summary: { violations: Violation[]; totalCruised: number } };
  expect(summary.totalCruised).toBeGreaterThan(5);
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
}

describe('the import graph', () => {
  it('the import graph has no wrong arrow in src', () => {
    expect(wrongArrows(root)).toEqual([]);
  });

  const planted = wrongArrows(join(__dirname, 'fixtures/import-graph')).join('\n');
  it.each([
    ['a workflow that imports an adapter', /workflows-are-deterministic: src\/workflows\/direct.ts -> /],
    ['a workflow that imports a module of Node', /workflows-reach-no-node: src\/workflows\/hashing.ts -> crypto/],
    ['a workflow that reaches a file through another module', /workflows-reach-no-io: src\/workflows\/indirect.ts -> /],
    ['a room that uses a room above it', /rooms-use-lower-levels: src\/releases\/upward.ts -> src\/gate\/facts/],
    ['a room that uses a room beside it', /rooms-use-lower-levels: src\/audit\/stores\/sideways.ts -> src\/releases/],
    ['a file that is in no room', /every-file-has-a-room: src\/audit\/homeless.ts -> src\/attic\/old.ts/],
    ['a pure module that reads a file', /pure-modules-use-no-node-io: src\/kernel\/impure.ts -> /],
    ['a pure module that uses a package with I/O', /pure-modules-use-no-outside-package: src\/audit\/talkative.ts -> /],
    ['a pure module that uses an adapter', /pure-modules-know-no-adapter: src\/gate\/facts\/provided.ts -> /],
    ['a module that imports the command line', /nothing-imports-the-entry-points: src\/kernel\/one.ts -> /],
    ['two modules that import each other', /no-cycles: src\/kernel\/(one|two).ts -> /],
    ['an import that leads nowhere', /everything-resolves: /],
  ])('the rules of the import graph find %s', (_arrow, expected) => {
    expect(planted).toMatch(expected);
  });
});
