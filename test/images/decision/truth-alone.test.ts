import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../src/kernel/json';
import { compilePattern, plainText, validPattern } from '../../../src/images/conditions/pattern';
import { decideImage } from '../../../src/images/decision/decide-image';
import { evaluatePolicy } from '../../../src/images/decision/evaluate-policy';
import type { ImageMetadata } from '../../../src/images/image-metadata';
import { readImagePolicies } from '../../../src/images/policies/read-image-policies';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const tag = fc.constantFrom('prod-1', 'prod-2', 'v1.2.0', 'PROD-1', 'dev');
const comparison = fc.oneof(
  fc.record({
    type: fc.constant('tag'),
    operator: fc.constant('matches'),
    value: fc.constantFrom('^prod-', 'prod', '^v1?', '^v|d', '^pro*d', '(?i)^prod', '^dev$', '1$', '^prod-1'),
  }),
  fc.record({
    type: fc.constantFrom('label', 'annotation'),
    key: fc.constantFrom('scan', 'team'),
    operator: fc.constantFrom('equals', 'not_equals', 'contains'),
    value: fc.constantFrom('passed', 'red'),
  }),
  fc.record({
    type: fc.constant('label'),
    operator: fc.constantFrom('exists', 'not_exists'),
    value: fc.constant('scan'),
  }),
  fc.record({
    type: fc.constant('metadata'),
    key: fc.constant('age'),
    operator: fc.constantFrom('gt', 'lt'),
    value: fc.constantFrom('1d', '30d'),
  }),
);
const condition = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(comparison, fc.constantFrom('AND', 'OR')).map(([one, logical_op]) => ({ ...one, logical_op })),
  },
  { weight: 1, arbitrary: fc.array(comparison, { minLength: 1, maxLength: 3 }).map((all) => ({ all })) },
  { weight: 1, arbitrary: fc.array(comparison, { minLength: 1, maxLength: 3 }).map((any) => ({ any })) },
  { weight: 1, arbitrary: comparison.map((not) => ({ not })) },
);
const source = fc.record({
  registry: fc.constant('docker.example'),
  repositories: fc.constantFrom(['team/*'], ['other/app']),
  tags: fc.constantFrom({}, { allow: ['^prod'] }, { newerThan: '2d' }),
});
const action = fc.constantFrom<JsonObject>(
  { type: 'replicate', target_registry: 'mirror', target_repo: '{repository}' },
  { type: 'block', parameters: { reason: 'no' } },
  { type: 'notify', parameters: {} },
);
const policies = fc.array(
  fc.record(
    { conditions: fc.array(condition, { maxLength: 4 }), source, priority: fc.nat(2), actions: fc.tuple(action) },
    { requiredKeys: ['conditions', 'actions'] },
  ),
  { minLength: 1, maxLength: 5 },
);
const values = fc.constantFrom<Record<string, string[]>>(
  {},
  { scan: ['passed'] },
  { scan: ['failed', 'passed'], team: ['red'] },
);
/** What is absent could not be read. */
const image: fc.Arbitrary<ImageMetadata> = fc
  .record(
    { tag, labels: values, annotations: values, createdAtMs: fc.constant(NOW - 5 * 86_400_000) },
    { requiredKeys: ['tag'] },
  )
  .map((one) => ({ registry: 'docker.example', repository: 'team/app', ...one }));

describe('a policy that is told by its truth alone', () => {
  it('has the same result and the same reasons as one that is evaluated whole', () => {
    fc.assert(
      fc.property(policies, image, (documents, about) => {
        const set = readImagePolicies(
          documents.map((document, index) => ({
            where: { file: `${index}.json` },
            document: { id: `p${index}`, name: 'P', ...document } as unknown as JsonObject,
          })),
        );
        const decision = decideImage(set, about, { nowMs: NOW, clockNs: () => 0 });
        const whole = set.policies.map((policy) => evaluatePolicy(policy, about, NOW, { registryOf: (name) => name }));
        expect(decision.results).toEqual(
          whole.map(({ truth: _truth, ...result }) => ({ ...result, evaluationTime: 0 })),
        );
        expect(decision.matchedPolicies).toEqual(whole.flatMap(({ matched, policyId }) => (matched ? [policyId] : [])));
        expect(decision.errors).toEqual(whole.flatMap(({ error }) => error ?? []));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is checked when it is loaded, and compiled to be kept only once it is asked', () => {
    expect(() => compilePattern('(')).toThrow();
    const kept = validPattern('(');
    expect(() => kept('v1')).toThrow();
  });

  it('is found by a plain beginning only where every match has it', () => {
    const part = fc.constantFrom(
      '^',
      'a',
      'ab',
      '-',
      '*',
      '+',
      '?',
      '{0,2}',
      '|',
      '$',
      '(',
      ')',
      '.',
      '[ab]',
      '(?i)',
      '\\b',
      '\\.',
      '\\-',
      '\\w',
      '[^a]',
      '😀',
      '+?',
      '.*',
    );
    const pattern = fc.array(part, { minLength: 1, maxLength: 7 }).map((parts) => parts.join(''));
    const text = fc
      .array(fc.constantFrom('a', 'b', 'A', '-', '.', '😀'), { maxLength: 5 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(
        fc.array(pattern, { minLength: 1, maxLength: 20 }),
        fc.array(text, { maxLength: 10 }),
        (sources, texts) => {
          for (const each of sources) {
            let compiled: RE2JS;
            try {
              compiled = RE2JS.compile(each);
            } catch {
              continue;
            }
            const plain = plainText(each);
            for (const one of texts) {
              const found = compiled.matcher(one).find();
              if (found) expect(one).toContain(plain);
              expect([each, one, compilePattern(each)(one)]).toEqual([each, one, found]);
            }
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['^prod-.*', 'prod-'],
    ['^prod-?', 'prod'],
    ['^v[0-9]+\\.17\\.[0-9]+$', '.17.'],
    ['-rc7$', '-rc7'],
    ['ab*c+d', 'a'],
    ['a😀?b', 'a'],
    ['a😀+', 'a😀'],
    ['\\d\\w', ''],
    ['^a|b', ''],
    ['(?i)^a', ''],
    ['(ab)?', ''],
    ['a{0}', ''],
    ['\\Qa.b\\E', ''],
    ['\\x41', ''],
    ['[[:alpha:]]ab', ''],
    ['^', ''],
  ])('every match holds what is plain of %s: %j', (pattern, plain) => {
    expect(plainText(pattern)).toBe(plain);
  });
});
