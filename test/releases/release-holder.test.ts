import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FailureType, GateError, type Fault } from '../../src/kernel/failures';
import { createReleaseHolder, type ReleaseHolderOptions } from '../../src/releases/release-holder';
import { isSameRelease } from '../../src/releases/release-ref';
import type { Release, ReleaseHolder } from '../../src/releases/release';
import { FakeReleaseStore } from './a-release';
import { systemTimers } from '../../src/platform/timers/system-timers';

let store: FakeReleaseStore;
let nowMs: number;
let faults: Fault[];
let loaded: Release[];
let refused: { error: GateError; kept: Release | undefined }[];
let smoke: jest.Mock<ReleaseHolderOptions['smoke']>;
let holder: ReleaseHolder;
/** for each check that found the newest in force, whether the one before found otherwise */
let checked: boolean[];

beforeEach(() => {
  store = new FakeReleaseStore();
  nowMs = 1_000;
  faults = [];
  loaded = [];
  refused = [];
  checked = [];
  smoke = jest.fn<ReleaseHolderOptions['smoke']>(async () => undefined);
  holder = createReleaseHolder({
    timers: systemTimers,
    read: store.read,
    where: '/releases/latest.json',
    check: async () => faults,
    smoke,
    nowMs: () => nowMs,
    onLoaded: (release) => loaded.push(release),
    onRefused: (error, kept) => refused.push({ error, kept }),
    onChecked: (_release, recovered) => checked.push(recovered),
    deadlineMs: 100,
  });
});

const version = (): string => holder.current().ref.manifestVersion;
const later = (): number => (nowMs += 5_000);
const invalid = (message: string): GateError => new GateError(FailureType.PolicyInvalid, message);

describe('release holder', () => {
  it('the release holder holds nothing before the first check, and says from where it would load', () => {
    expect(() => holder.current()).toThrow(
      expect.objectContaining({
        type: 'PolicyUnavailable',
        message: 'No release is loaded from /releases/latest.json',
      }),
    );
    expect(holder.status()).toEqual({});
    expect(holder.find({ policySha: 'p1', configRev: 'c1' })).toBeUndefined();
  });

  it('the release holder loads what the manifest names, with the digests of what was loaded', async () => {
    const release = await holder.refresh();
    expect(release.ref).toEqual({ policySha: 'p1', configRev: 'c1', manifestVersion: 'v1' });
    expect(release.configDocument).toEqual({ limits: { maxDelta: 500 } });
    expect(Object.isFrozen(release)).toBe(true);
    expect(holder.current()).toBe(release);
    expect(loaded).toEqual([release]);
    expect(smoke.mock.calls[0]?.[0]).toBe(release);
    expect(holder.status()).toEqual({
      ref: release.ref,
      loadedAtMs: 1_000,
      lastCheckAtMs: 1_000,
      lastSuccessfulCheckAtMs: 1_000,
    });
  });

  it('the release holder loads nothing again while nothing changed', async () => {
    const release = await holder.refresh();
    nowMs = 2_000;
    expect(await holder.refresh()).toBe(release);
    expect(store.policyLoads).toBe(1);
    expect(holder.status()).toMatchObject({ loadedAtMs: 1_000, lastSuccessfulCheckAtMs: 2_000 });
  });

  it('the release holder keeps the release in force when files were written again with the same content', async () => {
    const release = await holder.refresh();
    store.touch();
    expect(await holder.refresh()).toBe(release);
    await holder.refresh();
    expect(store.policyLoads).toBe(2);
    expect(loaded).toHaveLength(1);
  });

  it.each([
    ['policy', { policy: 'p2' }, { policySha: 'p2', configRev: 'c1', manifestVersion: 'v1' }],
    ['configuration', { config: 'c2' }, { policySha: 'p1', configRev: 'c2', manifestVersion: 'v1' }],
    ['version', { version: 'v2' }, { policySha: 'p1', configRev: 'c1', manifestVersion: 'v2' }],
  ])('the release holder swaps the release when the %s changes', async (_, change, ref) => {
    await holder.refresh();
    store.publish(change);
    expect((await holder.refresh()).ref).toEqual(ref);
    expect(holder.current().ref).toEqual(ref);
  });

  it('the release holder leaves the release that an caller holds as it was', async () => {
    const before = await holder.refresh();
    store.publish({ policy: 'p2', version: 'v2' });
    await holder.refresh();
    expect(before.ref.policySha).toBe('p1');
    expect(before.policy.sha).toBe('p1');
  });

  it('the release holder does not swap before the new release was tried', async () => {
    await holder.refresh();
    store.publish({ version: 'v2' });
    smoke.mockImplementationOnce(async () => expect(version()).toBe('v1'));
    await holder.refresh();
    expect(version()).toBe('v2');
    expect(smoke).toHaveBeenCalledTimes(2);
  });
});

