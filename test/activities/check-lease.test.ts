import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { createActivities } from '../../src/activities/create-gate-activities';
import type { ActionRequest } from '../../src/activities/gate-activities';
import { ACTIONS } from '../../src/images/gating/all-actions';
import { noImages } from '../support/no-images';
import { noShards } from '../support/no-shards';
import { noNotices } from '../support/no-notices';
import { openActions } from '../../src/gate/actions/service/open-actions';
import type { LeaseClaim } from '../../src/gate/decisions/lease';
import { FailureType, GateError } from '../../src/kernel/failures';
import { createReleaseHolder } from '../../src/releases/release-holder';
import type { ReleaseHolder } from '../../src/releases/release';
import { createMetrics } from '../../src/gate/metrics';
import type { Services } from '../../src/gate/services';
import { parseSettings } from '../../src/settings/load-settings';
import { startHttpReceiver, type HttpReceiver } from '../fakes/http-receiver';
import { FakeReleaseStore } from '../releases/a-release';
import { systemTimers } from '../../src/platform/timers/system-timers';

let store: FakeReleaseStore;
let holder: ReleaseHolder;

beforeEach(async () => {
  store = new FakeReleaseStore();
  holder = createReleaseHolder({
    timers: systemTimers,
    read: store.read,
    where: 's3://bucket/latest.json',
    check: async () => [],
    smoke: async () => undefined,
    nowMs: () => Date.now(),
  });
  await holder.refresh();
});

const claim = (change: Partial<LeaseClaim> = {}): LeaseClaim => ({
  decisionId: 'd1',
  decisionTimeMs: Date.now() - 10,
  expiresAtMs: Date.now() + 60_000,
  release: { policySha: 'p1', configRev: 'c1', manifestVersion: 'v1' },
  ...change,
});

/** Runs the action of a stage against a real receiver; how it ended, and how many requests the receiver got. */
async function act(lease: LeaseClaim, startToCloseTimeoutMs = 30_000) {
  const receiver: HttpReceiver = await startHttpReceiver();
  const services = {
    releases: holder,
    actions: await openActions(
      { settings: parseSettings({}, { file: 'settings' }, '.'), baseDir: '.' },
      { env: {}, registry: ACTIONS, notices: noNotices, replicateImage: noImages, changeShard: noShards },
    ),
    metrics: createMetrics(new Registry()),
    hidesAttributes: () => false,
  } as unknown as Services;
  const request: ActionRequest = {
    action: { type: 'http', method: 'POST', url: receiver.url } as ActionRequest['action'],
    context: {
      deployment_id: 'd',
      stage: 's',
      stage_index: 0,
      attributes: {},
      stage_attributes: {},
      decision_id: 'd1',
    },
    idempotencyKey: 'd/s',
    lease,
  };
  try {
    const environment = new MockActivityEnvironment({ startToCloseTimeoutMs }, { logger: new DefaultLogger('ERROR') });
    const ended = await environment.run(createActivities(services).runAction, request).then(
      () => 'done',
      (error: unknown) => error,
    );
    return { ended, requests: receiver.requests.length };
  } finally {
    await receiver.close();
  }
}

const outOfReach = new GateError(FailureType.PolicyUnavailable, 's3://bucket/latest.json cannot be read: 503');

describe('an action under a lease', () => {
  it('an action under a lease acts while the manifest names the release of its allow', async () => {
    expect(await act(claim())).toEqual({ ended: 'done', requests: 1 });
  });

  it('an action under a lease acts while the manifest names a newer one that is refused', async () => {
    store.publish({ policy: new GateError(FailureType.PolicyInvalid, 'bad wasm'), version: 'v3' });
    expect(await act(claim())).toEqual({ ended: 'done', requests: 1 });
  });

  it.each<[string, () => void, Partial<LeaseClaim>, string]>([
    ['the manifest names another release', () => store.publish({ policy: 'p2' }), {}, 'release'],
    ['a fact grew too old', () => undefined, { expiresAtMs: Date.now() - 1 }, 'age'],
  ])('an action under a lease does not act when %s', async (_, change, claimed, cause) => {
    change();
    expect(await act(claim(claimed))).toMatchObject({
      ended: { type: 'LeaseLapsed', nonRetryable: true, details: [{ cause }] },
      requests: 0,
    });
  });

  it.each<[string, () => void]>([
    ['the manifest cannot be read', () => store.fail(outOfReach)],
    ['a newer release cannot be read', () => store.publish({ policy: outOfReach, version: 'v2' })],
  ])(
    'an action under a lease does not act when %s, says that nothing was sent, and may be tried again',
    async (_, change) => {
      change();
      expect(await act(claim())).toMatchObject({
        ended: {
          type: 'PolicyUnavailable',
          nonRetryable: false,
          message: 'The release in force could not be confirmed: s3://bucket/latest.json cannot be read: 503',
          details: [{ mayHaveBeenSent: false }, [{ type: 'PolicyUnavailable' }]],
        },
        requests: 0,
      });
    },
  );

  it('an action under a lease does not act when the source hangs, and ends before its own time-out, which would count as sent', async () => {
    store.hanging = new Promise(() => undefined);
    const startedMs = Date.now();
    expect(await act(claim(), 200)).toMatchObject({
      ended: { type: 'PolicyUnavailable', details: [{ mayHaveBeenSent: false }, expect.anything()] },
      requests: 0,
    });
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(99);
  });

  it('an action under a lease does not act while no release is in force', async () => {
    store = new FakeReleaseStore();
    store.fail(outOfReach);
    holder = createReleaseHolder({
      timers: systemTimers,
      read: store.read,
      where: 's3://bucket/latest.json',
      check: async () => [],
      smoke: async () => undefined,
      nowMs: () => 0,
    });
    expect(await act(claim())).toMatchObject({ ended: { details: [{ mayHaveBeenSent: false }, expect.anything()] } });
  });

  it.each<[string, () => void]>([
    ['out of reach', () => store.fail(outOfReach)],
    ['hanging', () => (store.hanging = new Promise(() => undefined))],
  ])(
    'an action under a lease acts on an override whatever the release: with a source that is %s',
    async (_, change) => {
      change();
      expect(await act(claim({ release: undefined }))).toEqual({ ended: 'done', requests: 1 });
    },
  );

  it('an action under a lease does not act on an override that is over', async () => {
    holder = createReleaseHolder({
      timers: systemTimers,
      read: () => Promise.reject(outOfReach),
      where: 'w',
      check: async () => [],
      smoke: async () => undefined,
      nowMs: () => 0,
    });
    expect(await act(claim({ release: undefined, expiresAtMs: 1 }))).toMatchObject({
      ended: { type: 'LeaseLapsed', details: [{ cause: 'age', release: { manifestVersion: '' } }] },
      requests: 0,
    });
  });
});
