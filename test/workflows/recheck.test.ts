import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import type { AuditRecord } from '../../src/audit/audit-record';
import { DeploymentClient } from '../../src/clients/deployment-client';
import type { StageSpec } from '../../src/gate/deployments/deployment-spec';
import type { DeploymentStatus } from '../../src/gate/deployments/deployment-state';
import { toLookDetails } from '../../src/gate/deployments/looks';
import type { Fault } from '../../src/kernel/failures';
import { workflowIdOf } from '../../src/kernel/names';
import { readPendingActivities } from '../../src/platform/temporal/pending-activities';
import { FakeGateActivities } from '../fakes/fake-gate-activities';
import { decodeHistory, type HistoryFile } from '../support/history-file';
import { eventually, startTemporalEnv, type TemporalEnv } from '../support/temporal-env';
import { watchedDeployment } from '../support/watched-deployment';

const OPERATOR = { actor: 'ann', reason: 'checked by hand' };
const STALE: Fault = { type: 'FactStale', message: 'Expected max_pending to be fresh', factId: 'max_pending' };
const GONE: Fault = { type: 'FactSourceUnavailable', message: 'Expected an answer', factId: 'max_pending' };
const DENIED = { outcome: 'deny' as const, reasons: ['too many: 3'] };
const { EventType } = temporal.api.enums.v1;
const RECORDED = join(__dirname, '..', 'histories', '0.2.0-rechecks', 'waits-then-allowed.json');

/** What the first recheck of a history was given, and what it returned. */
function recheckPayloads({ events }: temporal.api.history.v1.IHistory): { input: unknown; result: unknown } {
  const read = (payloads?: temporal.api.common.v1.IPayloads | null): unknown =>
    defaultPayloadConverter.fromPayload((payloads?.payloads?.[0] ?? {}) as Payload);
  const begun = events?.find((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'recheck');
  const ended = events?.find(
    (event) => String(event.activityTaskCompletedEventAttributes?.scheduledEventId) === String(begun?.eventId),
  );
  return {
    input: read(begun?.activityTaskScheduledEventAttributes?.input),
    result: read(ended?.activityTaskCompletedEventAttributes?.result),
  };
}

/** The fields of a value, each with its type: `looks.count number`. Values of facts and entries of lists are not told apart. */
function shapeOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return [`${path} list`, ...new Set(value.flatMap((item) => shapeOf(item, `${path}[]`)))];
  if (typeof value !== 'object' || value === null) return [`${path} ${typeof value}`];
  return Object.entries(value).flatMap(([name, field]) =>
    name === 'value' || name === 'maxAgeMs' ? [`${path}.${name}`] : shapeOf(field, `${path}.${name}`),
  );
}