describe('a broken new release', () => {
  const lacking: Fault = {
    type: FailureType.FactMissing,
    message: 'no provider for max_pending',
    factId: 'max_pending',
  };

  it.each<[string, () => void, string]>([
    ['a policy that cannot be loaded', () => store.publish({ policy: invalid('bad wasm') }), 'bad wasm'],
    ['a configuration that cannot be loaded', () => store.publish({ config: invalid('bad pkl') }), 'bad pkl'],
    [
      'a manifest out of reach',
      () => store.fail(new Error('EIO')),
      'could not be loaded from /releases/latest.json: EIO',
    ],
    ['a thing that is no Error', () => store.publish({ policy: 'x' as unknown as Error, version: 'v2' }), 'text'],
    ['a fault of the check', () => ((faults = [lacking]), store.publish({ version: 'v2' })), lacking.message],
    [
      'a policy that does not evaluate',
      () => (smoke.mockRejectedValueOnce(invalid('no answer')), store.publish({ version: 'v2' })),
      'no answer',
    ],
  ])('a broken new release is refused with its reason: %s', async (name, breakIt, reason) => {
    const good = await holder.refresh();
    nowMs = 3_000;
    if (name === 'a thing that is no Error') smoke.mockRejectedValueOnce('text');
    breakIt();
    expect(await holder.refresh()).toBe(good);
    expect(holder.current()).toBe(good);
    expect(holder.status()).toMatchObject({ ref: good.ref, lastCheckAtMs: 3_000, lastSuccessfulCheckAtMs: 1_000 });
    expect(holder.status().lastError).toContain(reason);
    expect(refused).toEqual([{ error: expect.any(GateError), kept: good }]);
    expect(loaded).toEqual([good]);
  });

  it('a broken new release tells all faults of policy and configuration together', async () => {
    store.publish({ policy: invalid('bad wasm'), config: new GateError(FailureType.ConfigInvalid, 'bad limit') });
    await expect(holder.refresh()).rejects.toThrow('bad wasm; bad limit');
    expect(refused[0]?.error.faults.map(({ type }) => type)).toEqual(['PolicyInvalid', 'ConfigInvalid']);
    expect(refused[0]?.kept).toBeUndefined();
  });

  it('a broken new release makes every caller fail with the reason as long as none was ever loaded', async () => {
    store.publish({ policy: invalid('bad wasm') });
    const error = { type: 'PolicyUnavailable', message: 'No release is loaded from /releases/latest.json: bad wasm' };
    await expect(holder.refresh()).rejects.toMatchObject(error);
    expect(() => holder.current()).toThrow(expect.objectContaining(error));
  });

  it('a broken new release is reported once for every distinct reason, and again after a recovery', async () => {
    await holder.refresh();
    for (const reason of ['one', 'one', 'two', undefined, 'one']) {
      later();
      store.publish(reason === undefined ? { policy: 'p1' } : { policy: invalid(reason) });
      await holder.refresh();
    }
    expect(refused.map(({ error }) => error.message)).toEqual(['one', 'two', 'one']);
  });

  it.each<[string, () => void, string]>([
    ['a mended one is published', () => store.publish({ policy: 'p3', version: 'v3' }), 'v3'],
    ['the manifest names the last good one again', () => store.publish({ policy: 'p1', version: 'v1' }), 'v1'],
  ])('a broken new release is forgotten when %s', async (_, mend, expected) => {
    await holder.refresh();
    store.publish({ policy: invalid('bad wasm'), version: 'v2' });
    await holder.refresh();
    mend();
    await holder.refresh();
    expect(version()).toBe(expected);
    expect(holder.status().lastError).toBeUndefined();
  });

  it('a broken new release leaves no mark when an outage is over and nothing changed', async () => {
    const good = await holder.refresh();
    store.fail(new Error('EIO'));
    await holder.refresh();
    store.fail(undefined);
    expect(await holder.refresh()).toBe(good);
    expect(holder.status().lastError).toBeUndefined();
    expect(store.policyLoads).toBe(1);
  });

  it.each([
    [4_999, 1],
    [5_000, 2],
  ])(
    'an unchanged broken release is tried again for a confirmation after five seconds only: after %i ms it was tried %i times',
    async (waitMs, tries) => {
      store.publish({ policy: invalid('bad wasm') });
      await expect(holder.refresh()).rejects.toThrow('bad wasm');
      nowMs += waitMs;
      await expect(holder.confirm(1_000)).rejects.toThrow('bad wasm');
      expect(store.policyLoads).toBe(tries);
    },
  );

  it('a broken new release is tried again at once for the caller for a refresh, also while another look is under way', async () => {
    await holder.refresh();
    store.publish({ policy: invalid('bad wasm') });
    await holder.refresh();
    await holder.refresh();
    expect(store.policyLoads).toBe(3);
    await Promise.all([holder.confirm(1_000), holder.refresh()]);
    expect(store.policyLoads).toBe(4);
  });

  it('a broken new release is not remembered when it was out of reach, not wrong', async () => {
    store.publish({ policy: new Error('EIO') });
    await expect(holder.refresh()).rejects.toThrow('EIO');
    await expect(holder.confirm(1_000)).rejects.toThrow('EIO');
    expect(store.policyLoads).toBe(2);
  });

  it('a broken new release is taken without a change of its files once it no longer lacks anything', async () => {
    faults = [lacking];
    await expect(holder.refresh()).rejects.toThrow(lacking.message);
    faults = [];
    expect((await holder.refresh()).ref.manifestVersion).toBe('v1');
  });
});

