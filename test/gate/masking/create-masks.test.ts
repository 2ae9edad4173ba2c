import { describe, expect, it } from '@jest/globals';
import type { JsonObject, JsonValue } from '../../../src/kernel/json';
import { createMasks, type MasksOptions } from '../../../src/gate/masking/create-masks';
import type { Release } from '../../../src/releases/release';

const AT = Date.parse('2026-01-01T00:00:00.000Z');
const taken = { decisionId: 'd1', decisionTimeMs: AT };
const release = (maskEntrypoint?: string): Release =>
  ({
    policy: { entrypoint: 'gate/response', ...(maskEntrypoint === undefined ? {} : { maskEntrypoint }) },
    configDocument: { limits: {} },
    ref: { policySha: 'p', configRev: 'c', manifestVersion: 'v7' },
    loadedAtMs: AT,
  }) as unknown as Release;
const MASKING = release('system/log/mask');
const PLAIN = release();
const input = { a: { b: 1 }, deployment: { id: 'x', attributes: { c: 2 }, stage_attributes: {} } };
const ALL = ['/input/a', '/input/deployment/attributes', '/input/deployment/stage_attributes'];

/** Masks over an evaluation that answers as told, and what it was asked. */
function masksOver(answer: () => JsonValue | undefined, options: Partial<MasksOptions> = {}) {
  const asked: { policy: Release['policy']; input: JsonObject }[] = [];
  let failures = 0;
  const masks = createMasks({
    settings: [],
    evaluate: async (request) => {
      asked.push(request);
      return Promise.resolve({ response: answer() });
    },
    onFailure: () => (failures += 1),
    ...options,
  });
  return { masks, asked, failures: () => failures };
}
const fails = (): never => {
  throw new Error('the thread is gone');
};

describe('the masks of a decision', () => {
  it('the masks of a decision are those of the settings and of the bundle that find something, each once', async () => {
    const { masks } = masksOver(() => ['/input/a/b', '/input/none'], {
      settings: ['/input/a/b', '/input/deployment/attributes/c'],
    });
    expect(await masks.of(MASKING, { taken, input })).toEqual(['/input/a/b', '/input/deployment/attributes/c']);
    expect(await masks.of(PLAIN, { taken, input })).toEqual(['/input/a/b', '/input/deployment/attributes/c']);
  });

  it('the masks of a decision are asked of the bundle as OPA asks it', async () => {
    const { masks, asked } = masksOver(() => []);
    await masks.of(MASKING, { taken, input, result: { allow: true, deny_reasons: [] } });
    await masks.of(MASKING, { taken, input });
    expect(asked[0]?.policy).toMatchObject({ entrypoint: 'system/log/mask' });
    expect(asked[1]?.policy).toBe(asked[0]?.policy);
    expect(asked[0]?.input).toEqual({
      decision_id: 'd1',
      path: 'gate/response',
      input,
      result: { allow: true, deny_reasons: [] },
      timestamp: '2026-01-01T00:00:00.000Z',
      bundles: { gate: { revision: 'v7' } },
      labels: { app: 'planning-engine' },
    });
    expect(asked[1]?.input).not.toHaveProperty('result');
  });

  it.each<[string, () => JsonValue | undefined]>([
    ['fails', fails],
    ['gives an object', () => ({ '/input/a': true })],
    ['names the decision’s id', () => ['/input/deployment/id']],
    ['names the decision’s time', () => [{ op: 'upsert', path: '/input/decision_time', value: '' }]],
  ])('the masks of a decision are everything when the bundle’s answer %s', async (_what, answer) => {
    const { masks, failures } = masksOver(answer);
    expect(await masks.of(MASKING, { taken, input })).toEqual(ALL);
    expect(failures()).toBe(1);
  });

  it('the masks of a decision include every fact that could not be collected, where the bundle masks: its rule had nothing to fire on', async () => {
    const { masks } = masksOver(() => undefined);
    expect(await masks.of(MASKING, { taken, input, absent: ['z'] })).toEqual(['/input/z']);
    expect(await masks.of(PLAIN, { taken, input, absent: ['z'] })).toEqual([]);
  });

  it.each<[string, Release | undefined, boolean, boolean]>([
    ['a release with masks', MASKING, true, true],
    ['a release without', PLAIN, true, false],
    ['no release, when one with masks could come', undefined, true, true],
    ['no release, when none with masks would be taken', undefined, false, false],
  ])('the masks of a decision may be anything under %s', (_what, inForce, takesMasks, isAll) => {
    const { masks } = masksOver(() => [], { settings: ['/input/deployment/attributes/c'], takesMasks });
    expect(masks.unknown(inForce)).toEqual(isAll ? ['/input'] : ['/input/deployment/attributes/c']);
    expect(masks.mayHide(inForce, { attributes: { c: 1 }, stage_attributes: {} })).toBe(true);
    expect(masks.mayHide(inForce, { attributes: { other: 1 }, stage_attributes: {} })).toBe(isAll);
  });

  it('masks of the settings are refused with every pointer that masks nothing', () => {
    const settings = ['/input/a', 'a', '/input/deployment/id', '/result'];
    expect(() => masksOver(() => [], { settings })).toThrow(
      expect.objectContaining({
        faults: [
          { where: 'audit.mask[1]', message: expect.stringContaining('below /input, found "a"') },
          { where: 'audit.mask[2]', message: expect.stringContaining('cannot be masked') },
          { where: 'audit.mask[3]', message: expect.stringContaining('"/result"') },
        ].map((fault) => expect.objectContaining(fault)),
      }),
    );
  });

  it('the masks of a release are asked once before it is taken', async () => {
    await expect(masksOver(() => ['/input/a']).masks.check(MASKING)).resolves.toBeUndefined();
    await expect(masksOver(fails).masks.check(PLAIN)).resolves.toBeUndefined();
    await expect(masksOver(fails).masks.check(MASKING)).rejects.toMatchObject({
      type: 'PolicyInvalid',
      message: expect.stringContaining('the thread is gone'),
    });
    await expect(masksOver(() => [1]).masks.check(MASKING)).rejects.toMatchObject({
      type: 'PolicyInvalid',
      message: expect.stringContaining('to give pointers'),
    });
  });
});
