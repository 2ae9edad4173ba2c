import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { reportText } from '../../../scripts/corpus/report';
import { runCorpus } from '../../../scripts/corpus/run-corpus';
import { withPolicy } from '../toolchain/policy-fixture';

const OWN_CORPUS = join(__dirname, '../../fixtures/corpus');

const run = (files: Record<string, string>) => withPolicy(files, (dir) => runCorpus(dir));

describe('runCorpus', () => {
  it("both evaluators answer as OPA for every rule and every sample of the repository's own policies", async () => {
    const report = await runCorpus(OWN_CORPUS, [], { count: 3, seed: 1 });
    const { totals, units } = report;
    expect(reportText(report)).not.toMatch(/DIFFERS|refused|no module/);
    expect(totals).toMatchObject({ units: 13, refused: 0, differences: 0, testDifferences: 0 });
    expect(units.map(({ samples }) => samples).filter((count) => count < 5)).toEqual([]);
    expect(totals.varied).toBe(totals.samples * 3);
    expect(totals.compared).toBeGreaterThan(800);
    expect(totals.comparedWasm).toBeGreaterThan(400);
    expect(totals.comparedTests).toBeGreaterThan(25);
  });

  it('the samples of a policy are its files and what its tests put in the place of input and data', async () => {
    const { units } = await run({
      'p.rego': 'package p\n\nr := [input.x, data.base.y]\n\nhelper(x) := x',
      'data.json': '{"base": {"y": 0}}',
      'samples/one.json': '{"x": 1}',
      'p_test.rego': [
        'package p_test\n\nimport data.p as named',
        'test_with if {\n\tx := 2\n\tnamed.r == [2, 3] with input as {"x": x} with data.base.y as 3\n}',
        'test_part if named.r == [4, 0] with input.x as 4',
        'test_cases[x] if {\n\tsome x in [5, 6]\n\tnamed.r == [x, 0] with input as {"x": x}\n}',
        'test_mocked if {\n\tabs(1) == 1\n\tnamed.r == [7, 0] with input as {"x": 7} with abs as 1\n}',
      ].join('\n\n'),
    });
    const [unit] = units;
    expect(unit).toMatchObject({ rules: 1, samples: 6, compared: 6, defined: 6, differences: [], testDifferences: [] });
  });

  it('rules that conflict, that fail and that are undefined in OPA do so in the evaluators', async () => {
    const { units } = await run({
      'p.rego': 'package p\n\nr := input.x\n\nr := 2 if input.both\n\ns := 1 / input.x\n\nt contains 1 if input.none',
      'samples/conflict.json': '{"x": 1, "both": true}',
      'samples/error.json': '{"x": 0}',
    });
    expect(units).toMatchObject([{ compared: 6, defined: 4, differences: [], comparedTests: 0 }]);
  });

  it('a file in Rego v0 is converted first', async () => {
    const { units } = await run({
      'p.rego': 'package p\n\ndeny[{"msg": msg}] {\n  x := input.list[_]\n  msg := sprintf("%v", [x])\n}',
      'samples/one.json': '{"list": [1, "a"]}',
    });
    expect(units).toMatchObject([{ converted: 1, compared: 1, defined: 1, differences: [] }]);
  });

  it('an answer that differs is listed with both answers', async () => {
    const report = await run({
      'p.rego': 'package p\n\nlong := count(numbers.range(1, input.most))',
      'samples/long.json': '{"most": 1500000}',
    });
    expect(report.totals.differences).toBe(1);
    expect(reportText(report)).toMatch(
      /DIFFERS \. p\/long \(samples\/long\.json\): opa 1500000, plan error: .*budget/i,
    );
  });

  it('a policy that does not build is refused with the reason, and the others are compared', async () => {
    const { units, totals } = await run({
      'a/a.rego': 'package a\n\nr := http.send({"method": "get", "url": input.url})',
      'b/b.rego': 'package b\n\nr := input.x',
      'b/samples/one.json': '{"x": 1}',
      'c/c.rego': 'package c\n\nr := {',
    });
    expect(totals).toMatchObject({ units: 3, refused: 2, compared: 1, differences: 0 });
    expect(units.map(({ refused = '' }) => refused)).toEqual([
      expect.stringContaining('http.send'),
      '',
      expect.stringContaining('c.rego:3'),
    ]);
  });
});