describe('a release that is published while it is read', () => {
  it('a release that is published while it is read is read again, so that no mix of two gets in force', async () => {
    // The policy of the first is loaded; by the time of the configuration the second is there.
    store.whileLoading = () => {
      store.whileLoading = undefined;
      store.publish({ version: 'v2', policy: 'p2', config: 'c2' });
    };
    expect((await holder.refresh()).ref).toEqual({ policySha: 'p2', configRev: 'c2', manifestVersion: 'v2' });
    expect(loaded).toHaveLength(1);
  });

  it('a release that is published while it is read is not reported as broken while it is half written', async () => {
    const half = invalid('expected a gzip archive');
    store.publish({ policy: half });
    store.whileLoading = () => {
      store.whileLoading = undefined;
      store.publish({ policy: 'p2', version: 'v2' });
    };
    expect((await holder.refresh()).ref.policySha).toBe('p2');
    expect(refused).toEqual([]);
  });

  it('a release that is published while it is read is refused when it changes on each of three reads, and taken when it holds still', async () => {
    store.whileLoading = () => store.touch();
    await expect(holder.refresh()).rejects.toThrow('it changed 3 times');
    expect(store.policyLoads).toBe(3);
    store.whileLoading = undefined;
    expect((await holder.refresh()).ref.policySha).toBe('p1');
  });
});

describe('a source that is out of reach', () => {
  const outOfReach = (message: string): GateError => new GateError(FailureType.PolicyUnavailable, message);

  it('a source that is out of reach is reported once an outage, whatever it says, and again after it', async () => {
    await holder.refresh();
    for (const said of ['ECONNREFUSED', '503', undefined, '503', 'ETIMEDOUT']) {
      store.fail(said === undefined ? undefined : outOfReach(said));
      await holder.refresh();
      expect(holder.status().lastError).toBe(said);
    }
    expect(refused.map(({ error }) => error.message)).toEqual(['ECONNREFUSED', '503']);
    expect(checked).toEqual([false, true]);
  });

  it('a source that is out of reach is another thing than a release that is refused', async () => {
    await holder.refresh();
    store.publish({ policy: invalid('bad wasm'), version: 'v2' });
    await holder.refresh();
    store.fail(outOfReach('503'));
    await holder.refresh();
    expect(refused.map(({ error }) => error.type)).toEqual(['PolicyInvalid', 'PolicyUnavailable']);
  });
});

