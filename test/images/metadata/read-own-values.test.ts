import { describe, expect, it } from '@jest/globals';
import type { JsonValue } from '../../../src/kernel/json';
import type { ImageConditionType } from '../../../src/images/conditions/condition-type';
import { decideImage } from '../../../src/images/decision/decide-image';
import type { ImageMetadata } from '../../../src/images/image-metadata';
import { readOwnValues } from '../../../src/images/metadata/read-own-values';
import { readImagePolicies } from '../../../src/images/policies/read-image-policies';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const IMAGE: ImageMetadata = { registry: 'docker.example', repository: 'team/app', tag: 'prod-1', labels: {} };
const scan = { type: 'scan', operator: 'equals', value: 'passed' };
const prod = { type: 'tag', operator: 'matches', value: '^prod-' };
const dev = { type: 'tag', operator: 'matches', value: '^dev-' };

function policy(
  id: string,
  conditions: readonly JsonValue[],
  action: JsonValue = { type: 'block' },
  more: object = {},
) {
  return { id, name: id, conditions: [...conditions], actions: [action], ...more };
}

/** What a type is asked for the policies of a test, and what is decided then. */
async function decided(
  documents: readonly JsonValue[],
  values: ImageConditionType['values'],
  { timeoutMs = 60_000, onEvaluationError }: { timeoutMs?: number; onEvaluationError?: 'default' } = {},
) {
  const asked: (string | undefined)[] = [];
  const types = new Map<string, ImageConditionType>([
    [
      'scan',
      {
        values(image, key, signal) {
          asked.push(key);
          return values(image, key, signal);
        },
      },
    ],
  ]);
  const sources = documents.map((document, index) => ({ where: { file: `${index}.json` }, document }));
  const set = readImagePolicies(sources, { ownTypes: new Set(types.keys()) });
  const own = await readOwnValues(IMAGE, set.policies, types, { nowMs: NOW, timeoutMs });
  const decision = decideImage(
    set,
    { ...IMAGE, own },
    { nowMs: NOW, clockNs: () => 0, ...(onEvaluationError === undefined ? {} : { onEvaluationError }) },
  );
  return { asked, decision };
}

const replicate = { type: 'replicate', target_registry: 'mirror', target_repo: '{repository}' };

describe('a condition type of a program’s own', () => {
  it('is compared by the operators of policies', async () => {
    const { decision } = await decided([policy('a', [scan], replicate)], () => ['passed', 'old']);
    expect(decision).toMatchObject({ shouldReplicate: true, matchedPolicies: ['a'] });
    const { decision: other } = await decided([policy('a', [scan], replicate)], async () => []);
    expect(other).toMatchObject({ shouldReplicate: false, errors: [] });
  });

  it('is asked once for each key, and only where a policy cannot be judged without it', async () => {
    const { asked } = await decided(
      [
        policy('a', [scan, { ...scan, key: 'cve' }]),
        policy('b', [{ any: [{ not: scan }, dev] }]),
        policy('false anyway', [dev, { ...scan, key: 'x' }]),
        policy('true anyway', [prod, { ...scan, key: 'y', logical_op: 'OR' }]),
        policy('off', [{ ...scan, key: 'z' }], { type: 'block' }, { enabled: false }),
      ].map((one, index) => ({ ...one, id: `p${index}` })),
      () => [],
    );
    expect(asked.sort()).toEqual(['cve', undefined]);
  });

  it('that throws is asked three times, and then unknown: a policy that blocks blocks', async () => {
    const { asked, decision } = await decided([policy('a', [scan])], () => {
      throw new Error('the scanner is away');
    });
    expect(asked).toHaveLength(3);
    expect(decision).toMatchObject({
      shouldReplicate: false,
      actions: [{ type: 'block', policyId: 'a' }],
      errors: [
        { code: 'CONDITION_EVAL_ERROR', policyId: 'a', cause: 'the scan could not be read: the scanner is away' },
      ],
    });
  });

  it('that failed once and then answers counts', async () => {
    let failures = 1;
    const { decision } = await decided([policy('a', [scan], replicate)], async () => {
      if (failures-- > 0) throw new Error('the scanner is away');
      return ['passed'];
    });
    expect(decision).toMatchObject({ shouldReplicate: true, errors: [] });
  });

  it('that is slow is given up after evaluationTimeout, told by its signal, and unknown', async () => {
    let signalled: AbortSignal | undefined;
    const { decision } = await decided(
      [policy('a', [scan], replicate), policy('b', [prod], replicate)],
      (_image, _key, signal) => {
        signalled = signal;
        return new Promise(() => undefined);
      },
      { timeoutMs: 20 },
    );
    expect(signalled?.aborted).toBe(true);
    expect(decision).toMatchObject({
      shouldReplicate: true,
      matchedPolicies: ['b'],
      errors: [{ policyId: 'a', cause: 'the scan could not be read: it took longer than 20 ms' }],
    });
  });

  it('that holds up the process is unknown too, if it answers later than evaluationTimeout', async () => {
    const { decision } = await decided(
      [policy('a', [scan], replicate)],
      () => {
        const until = performance.now() + 40;
        while (performance.now() < until);
        return ['passed'];
      },
      { timeoutMs: 20 },
    );
    expect(decision).toMatchObject({ shouldReplicate: false, errors: [{ policyId: 'a' }] });
  });

  it.each([['passed'], [[1]], [null], [{}]])('is unknown if it answers %j in place of texts', async (answer) => {
    const { decision } = await decided([policy('a', [scan])], () => answer as string[]);
    expect(decision.errors).toMatchObject([{ cause: expect.stringContaining('expected a list of texts') }]);
  });
});