/** A wait on a real Temporal server: the activity and its details are the product's own, what it looks at is scripted. */
describe('a recheck', () => {
  let env: TemporalEnv;
  let gate: FakeGateActivities;
  let deployments: DeploymentClient;
  let queue: string;
  let id: string;

  beforeAll(async () => {
    env = await startTemporalEnv();
  });
  afterAll(async () => {
    await env?.stop();
  });
  beforeEach(() => {
    id = `d-${randomUUID()}`;
    queue = `queue-${id}`;
    gate = new FakeGateActivities();
    gate.verdict = DENIED;
    deployments = new DeploymentClient({ client: env.client, taskQueue: queue, deadlineMs: 300_000 });
  });

  const running = (use: () => Promise<void>): Promise<void> => env.withWorker(queue, gate.activities(), use);
  const { handle, status, reaches, closed } = watchedDeployment(() => ({ client: env.client, id }));
  const start = (stage: Partial<StageSpec> = {}, historyLimit?: number) =>
    historyLimit === undefined
      ? deployments.start({ id, stages: [{ name: 'canary', onDeny: 'wait', ...stage }] })
      : env.client.workflow.start('deployment', {
          workflowId: workflowIdOf(id),
          taskQueue: queue,
          args: [{ spec: { id, stages: [{ name: 'canary', onDeny: 'wait', ...stage }] }, historyLimit }],
        });
  const ended = async (): Promise<DeploymentStatus> => {
    await closed();
    return status();
  };
  const looked = (atLeast: number) => eventually(`${atLeast} looks`, () => gate.looks.length >= atLeast);
  const details = async () => {
    const [pending] = await readPendingActivities(env.client, { workflowId: workflowIdOf(id) });
    return toLookDetails(pending?.heartbeatDetails);
  };
  const counted = (atLeast: number) =>
    eventually(`${atLeast} counted looks`, async () => {
      const now = await details();
      return now !== undefined && now.count >= atLeast && now;
    });
  const records = (kind: string): AuditRecord[] => [...gate.records.values()].filter((record) => record.kind === kind);
  const eventTypes = async (): Promise<string[]> =>
    ((await handle().fetchHistory()).events ?? []).map(({ eventType }) => EventType[eventType ?? 0] ?? '');

  it('a recheck that finds the same again and again costs no history event', () =>
    running(async () => {
      await start();
      await reaches('waiting');
      await looked(1);
      const before = (await eventTypes()).length;
      await looked(9);
      expect((await eventTypes()).length).toBe(before);
      expect(gate.kinds()).toEqual(['decision:deny']);
      expect(await details()).toMatchObject({
        outcome: 'deny',
        codes: ['too_many'],
        reasons: ['too many: 3'],
        release: 'v1',
      });
    }));

  it('a recheck that finds an allow ends the wait: the looks are recorded, then the decision under the look’s own id', () =>
    running(async () => {
      await start();
      await counted(3);
      gate.verdict = { outcome: 'allow' };
      expect(await ended()).toMatchObject({ state: 'done' });
      expect(gate.kinds()).toEqual(['decision:deny', 'recheck', 'decision:allow', 'ended']);
      const [record] = records('recheck');
      expect(record).toMatchObject({
        schemaVersion: 2,
        actor: 'gate',
        details: {
          count: expect.any(Number),
          firstAt: expect.any(String),
          lastAt: expect.any(String),
          outcome: 'deny',
          codes: ['too_many'],
          endedBy: 'change',
          became: { outcome: 'allow', codes: [] },
          wait: 0,
          window: 0,
        },
      });
      expect(record?.details?.count).toBeGreaterThanOrEqual(3);
      expect(record).not.toHaveProperty('outcome');
      expect(gate.collected).toHaveLength(1);
    }));

  it('a recheck that finds other codes of the same outcome is recorded, and the stage waits on', () =>
    running(async () => {
      await start();
      await counted(2);
      gate.verdict = { outcome: 'deny', reasons: ['too old: 7'] };
      const now = await eventually('the other reason', async () => {
        const found = await status();
        return found.lastLook !== undefined && found;
      });
      expect(now).toMatchObject({ state: 'waiting', lastLook: { decision: { denyReasons: ['too old: 7'] } } });
      expect((await deployments.explain(id))?.why).toEqual(['too old: 7']);
      await eventually('the record', () => records('recheck').length > 0);
      expect(gate.kinds()).toEqual(['decision:deny', 'recheck']);
      expect(records('recheck')[0]?.details).toMatchObject({ became: { outcome: 'deny', codes: ['too_old'] } });
      await counted(2);
      expect(await details()).toMatchObject({ codes: ['too_old'] });
    }));

  it('a recheck that can make no decision any more pauses the waiting stage', () =>
    running(async () => {
      await start({ autoResume: true });
      await counted(1);
      gate.verdict = { outcome: 'error', faults: [STALE] };
      expect(await reaches('paused')).toMatchObject({ pause: { reason: 'FactStale' } });
      await eventually('the pause', () => records('pause').length > 0);
      expect(gate.kinds()).toEqual(['decision:deny', 'recheck', 'decision:error', 'pause']);
      gate.verdict = { outcome: 'allow' };
      expect(await ended()).toMatchObject({ state: 'done' });
    }));

  it('a recheck of a pause whose fault changes keeps the pause and its alert', () =>
    running(async () => {
      gate.verdict = { outcome: 'error', faults: [STALE] };
      await start();
      const { pause } = await reaches('paused');
      gate.verdict = { outcome: 'error', faults: [GONE] };
      const now = await eventually('the other fault', async () => {
        const found = await status();
        return found.pause?.reason === 'FactSourceUnavailable' && found;
      });
      expect(now.pause?.id).toBe(pause?.id);
      await eventually('the record', () => records('recheck').length > 0);
      expect(gate.kinds()).toEqual(['decision:error', 'pause', 'recheck']);
      expect(gate.alerts).toHaveLength(1);
    }));

  it('a recheck of a pause that has recovered looks on, and an allow that nobody follows is no decision', () =>
    running(async () => {
      gate.verdict = { outcome: 'error', faults: [STALE] };
      await start();
      await reaches('paused');
      gate.verdict = { outcome: 'allow' };
      await eventually('recovery', async () => (await status()).pause?.recovered === true);
      await counted(3);
      expect(await details()).toMatchObject({ outcome: 'allow' });
      expect(gate.kinds().filter((kind) => kind.startsWith('decision'))).toEqual(['decision:error']);
      gate.verdict = { outcome: 'error', faults: [STALE] };
      await eventually('the fault again', async () => (await status()).pause?.recovered === false);
      gate.verdict = { outcome: 'allow' };
      await eventually('recovery', async () => (await status()).pause?.recovered === true);
      const meantFor = (await status()).pause?.id;
      await deployments.call(id, 'resume', { ...OPERATOR, ...(meantFor === undefined ? {} : { for: meantFor }) });
      expect(await ended()).toMatchObject({ state: 'done' });
      expect(gate.kinds().filter((kind) => kind.startsWith('decision'))).toEqual(['decision:error', 'decision:allow']);
    }));

  it.each([
    ['between two attempts', false],
    ['during an attempt', true],
  ])('a recheck is ended by an operator’s call %s, and what it counted is recorded first', (_when, during) =>
    running(async () => {
      await start({ recheckEvery: '500ms' });
      await counted(2);
      if (during) {
        const asked = gate.looks.length;
        gate.lookGate = () => new Promise((resolve) => setTimeout(resolve, 2_000));
        await looked(asked + 1);
      }
      const { lastDecision } = await status();
      const meantFor = { ...OPERATOR, for: lastDecision?.decisionId ?? '' };
      expect(await deployments.call(id, 'override', meantFor)).toMatchObject({ reply: { accepted: true } });
      expect(await ended()).toMatchObject({ state: 'done' });
      expect(gate.kinds()).toEqual(['decision:deny', 'recheck', 'override', 'ended']);
      expect(records('recheck')[0]?.details).toMatchObject({ endedBy: 'call' });
      expect(records('recheck')[0]?.details?.count).toBeGreaterThanOrEqual(2);
    }),
  );

  it('a recheck whose count cannot be read is recorded without one, and holds up no operator', () =>
    running(async () => {
      gate.looksUnreadable = true;
      await start();
      await counted(1);
      expect(await deployments.call(id, 'abort', OPERATOR)).toMatchObject({ reply: { accepted: true } });
      await ended();
      expect(gate.kinds()).toEqual(['decision:deny', 'recheck', 'abort', 'ended']);
      expect(records('recheck')[0]?.details).toMatchObject({ count: null, endedBy: 'call' });
    }));

  it('a recheck is counted before a cancellation in Temporal ends the deployment', () =>
    running(async () => {
      await start();
      await counted(2);
      await handle().cancel();
      expect(await ended()).toMatchObject({ state: 'aborted' });
      expect(gate.kinds()).toEqual(['decision:deny', 'recheck', 'abort', 'ended']);
      expect(records('recheck')[0]?.details?.count).toBeGreaterThanOrEqual(2);
    }));

  it('a recheck ends with giveUpAfter: one last decision is asked for with no cached fact', () =>
    running(async () => {
      await start({ giveUpAfter: '2s' });
      expect(await ended()).toMatchObject({ state: 'denied' });
      expect(gate.kinds()).toEqual(['decision:deny', 'recheck', 'decision:deny', 'ended']);
      expect(records('recheck')[0]?.details).toMatchObject({ endedBy: 'time' });
      expect(gate.collected.at(-1)).toMatchObject({ bypassCache: true });
    }));

  it('a recheck is recorded when a day is over, and the wait continues under the defaults in force then', () =>
    running(async () => {
      await start();
      await counted(2);
      gate.stages = { ...gate.stages, recheckEvery: '150ms' };
      gate.looksAheadMs = 86_400_000;
      await eventually('the record', () => records('recheck').length > 0);
      gate.looksAheadMs = 0;
      const [day] = records('recheck');
      expect(day?.details).toMatchObject({ endedBy: 'day', outcome: 'deny', wait: 0, window: 0 });
      expect(day?.details).not.toHaveProperty('became');
      expect(day?.details?.count).toBeGreaterThanOrEqual(2);
      const now = await eventually('the next window', async () => {
        const { recheck } = await status();
        return recheck?.activityId === 'recheck-0-0-1' && recheck;
      });
      expect(now.everyMs).toBe(150);
      await counted(1);
      gate.verdict = { outcome: 'allow' };
      expect(await ended()).toMatchObject({ state: 'done' });
      expect(gate.kinds()).toEqual(['decision:deny', 'recheck', 'recheck', 'decision:allow', 'ended']);
      expect(records('recheck')[1]?.details).toMatchObject({ endedBy: 'change', wait: 0, window: 1 });
      expect(new Set(records('recheck').map(({ decisionID }) => decisionID)).size).toBe(2);
    }));

  it('a recheck gets and returns what workers of the release that recorded histories can read', () =>
    running(async () => {
      await start();
      await counted(1);
      gate.verdict = { outcome: 'allow' };
      await ended();
      const history = (await handle().fetchHistory()) as temporal.api.history.v1.IHistory;
      const recorded = decodeHistory(JSON.parse(readFileSync(RECORDED, 'utf8')) as HistoryFile);
      const [now, then] = [recheckPayloads(history), recheckPayloads(recorded)];
      for (const part of ['input', 'result'] as const) {
        expect(then[part]).toBeDefined();
        // Fields may be added; none that was there may be gone, or be of another type.
        expect(shapeOf(now[part])).toEqual(expect.arrayContaining(shapeOf(then[part])));
      }
    }));

  it('a recheck whose attempt a worker of an earlier release takes fails there, and keeps its count', async () => {
    let worker = await env.startWorker(queue, gate.activities());
    // The SDK logs the failure as an error of the worker's.
    const logged = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      await start();
      const before = await counted(2);
      await worker.stop();
      const { recheck: _unknown, ...earlier } = gate.activities();
      worker = await env.startWorker(queue, earlier, undefined, { workflowBundle: undefined });
      await eventually('the failure', async () => {
        const { raw } = await handle().describe();
        return raw.pendingActivities?.[0]?.lastFailure?.message?.includes('is not registered on this Worker');
      });
      await worker.stop();
      worker = await env.startWorker(queue, gate.activities());
      const after = await counted(before.count + 1);
      expect(after.firstAt).toBe(before.firstAt);
      expect(gate.kinds()).toEqual(['decision:deny']);
    } finally {
      logged.mockRestore();
      await worker.stop();
    }
  });

  it('a recheck begins after one more decision where a deployment waited while new patches were held', async () => {
    gate.patches = undefined;
    gate.alertRules = undefined;
    const held = { patchActivationCallback: () => false };
    let worker = await env.startWorker(queue, gate.activities(), undefined, held);
    try {
      await start({ recheckEvery: '300ms' });
      await eventually('decisions at intervals', () => records('decision').length >= 3);
      expect(gate.looks).toEqual([]);
      await worker.stop();
      worker = await env.startWorker(queue, gate.activities());
      await counted(1);
      const decisions = records('decision').length;
      await counted(3);
      expect(records('decision')).toHaveLength(decisions);
      // The next worker reads the history from its beginning.
      await worker.stop();
      worker = await env.startWorker(queue, gate.activities());
      gate.verdict = { outcome: 'allow' };
      expect(await ended()).toMatchObject({ state: 'done' });
      expect(gate.kinds().slice(-3)).toEqual(['recheck', 'decision:allow', 'ended']);
    } finally {
      await worker.stop();
    }
  });

  it('a recheck carries its count through continue-as-new', () =>
    running(async () => {
      gate.verdict = { outcome: 'error', faults: [STALE] };
      gate.stages = { ...gate.stages, remindAfter: '300ms', remindAtMost: '300ms' };
      await start({}, 40);
      const { runId } = await handle().describe();
      await counted(2);
      await eventually('a new run', async () => (await handle().describe()).runId !== runId);
      expect((await counted(3)).firstAt).toBeDefined();
      expect(records('recheck')).toEqual([]);
      gate.verdict = { outcome: 'allow' };
      await eventually('the record', () => records('recheck').length > 0);
      expect(records('recheck')[0]?.details?.count).toBeGreaterThanOrEqual(3);
    }));

  it.each([
    ['fails', undefined],
    ['completes with nonsense', { count: 1, snapshot: {}, decision: {} }],
  ])('a recheck that an operator %s in Temporal is replaced by a decision', (_what, result) =>
    running(async () => {
      await start();
      await counted(1);
      // Temporal takes such an answer only while an attempt is under way.
      let release = (): void => undefined;
      gate.lookGate = () => new Promise((resolve) => (release = resolve));
      await looked(gate.looks.length + 1);
      const activity = {
        namespace: env.server.namespace,
        workflowId: workflowIdOf(id),
        activityId: (await status()).recheck?.activityId ?? '',
      };
      const service = env.client.workflowService;
      if (result === undefined) {
        const failure = { message: 'ended by hand', applicationFailureInfo: { type: 'ByHand', nonRetryable: true } };
        await service.respondActivityTaskFailedById({ ...activity, failure });
      } else {
        const payloads = [defaultPayloadConverter.toPayload(result) ?? {}];
        await service.respondActivityTaskCompletedById({ ...activity, result: { payloads } });
      }
      gate.lookGate = undefined;
      release();
      await eventually('a second decision', () => gate.kinds().filter((kind) => kind === 'decision:deny').length === 2);
      await counted(1);
      gate.verdict = { outcome: 'allow' };
      expect(await ended()).toMatchObject({ state: 'done' });
    }),
  );
});
