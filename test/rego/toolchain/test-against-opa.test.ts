import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { testAgainstOpa } from '../../../src/rego/toolchain/test-against-opa';
import { gate, schemaOf, withPolicy } from './policy-fixture';

const compare = (tests: string) =>
  withPolicy(
    {
      'gate.rego': gate('input.count > 1'),
      'gate_test.rego': `package gate_test\n\nimport data.gate\n\n${tests}\n`,
      'input.json': schemaOf({ count: { type: 'integer' } }),
    },
    testAgainstOpa,
  );

describe('testAgainstOpa', () => {
  it('the plan’s evaluator agrees with opa test on every test of the shipped policy', async () => {
    const { compared, differences } = await testAgainstOpa(join(__dirname, '../../../policy'));
    expect(compared).toBeGreaterThan(5);
    expect(differences).toEqual([]);
  });

  it('tests that fail in both, that share a name and that have cases agree too', async () => {
    const tests = [
      'test_fails if gate.response.allow with input as {"count": 2}',
      'test_twice if 1 == 2\n\ntest_twice if gate.response.allow with input as {"count": 1}',
      'test_cases[name] if {\n\tsome name, count in {"none": 0, "one": 1}\n\tgate.response.allow with input as {"count": count}\n}',
      'todo_test_later if 1 == 2',
    ];
    expect(await compare(tests.join('\n\n'))).toEqual({ compared: 3, differences: [] });
  });

  it('a test on which the two differ is named with what each says', async () => {
    const text = 'text := concat("", [t | some _ in numbers.range(1, 1100); t := "0123456789012345"])';
    const { differences } = await compare(`test_large if {\n\t${text}\n\tcount(replace(text, "0", text)) > 1\n}`);
    expect(differences).toEqual([
      {
        name: 'data.gate_test.test_large',
        where: 'gate_test.rego:5',
        opa: 'pass',
        plan: 'fail',
        found: expect.stringContaining('budget'),
      },
    ]);
  });
});
