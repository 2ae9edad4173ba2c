import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { testPolicy } from '../../../src/rego/toolchain/test-policy';
import { gate, withPolicy } from './policy-fixture';

const tests = (body: string): string => `package gate_test\n\nimport data.gate\n\ntest_it if ${body}\n`;
const run = (files: Record<string, string>, threshold?: number) =>
  withPolicy(files, (dir) => testPolicy(dir, threshold === undefined ? {} : { threshold }));
const policy = gate('input.count > 1', 'unused := 1');

describe('testPolicy', () => {
  it('testPolicy covers the shipped policy in full', async () => {
    const result = await testPolicy(join(__dirname, '../../../policy'), { threshold: 100 });
    expect(result).toMatchObject({ ok: true, coverage: 100, notCovered: [] });
    expect(result.tests.every((test) => test.outcome === 'pass')).toBe(true);
  });

  it('testPolicy counts the lines of the policy only, and holds them against the threshold', async () => {
    const files = { 'gate.rego': policy, 'gate_test.rego': tests('not gate.allow with input as {"count": 2}') };
    const { coverage = NaN, notCovered, ok } = await run(files);
    expect(ok).toBe(true);
    expect(coverage).toBeLessThan(100);
    expect(notCovered).toContain('gate.rego:10');
    expect((await run(files, coverage)).ok).toBe(true);
    expect((await run(files, coverage + 0.01)).ok).toBe(false);
  });

  it('testPolicy fails when a test fails, and names it', async () => {
    const failed = await run({ 'gate.rego': policy, 'gate_test.rego': tests('1 == 2') });
    expect(failed).toMatchObject({ ok: false, notCovered: [] });
    expect(failed).not.toHaveProperty('coverage');
    expect(failed.tests).toEqual([{ name: 'data.gate_test.test_it', where: 'gate_test.rego:5', outcome: 'fail' }]);
  });

  it('testPolicy fails without any test', async () => {
    expect(await run({ 'gate.rego': policy })).toMatchObject({ ok: false, tests: [] });
  });

  it.each([
    ['does not parse', 'package gate\n\nx if {\n', /^gate\.rego:\d+: unexpected eof token$/],
    ['does not compile', gate('input.count > nothing'), /^gate\.rego:8: var nothing is unsafe$/],
    ['calls what does not exist', gate('nothing(1)'), /^gate\.rego:8: undefined function nothing$/],
  ])(
    'testPolicy names file and line of Rego that %s, and leaves out what OPA wraps around it',
    async (_what, rego, message) => {
      await expect(run({ 'gate.rego': rego })).rejects.toMatchObject({
        type: 'PolicyInvalid',
        message: expect.stringMatching(message),
      });
    },
  );
});