describe('the release in force', () => {
  const outOfReach = new GateError(FailureType.PolicyUnavailable, '503');

  it('the release in force is confirmed when the manifest names it still, and when it names a newer one that is taken', async () => {
    const first = await holder.confirm(1_000);
    expect(await holder.confirm(1_000)).toBe(first);
    store.publish({ version: 'v2' });
    expect((await holder.confirm(1_000)).ref.manifestVersion).toBe('v2');
  });

  it.each<[string, () => void]>([
    ['cannot be loaded', () => store.publish({ policy: invalid('bad wasm'), version: 'v2' })],
    [
      'cannot be evaluated',
      () => (smoke.mockRejectedValueOnce(invalid('no answer')), store.publish({ version: 'v2' })),
    ],
    ['lacks a fact', () => ((faults = [{ type: 'FactMissing', message: 'm' }]), store.publish({ version: 'v2' }))],
    ['has no manifest that parses', () => store.fail(new GateError(FailureType.ManifestInvalid, 'no JSON'))],
  ])('the release in force is confirmed when the newer one %s: it was refused', async (_, breakIt) => {
    const first = await holder.refresh();
    breakIt();
    expect(await holder.confirm(1_000)).toBe(first);
    expect(holder.status().lastError).toBeDefined();
  });

  it.each<[string, () => void, string]>([
    ['the manifest cannot be read', () => store.fail(outOfReach), '503'],
    ['an unknown error comes', () => store.fail(new Error('EIO')), 'EIO'],
    ['what a newer manifest names cannot be read', () => store.publish({ policy: outOfReach, version: 'v2' }), '503'],
    ['the release does not hold still', () => ((store.whileLoading = () => store.touch()), store.touch()), 'changed 3'],
  ])('the release in force is not confirmed when %s, though it stays', async (_, breakIt, said) => {
    const first = await holder.refresh();
    breakIt();
    const confirming = holder.confirm(1_000);
    await expect(confirming).rejects.toMatchObject({
      type: 'PolicyUnavailable',
      message: expect.stringMatching(`^The release in force could not be confirmed: .*${said}`),
    });
    expect(holder.current()).toBe(first);
  });

  it('the release in force is not confirmed while none is', async () => {
    store.publish({ policy: invalid('bad wasm') });
    await expect(holder.confirm(1_000)).rejects.toMatchObject({ type: 'PolicyUnavailable' });
  });

  it('the release in force is not confirmed by a source that hangs, within the time that was asked for', async () => {
    await holder.refresh();
    store.hanging = new Promise(() => undefined);
    await expect(holder.confirm(20)).rejects.toMatchObject({
      type: 'PolicyUnavailable',
      message: 'The release in force could not be confirmed at /releases/latest.json within 20 ms',
    });
  });
});

