import { describe, expect, it } from '@jest/globals';
import type { JsonObject, JsonValue } from '../../src/kernel/json';
import type { Release } from '../../src/releases/release';
import { smokeRelease, type SmokeRequest } from '../../src/releases/smoke-release';
import { aConfig, aPolicy } from './a-release';

const { config, configDocument } = aConfig('c1');
const release: Release = {
  ref: { policySha: 'p1', configRev: 'c1', manifestVersion: 'v1' },
  policy: aPolicy('p1'),
  config,
  configDocument,
  loadedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
};
const answering = (response: JsonValue | undefined) => async () => ({ response });

describe('smokeRelease', () => {
  it('smokeRelease evaluates over an input without facts at the time of loading, within the limits of the release', async () => {
    const asked: SmokeRequest[] = [];
    await smokeRelease(release, async (request) => {
      asked.push(request);
      return { response: { allow: false, deny_reasons: ['a: b'] } };
    });
    expect(asked).toEqual([
      {
        policy: release.policy,
        configDocument,
        configRev: 'c1',
        decisionTimeMs: release.loadedAtMs,
        deadlineMs: 250,
        memoryMiB: 16,
        input: {
          deployment: { id: 'smoke', stage: 'smoke', stage_index: 0, attributes: {}, stage_attributes: {} },
          decision_time: '2026-01-02T03:04:05.000Z',
        },
      },
    ]);
  });

  it.each<[JsonValue]>([[{ allow: true, deny_reasons: [] }], [{ allow: false, deny_reasons: ['x'] }]])(
    'smokeRelease does not mind what is decided: %j',
    async (response) => {
      await expect(smokeRelease(release, answering(response))).resolves.toBeUndefined();
    },
  );

  it.each<[JsonValue | undefined, string]>([
    [undefined, 'got nothing'],
    [null, 'got null'],
    [true, 'got true'],
    [[], 'got []'],
    [{}, 'got {}'],
    [{ allow: true }, 'got {"allow":true}'],
    [{ allow: 'yes', deny_reasons: [] }, '"yes"'],
    [{ allow: true, deny_reasons: {} }, '"deny_reasons":{}'],
  ])('smokeRelease refuses the answer %j', async (response, found) => {
    await expect(smokeRelease(release, answering(response))).rejects.toMatchObject({
      type: 'PolicyInvalid',
      message: expect.stringMatching(/^Expected data\.gate\.response to give \{allow, deny_reasons\}/),
    });
    await expect(smokeRelease(release, answering(response))).rejects.toThrow(found);
  });

  it.each([[new Error('unreachable executed')], ['unreachable executed']])(
    'smokeRelease refuses a policy whose evaluation throws %p, and keeps the cause',
    async (thrown) => {
      const failing = async () => Promise.reject(thrown);
      await expect(smokeRelease(release, failing)).rejects.toMatchObject({
        type: 'PolicyInvalid',
        message: expect.stringMatching(
          /^Expected the policy to evaluate, but it failed: unreachable executed, for the input \{"deployment"/,
        ),
        cause: thrown,
      });
    },
  );

  it('smokeRelease takes a policy that needs its facts once a sample gives an answer', async () => {
    const asked: string[][] = [];
    const needing = async ({ input }: SmokeRequest) => {
      asked.push(Object.keys(input));
      return { response: input.fleet === 2 ? { allow: true, deny_reasons: [] } : undefined };
    };
    const samples = (): JsonObject[] => [
      { fleet: 1 },
      { fleet: 2, deployment: { attributes: { risk: 'low' } } },
      { fleet: 3 },
    ];
    await smokeRelease(release, needing, samples);
    expect(asked).toEqual([
      ['deployment', 'decision_time'],
      ...Array(2).fill(['fleet', 'deployment', 'decision_time']),
    ]);
    await expect(smokeRelease(release, needing, () => [{ fleet: 7 }])).rejects.toThrow(
      /got nothing, for the input \{"fleet":7,/,
    );
  });
});