describe('a check that hangs', () => {
  it('a check that hangs is given up, keeps the release in force, and does not keep the next one from coming', async () => {
    const first = await holder.refresh();
    store.hanging = new Promise(() => undefined);
    expect(await holder.refresh()).toBe(first);
    expect(holder.status().lastError).toBe('The manifest /releases/latest.json could not be read within 100 ms');
    store.hanging = undefined;
    store.publish({ version: 'v2' });
    expect((await holder.refresh()).ref.manifestVersion).toBe('v2');
    expect(holder.status().lastError).toBeUndefined();
  });

  it('a copy on disk that is broken is told with all its faults, beside why it was asked for', async () => {
    const starting = createReleaseHolder({
      timers: systemTimers,
      read: () => Promise.reject(new GateError(FailureType.PolicyUnavailable, 'S3 is down')),
      where: 's3://gate/latest.json',
      readKept: () =>
        Promise.resolve({
          manifest: { policy: 'p', config: 'c', version: 'v1' },
          fingerprint: 'kept',
          loadPolicy: () => Promise.reject(invalid('bad wasm')),
          loadConfig: () => Promise.reject(new GateError(FailureType.ConfigInvalid, 'bad limits')),
        }),
      check: async () => [],
      smoke,
      nowMs: () => nowMs,
    });
    await expect(starting.refresh()).rejects.toThrow(/S3 is down; bad wasm; bad limits/);
  });

  it('a check that hangs of the copy on disk is given up too', async () => {
    let reads = 0;
    const starting = createReleaseHolder({
      timers: systemTimers,
      read: () => Promise.reject(new GateError(FailureType.PolicyUnavailable, 'S3 is down')),
      where: 's3://gate/latest.json',
      readKept: () => {
        reads += 1;
        return new Promise(() => undefined);
      },
      check: async () => [],
      smoke,
      nowMs: () => nowMs,
      deadlineMs: 50,
    });
    for (let check = 1; check <= 2; check += 1) {
      await expect(starting.refresh()).rejects.toThrow(/S3 is down; .*within 50 ms/);
      expect(reads).toBe(check);
    }
  });

  it.each<[string, { version: string; policy?: string }]>([
    ['another release', { version: 'v2', policy: 'p2' }],
    ['the release that is in force by then', { version: 'v3', policy: 'p3' }],
  ])('a check that hangs changes nothing when it ends after all, with %s', async (_, late) => {
    await holder.refresh();
    let finish = (): void => undefined;
    const slow = new Promise<void>((resolve) => (finish = resolve));
    let trials = 0;
    smoke.mockImplementation(async () => (++trials === 1 ? slow : undefined));
    store.publish(late);
    await holder.refresh();
    expect(holder.status().lastError).toBe('The release could not be loaded from /releases/latest.json within 100 ms');
    store.publish({ version: 'v3', policy: 'p3' });
    const third = await holder.refresh();
    finish();
    await new Promise((resolve) => setImmediate(resolve));
    expect(holder.current()).toBe(third);
    expect(await holder.refresh()).toBe(third);
  });
});

describe('askers at the same time', () => {
  it('callers at the same time share one check when they come before it, and the next one when they come during it', async () => {
    const first = holder.refresh();
    const others = [holder.refresh(), holder.refresh(), holder.refresh()];
    expect(new Set(await Promise.all([first, ...others])).size).toBe(1);
    // Once before and once after loading, and once for all the others.
    expect(store.manifestReads).toBe(3);
    expect(store.policyLoads).toBe(1);
  });

  it('callers at the same time get no answer older than their question', async () => {
    await holder.refresh();
    const early = holder.refresh();
    store.publish({ version: 'v2' });
    expect((await holder.refresh()).ref.manifestVersion).toBe('v2');
    await early;
    expect(version()).toBe('v2');
  });

  it('callers at the same time are all told when nothing can be loaded, and a later one is served', async () => {
    store.fail(new Error('EIO'));
    const answers = await Promise.allSettled([holder.refresh(), holder.refresh(), holder.refresh()]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(refused).toHaveLength(1);
    store.fail(undefined);
    expect((await holder.refresh()).ref.manifestVersion).toBe('v1');
  });
});

describe('releases by their digests', () => {
  it('releases by their digests are the last four', async () => {
    for (const number of [1, 2, 3, 4, 5]) {
      store.publish({ policy: `p${number}`, version: `v${number}` });
      await holder.refresh();
    }
    const found = [1, 2, 3, 4, 5].map((number) => holder.find({ policySha: `p${number}`, configRev: 'c1' }));
    expect(found.map((release) => release?.ref.manifestVersion)).toEqual([undefined, 'v2', 'v3', 'v4', 'v5']);
  });

  it('releases by their digests count once when one comes back into force', async () => {
    for (const policy of ['p1', 'p2', 'p1', 'p2', 'p1', 'p3']) {
      store.publish({ policy });
      await holder.refresh();
    }
    for (const policySha of ['p1', 'p2', 'p3']) expect(holder.find({ policySha, configRev: 'c1' })).toBeDefined();
  });

  it('releases by their digests need both digests', async () => {
    await holder.refresh();
    expect(holder.find({ policySha: 'p1', configRev: 'c2' })).toBeUndefined();
    expect(holder.find({ policySha: 'p2', configRev: 'c1' })).toBeUndefined();
  });

  it.each([
    [{}, true],
    [{ policySha: 'x' }, false],
    [{ configRev: 'x' }, false],
    [{ manifestVersion: 'x' }, false],
  ])('releases by their digests with a change of %j are the same: %s', (change, same) => {
    const ref = { policySha: 'p', configRev: 'c', manifestVersion: 'v' };
    expect(isSameRelease(ref, { ...ref, ...change })).toBe(same);
  });
});
