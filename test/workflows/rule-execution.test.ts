import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectTo, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScheduleNotFoundError, type ScheduleHandle, type WorkflowHandle } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createRuleActivities, type ExecutionParts } from '../../src/activities/create-rule-activities';
import type { Alert } from '../../src/alerts/alert';
import { bundleOptions } from '../../src/built-workflows';
import { keptBundle } from '../support/kept-bundle';
import { RuleExecutionClient } from '../../src/clients/rule-execution-client';
import { setupSearchAttributes } from '../../src/clients/search-attribute-setup';
import { startNodeChild, type NodeChild } from '../../src/dev/child-process';
import { startShardManager, type ShardManagerServer } from '../../src/dev/shard-manager';
import { FailureType, GateError } from '../../src/kernel/failures';
import type { JsonObject } from '../../src/kernel/json';
import type { ExecutionStatus } from '../../src/rules/execution/execution';
import type { ExecutionReport } from '../../src/rules/execution/report';
import type { DomainStep } from '../../src/rules/domain';
import type { ruleExecution, RuleExecutionInput } from '../../src/workflows/rule-execution';
import { readPolicies } from '../../src/rules/document/read-policies';
import { reconcileSchedules, type ScheduleBook } from '../../src/rules/schedules/reconcile-schedules';
import type { FoundSchedule } from '../../src/rules/schedules/schedule-changes';
import type { SchedulePause } from '../../src/rules/schedules/schedule-pause';
import { wantedSchedules } from '../../src/rules/schedules/wanted-schedules';
import type { PolicySource } from '../../src/rules/execution/policy-source';
import { openSchedulesLate } from '../../src/rules/service/late-schedules';
import { parseSettings } from '../../src/settings/load-settings';
import { createTemporalSchedules } from '../../src/rules/service/temporal-schedules';
import { shardDomain } from '../../src/shards/domain';
import { ruleParts, step } from '../support/rule-worker';
import { eventually, startTemporalEnv, type TemporalEnv } from '../support/temporal-env';

const STEPS: DomainStep[] = [
  step('add', { shard: 's6', to: 'n1' }),
  step('move', { shard: 's4', from: 'n4', to: 'n3' }),
  step('add', { shard: 's6', to: 'n3' }),
  step('remove', { shard: 's6', from: 'n1' }),
];
const QUESTION = { operation: 'place_shard' };
const CALLER = { actor: 'ann', reason: 'more room' };

describe('the execution of rule policies', () => {
  let env: TemporalEnv;
  let manager: ShardManagerServer;
  let reports: ExecutionReport[];
  let alerts: Alert[];
  let queue: string;
  /** runs after a call that changed something, before it is answered */
  let onChange: ((key: string) => void) | undefined;

  beforeAll(async () => {
    env = await startTemporalEnv();
    await setupSearchAttributes(env.client.connection as never, 'default');
  });
  afterAll(() => env?.stop());
  beforeEach(async () => {
    queue = `rules-${randomUUID()}`;
    [reports, alerts, onChange] = [[], [], undefined];
    manager = await startShardManager({ moveMs: 100, onChange: (key) => onChange?.(key) });
  });
  afterEach(() => manager.close());

  const replicas = (): JsonObject =>
    Object.fromEntries((manager.state().shards as JsonObject[]).map(({ id, replicas }) => [String(id), replicas!]));
  const start = (input: Partial<RuleExecutionInput> = {}) =>
    env.client.workflow.start<typeof ruleExecution>('ruleExecution', {
      workflowId: `rules/execution/${randomUUID()}`,
      taskQueue: queue,
      workflowTaskTimeout: '3s',
      args: [{ question: QUESTION, ...CALLER, ...input }],
    });
  const withWorker = <T>(steps: readonly DomainStep[], use: () => Promise<T>, over: Partial<ExecutionParts> = {}) => {
    const parts = ruleParts({
      managerUrl: manager.url,
      steps,
      onReport: (report) => void reports.push(report),
      onAlert: (alert) => void alerts.push(alert),
      over,
    });
    return env.withWorker(queue, createRuleActivities(parts), use);
  };
  const execute = (steps: readonly DomainStep[], input: Partial<RuleExecutionInput> = {}, over = {}) =>
    withWorker(steps, async () => (await start(input)).result(), over);
  const statusOf = (handle: WorkflowHandle): Promise<ExecutionStatus> => handle.query('status');
  const call = (handle: WorkflowHandle, kind: string, more: object = {}) =>
    handle.executeUpdate(kind, { args: [{ actor: 'bob', reason: 'changed my mind', ...more }] });
  const stepReports = (status: string): number[] =>
    reports.flatMap((report) => (report.report === 'step' && report.status === status ? [report.index] : []));

  it('an execution carries out its steps in order and records what they rest on before the first', async () => {
    const before = manager.state();
    const status = await execute(STEPS);
    expect(status).toMatchObject({ state: 'done', actor: 'ann', generation: 0 });
    expect(status.steps.map((one) => one.status)).toEqual(['done', 'done', 'done', 'done']);
    expect(replicas()).toMatchObject({ s4: ['n3'], s6: ['n3'] });
    expect(reports.map(({ report }) => report).slice(0, 2)).toEqual(['begin', 'step']);
    expect(reports[0]).toMatchObject({
      id: status.id,
      plan: { setRevision: 7, stateVersion: before.version, policies: [{ name: 'given', revision: 3 }] },
    });
    expect(stepReports('done')).toEqual([0, 1, 2, 3]);
    expect(reports.at(-1)).toMatchObject({ report: 'end', state: 'done' });
    const { byKey } = manager.requests();
    expect(Object.keys(byKey)).toEqual([0, 1, 2, 3].map((index) => `${status.id}/0/${index}`));
    expect(alerts).toEqual([]);
  });

  it('a dry run plans and changes nothing', async () => {
    const before = replicas();
    const status = await execute(STEPS, { dryRun: true });
    expect(status.state).toBe('planned');
    expect(status.plan?.steps).toHaveLength(4);
    expect([replicas(), reports]).toEqual([before, []]);
  });

  it('a list says how each execution ended, and of a dry run that it was planned', async () => {
    const executions = new RuleExecutionClient({ client: env.client, taskQueue: queue, deadlineMs: 10_000 });
    const [planned, done, gone] = [randomUUID(), randomUUID(), randomUUID()];
    await withWorker([STEPS[0]!], async () => {
      const input = { question: QUESTION, ...CALLER };
      for (const [id, more] of [
        [planned, { dryRun: true }],
        [done, {}],
        [gone, {}],
      ] as const) {
        if (id === gone) manager.fail({ path: '/s6/replicas/n1', times: 1, fault: { status: 409 } });
        await executions.start(id, { ...input, ...more });
        await env.client.workflow.getHandle(`rules/execution/${id}`).result();
      }
    });
    await eventually('the list', async () => {
      const listed = new Map((await executions.list(20)).map(({ id, status }) => [id, status]));
      const found = [planned, done, gone].map((id) => listed.get(id));
      return JSON.stringify(found) === JSON.stringify(['planned', 'done', 'failed']);
    });
  });

  it.each([0, 1, 2, 3])('a failure at step %d takes back the steps before it, in reverse', async (failing) => {
    const before = replicas();
    const path = ['/s6/replicas/n1', '/s4/moves', '/s6/replicas/n3', '/s6/replicas/n1'][failing]!;
    manager.fail({
      path,
      method: failing === 3 ? 'DELETE' : failing === 1 ? 'POST' : 'PUT',
      times: 1,
      fault: { status: 409 },
    });
    const status = await execute(STEPS);
    expect(status.state).toBe(failing === 0 ? 'failed' : 'rolled_back');
    expect(status.steps[failing]).toMatchObject({ status: 'failed', fault: { type: 'ActionFailed' } });
    expect(stepReports('rolled_back')).toEqual([...Array(failing).keys()].reverse());
    expect(replicas()).toEqual(before);
    expect(alerts).toMatchObject([
      { name: 'RuleExecutionFailed', labels: { team: 'storage', execution_id: status.id } },
    ]);
  });

  it('an answer that is lost is asked for again under the same key, and the step is done once', async () => {
    manager.fail({ path: '/s6/replicas/n3', times: 1, fault: 'lost' });
    const status = await execute([STEPS[2]!]);
    expect(status.state).toBe('done');
    expect(manager.requests().byKey).toEqual({ [`${status.id}/0/0`]: 2 });
    expect(replicas()).toMatchObject({ s6: ['n3'] });
  });

  it('a step whose answers are all lost is taken back, since it may have taken effect', async () => {
    const before = replicas();
    manager.fail({ path: '/s6/replicas/n3', method: 'PUT', times: 3, fault: 'lost' });
    const status = await execute([STEPS[2]!]);
    expect(status.state).toBe('failed');
    expect(replicas()).toEqual(before);
  });

  it('a move that fails at the manager is a failed step', async () => {
    manager.cluster.failMoves = 'the disk is full';
    const status = await execute([STEPS[0]!, STEPS[1]!]);
    expect(status.steps[1]?.fault?.message).toContain('the disk is full');
    expect(status.state).toBe('rolled_back');
  });

  it('a state that changed since it was evaluated is evaluated again, and nothing is done on the old one', async () => {
    let reads = 0;
    const over = {
      state: {
        read: async () => {
          reads += 1;
          const document = manager.state();
          // Between the evaluation and the first step, after the check.
          if (reads === 2) manager.cluster.changeNode('n2', { cpu_usage: 71 });
          return { document, source: 'test', guardsVersion: true };
        },
      },
    };
    const status = await execute([STEPS[0]!], {}, over);
    expect(status).toMatchObject({ state: 'done', generation: 1 });
    expect(manager.requests().byKey).toEqual({ [`${status.id}/0/0`]: 1, [`${status.id}/1/0`]: 1 });
    const begun = reports.filter(({ report }) => report === 'begin');
    expect(begun).toHaveLength(2);
    expect(reports.filter(({ report }) => report === 'end')).toMatchObject([{ state: 'cancelled' }, { state: 'done' }]);
    expect(replicas()).toMatchObject({ s6: ['n1'] });
  });

  it('a state that never stays the same ends the execution after some evaluations, with nothing done', async () => {
    const before = replicas();
    const read = async () => {
      manager.cluster.changeNode('n2', { cpu_usage: 71 });
      return { document: manager.state(), source: 'test', guardsVersion: true };
    };
    const status = await execute([STEPS[0]!], {}, { state: { read } });
    expect(status).toMatchObject({ state: 'failed', stopped: { fault: { type: 'RevisionConflict' } } });
    expect(replicas()).toEqual(before);
  });

  it('a stale state is an error, which is recorded, and nothing is done', async () => {
    const read = async () => ({
      document: { ...manager.state(), observed_at: new Date(Date.now() - 60_000).toISOString() },
      source: 'test',
      guardsVersion: true,
    });
    const status = await execute(STEPS, {}, { state: { read } });
    expect(status).toMatchObject({ state: 'failed', steps: [], stopped: { fault: { type: 'FactStale' } } });
    expect(status.stopped?.fault.message).toMatch(/at most 45s old, but it is 1m old/);
    expect(reports).toMatchObject([{ report: 'record', record: { kind: 'ended', domain: 'rules' } }]);
    expect(alerts).toMatchObject([{ name: 'RuleExecutionFailed' }]);
  });

  describe('by triggers', () => {
    let id: string;
    let trigger: JsonObject | undefined;
    let pauses: SchedulePause[];
    let book: ScheduleBook;
    let schedule: ScheduleHandle;

    beforeEach(() => {
      const policyId = randomUUID();
      id = `gate/rules/${queue}/${policyId}`;
      pauses = [];
      book = createTemporalSchedules({ client: env.client, taskQueue: queue, workflowTaskTimeoutMs: 3_000 });
      schedule = env.client.schedule.getHandle(id);
      policies.current = async () => {
        const document = {
          ...{ name: 'given', type: 'placement', actions: { placement: { strategy: 'least_loaded' } } },
          conditions: { metric: 'node.cpu_usage', operator: 'lt', value: 80 },
          ...(trigger === undefined ? {} : { trigger }),
        };
        const set = readPolicies([{ where: { file: 'test' }, document }], shardDomain);
        const pin = { policyId, name: 'given', type: 'placement', revision: 3 };
        return { policies: set.policies, setRevision: 7, pins: new Map([['given', pin]]) };
      };
    });
    afterEach(() => book.put(id, async () => undefined));

    const policies: PolicySource = { current: () => Promise.reject(new Error('no policies')) };
    const reconcile = (over: Partial<ScheduleBook> = {}) =>
      reconcileSchedules({ policies, pauses: async () => pauses, book: { ...book, ...over }, pass: 0 });
    const untilListed = (what: string, isThere: (found: FoundSchedule | undefined) => boolean) =>
      eventually(what, async () => isThere((await book.list()).find((one) => one.id === id)));

    it('a trigger runs its policy in its time zone, and skips a run while the last one is under way', async () => {
      trigger = { cron: '0 6 * * mon-fri', timeZone: 'Europe/Berlin' };
      manager.cluster.moveMs = 60_000;
      await withWorker(
        [STEPS[1]!],
        async () => {
          // Two servers at once, neither of which sees what the other does.
          const both = await Promise.all([reconcile({ list: async () => [] }), reconcile({ list: async () => [] })]);
          expect(both).toMatchObject([{ failures: [] }, { failures: [] }]);
          const made = await schedule.describe();
          expect(made.policies).toEqual({ overlap: 'SKIP', catchupWindow: 3_600_000, pauseOnFailure: false });
          const inBerlin = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', timeStyle: 'short' });
          const times = made.info.nextActionTimes.map((time) => inBerlin.format(time));
          expect([times.length > 0, new Set(times)]).toEqual([true, new Set(['06:00'])]);
          await untilListed('the schedule', (found) => found?.paused === false);
          expect(await reconcile()).toMatchObject({ created: 0, updated: 0, removed: 0, held: [], failures: [] });

          // A week of five runs, all due now.
          await schedule.backfill({ start: new Date('2026-11-02T00:00:00Z'), end: new Date('2026-11-08T00:00:00Z') });
          await eventually('the runs that were skipped', async () => {
            const { info } = await schedule.describe();
            return info.numActionsTaken === 1 && info.numActionsSkippedOverlap === 4;
          });
          await eventually('its execution', () => reports.some(({ report }) => report === 'begin'));
          expect(reports[0]).toMatchObject({
            ...{ report: 'begin', question: { policies: ['given'] }, actor: 'schedule' },
            reason: 'given runs at 0 6 * * mon-fri (Europe/Berlin)',
            workflowId: expect.stringContaining(`${id}-`),
          });
          const [run] = (await schedule.describe()).info.runningActions;
          await call(env.client.workflow.getHandle(run!.workflow.workflowId), 'abort');
          await eventually('its end', () => reports.some(({ report }) => report === 'end'));
        },
        { policies },
      );
    });

    it('the store is the truth: what was paused, changed or deleted is made so, also by hand and after a reconciler died', async () => {
      trigger = { every: '1h' };
      expect(await reconcile()).toMatchObject({ created: 1, failures: [] });
      // It dies after it has read and before it has written; what it should have done, the next one does.
      await untilListed('the schedule', (found) => found !== undefined);
      pauses = [{ actor: 'ann', reason: 'repairs', since: new Date().toISOString() }];
      const died = () => Promise.reject(new Error('killed'));
      expect(await reconcile({ put: died })).toMatchObject({ updated: 0, failures: [`${id}: killed`] });
      expect(await reconcile()).toMatchObject({ updated: 1, failures: [] });
      const note = expect.stringContaining('gate rules list shows by whom');
      expect((await schedule.describe()).state).toMatchObject({ paused: true, note });

      // A pause survives a change of the policy.
      await untilListed('the pause', (found) => found?.paused === true);
      trigger = { every: '2h' };
      expect(await reconcile()).toMatchObject({ updated: 1 });
      const held = await schedule.describe();
      expect([held.state.paused, held.spec.intervals]).toEqual([true, [{ every: 7_200_000 }]]);
      await untilListed('the change', (found) => found?.note === held.state.note);
      pauses = [];
      expect(await reconcile()).toMatchObject({ updated: 1 });
      await untilListed('its end', (found) => found?.paused === false);

      // By hand: another time, which no list shows; deleted; paused.
      await schedule.update((found) => ({ ...found, spec: { intervals: [{ every: '3h' }] } }));
      expect(await reconcile()).toMatchObject({ updated: 1 });
      expect((await schedule.describe()).spec.intervals).toEqual([{ every: 7_200_000 }]);
      expect(await reconcile()).toMatchObject({ updated: 0 });
      await schedule.delete();
      await untilListed('that it is deleted', (found) => found === undefined);
      expect(await reconcile()).toMatchObject({ created: 1 });
      await schedule.pause('stop!');
      await untilListed('the pause by hand', (found) => found?.note === 'stop!');
      expect(await reconcile()).toMatchObject({ updated: 0, held: [id] });

      trigger = undefined;
      expect(await reconcile()).toMatchObject({ removed: 1 });
      await expect(schedule.describe()).rejects.toThrow(ScheduleNotFoundError);
    });

    it('a server that was slow undoes no pause, of the store or by hand, and brings back no deleted schedule', async () => {
      trigger = { every: '1h' };
      expect(await reconcile()).toMatchObject({ created: 1, failures: [] });
      const pinned = await policies.current();
      const stateOf = async () => (await schedule.describe()).state;
      const [unpaused] = wantedSchedules({ ...pinned }, [], book.prefix);
      const [paused] = wantedSchedules(pinned, [{ actor: 'ann', reason: 'repairs', since: '' }], book.prefix);
      // It has read the schedule and the store; before it writes, another server pauses.
      const [other] = wantedSchedules(
        { ...pinned, policies: [{ ...pinned.policies[0]!, trigger: { every: '2h' } }] },
        [],
        book.prefix,
      );
      let asked = 0;
      const after: boolean[] = [];
      await book.put(id, async () => {
        asked += 1;
        if (asked > 2) {
          after.push((await stateOf()).paused);
          return paused;
        }
        if (asked === 2) await book.put(id, async () => paused);
        return other;
      });
      expect(after).toEqual([true]);
      expect(await stateOf()).toMatchObject({ paused: true, note: paused!.note });
      expect((await schedule.describe()).spec.intervals).toEqual([{ every: 3_600_000 }]);

      // A person pauses it, and the list that the pass began with does not show that yet.
      await book.put(id, async () => unpaused);
      await schedule.pause('stop!');
      await book.put(id, async () => unpaused);
      expect(await stateOf()).toMatchObject({ paused: true, note: 'stop!' });

      // It creates the schedule of a policy that was deleted meanwhile.
      await schedule.delete();
      asked = 0;
      await book.put(id, async () => (asked++ === 0 ? unpaused : undefined));
      await expect(schedule.describe()).rejects.toThrow(ScheduleNotFoundError);
    });

    it.each<JsonObject>([
      { cron: '*/15 * * * *' },
      { cron: '0,50 6-20/2 * * mon-fri', timeZone: 'Europe/Berlin' },
      { cron: '5/20 0 29 feb *', timeZone: 'UTC' },
      { cron: '0 6 13 JAN-mar 0' },
      { every: '90s' },
    ])('Temporal answers %j as it was written', async (written) => {
      trigger = written;
      await reconcile();
      const [wanted] = wantedSchedules(await policies.current(), pauses, book.prefix);
      expect(await book.isKept(wanted!)).toBe(true);
      for (const other of [
        { every: '91s' },
        { cron: '5 0 * * *' },
        { cron: '0 6 13 JAN-mar 0', timeZone: 'Asia/Tokyo' },
      ]) {
        expect(await book.isKept({ ...wanted!, trigger: other })).toBe(false);
      }
    });

    it('Temporal may be away at the start: the next attempt finds it', async () => {
      const server = createServer((socket) => {
        const [host, port] = env.server.address.split(':');
        const upstream = connectTo(Number(port), host);
        socket.on('error', () => upstream.destroy()).pipe(upstream);
        upstream.on('error', () => socket.destroy()).pipe(socket);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      await new Promise((resolve) => server.close(resolve));
      const place = { file: 'test' };
      const settings = parseSettings({ temporal: { address: `127.0.0.1:${port}`, taskQueue: queue } }, place, '/');
      const late = openSchedulesLate({ settings, baseDir: '/' }, {}, 500);
      await expect(late.book()).rejects.toThrow('cannot be reached: the connection was refused');
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
      try {
        expect(await (await late.book()).list()).toEqual([]);
        const hasty = openSchedulesLate({ settings, baseDir: '/' }, {});
        const asked = hasty.book();
        await Promise.all([hasty.close(), expect(asked).rejects.toThrow('were closed')]);
      } finally {
        await late.close();
        server.close();
      }
    });
  });

  it('an abort calls off the move under way and takes back what was done', async () => {
    const before = replicas();
    manager.cluster.moveMs = 60_000;
    await withWorker([STEPS[0]!, STEPS[1]!], async () => {
      const handle = await start();
      await eventually('the move', () => manager.requests().calls.some((one) => one.startsWith('GET /v1/operations')));
      await expect(call(handle, 'abort')).resolves.toMatchObject({ accepted: true });
      const status = await handle.result();
      expect(status).toMatchObject({ state: 'rolled_back', stopped: { by: 'abort' } });
    });
    expect(replicas()).toEqual(before);
    expect(manager.state().moves).toEqual([]);
    expect(reports.filter(({ report }) => report === 'record')).toMatchObject([
      { record: { kind: 'abort', actor: 'bob' } },
    ]);
  });

  it('a cancellation in Temporal takes back what was done', async () => {
    const before = replicas();
    manager.cluster.moveMs = 60_000;
    await withWorker([STEPS[0]!, STEPS[1]!], async () => {
      const handle = await start();
      await eventually('the move', () => manager.requests().calls.some((one) => one.startsWith('GET /v1/operations')));
      await handle.cancel();
      await expect(handle.result()).rejects.toThrow('cancelled');
      expect(await statusOf(handle)).toMatchObject({ state: 'rolled_back', stopped: { by: 'cancellation' } });
    });
    expect(replicas()).toEqual(before);
  });

  it('a rollback that fails is alerted, tried again, and ends the alert when it succeeds', async () => {
    const before = replicas();
    manager.fail({ path: '/s4/moves', fault: { status: 409 }, times: 1 });
    manager.fail({ path: '/s6/replicas/n1', method: 'DELETE', fault: { status: 503 } });
    const status = await withWorker([STEPS[0]!, STEPS[1]!], async () => {
      const handle = await start();
      await eventually('an alert', () => alerts.length > 0);
      expect(await statusOf(handle)).toMatchObject({ state: 'rolling_back', pause: { reason: 'ActionFailed' } });
      manager.heal();
      return handle.result();
    });
    expect(status.state).toBe('rolled_back');
    expect(replicas()).toEqual(before);
    const told = alerts.map((alert) => `${alert.status} ${alert.name}`);
    expect(told).toEqual(['firing RuleExecutionPaused', 'resolved RuleExecutionPaused', 'firing RuleExecutionFailed']);
    const kinds = reports.flatMap((report) => (report.report === 'record' ? [report.record.kind] : []));
    expect(kinds).toEqual(['pause', 'resolved']);
  });

  it('a step that cannot be taken back is left as it is on request, and the ones before it are taken back', async () => {
    manager.fail({ path: '/s4/moves', fault: { status: 409 }, times: 1 });
    manager.fail({ path: '/s6/replicas/n3', method: 'DELETE', fault: { status: 409 } });
    const status = await withWorker([STEPS[0]!, STEPS[2]!, STEPS[1]!], async () => {
      const handle = await start();
      const { pause } = await eventually('a pause', async () => {
        const found = await statusOf(handle);
        return found.pause && found;
      });
      await expect(call(handle, 'resume', { for: 'another' })).rejects.toThrow();
      await expect(call(handle, 'resume', { for: pause!.id })).resolves.toMatchObject({ accepted: true });
      await eventually('another call of its own', () =>
        Object.keys(manager.requests().byKey).some((key) => key.endsWith('/undo/1')),
      );
      await eventually('the abort', async () => call(handle, 'abort').then(() => true));
      return handle.result();
    });
    expect(status).toMatchObject({ state: 'rollback_failed' });
    expect(status.steps.map((one) => one.status)).toEqual(['rolled_back', 'rollback_failed', 'failed']);
    expect(replicas()).toMatchObject({ s6: ['n3'], s4: ['n4'] });
  });

  it('an outage of the journal holds up the next step, and the execution goes on by itself', async () => {
    let isDown = false;
    const journal = {
      write: async (report: ExecutionReport) => {
        if (isDown) throw new GateError(FailureType.AuditWriteFailed, 'the store is down');
        reports.push(report);
        if (report.report === 'step' && report.index === 0 && report.status === 'done') isDown = true;
      },
    };
    const status = await withWorker(
      [STEPS[0]!, STEPS[2]!],
      async () => {
        const handle = await start();
        await eventually('an alert', () => alerts.length > 0);
        expect(replicas()).toMatchObject({ s6: ['n1'] });
        isDown = false;
        return handle.result();
      },
      { journal },
    );
    expect(status.state).toBe('done');
    expect(alerts.map((alert) => alert.status)).toEqual(['firing', 'resolved']);
  });

  it('signals that cannot be read are noted, and the execution continues', async () => {
    manager.cluster.moveMs = 500;
    await withWorker([STEPS[1]!], async () => {
      const handle = await start();
      await handle.signal('abort', 'nonsense');
      await handle.signal('unknown', { any: 'thing' });
      expect(await handle.result()).toMatchObject({ state: 'done' });
    });
  });

  it('a long execution continues as new, and neither loses nor repeats a step', async () => {
    const steps = ['n1', 'n2', 'n3', 'n4'].flatMap((to) => [
      step('add', { shard: 's6', to }),
      ...(to === 'n1' ? [] : [step('remove', { shard: 's6', from: to })]),
    ]);
    const defaults = { ...ruleParts({ managerUrl: '', steps }).defaults, historyLimit: 40 };
    await withWorker(
      steps,
      async () => {
        const handle = await start();
        expect(await handle.result()).toMatchObject({ state: 'done' });
        const { runId } = await env.client.workflow.getHandle(handle.workflowId).describe();
        expect(runId).not.toBe(handle.firstExecutionRunId);
      },
      { defaults },
    );
    expect(replicas()).toMatchObject({ s6: ['n1'] });
    expect(Object.values(manager.requests().byKey)).toEqual(steps.map(() => 1));
  });

  describe('with a worker that is killed', () => {
    let folder: string;
    let codePath: string;
    let child: NodeChild | undefined;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'rule-worker-'));
      codePath = join(folder, 'workflows.js');
      const { code } = await keptBundle(bundleOptions(false));
      writeFileSync(codePath, code);
    });
    afterEach(() => child?.kill());
    afterAll(() => rm(folder, { recursive: true, force: true }));

    const startChild = (steps: readonly DomainStep[]): Promise<NodeChild> => {
      const support = join(__dirname, '..', 'support');
      const options = {
        address: env.server.address,
        taskQueue: queue,
        codePath,
        managerUrl: manager.url,
        steps,
        journalFile: join(folder, `${queue}.jsonl`),
      };
      return startNodeChild('-r', {
        args: [join(support, 'ts-require.cjs'), join(support, 'rule-worker.ts'), JSON.stringify(options)],
        logFile: join(folder, 'worker.log'),
      });
    };
    const journal = (): ExecutionReport[] =>
      readFileSync(join(folder, `${queue}.jsonl`), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as ExecutionReport);
    /** Kills the worker each time that a call has taken effect, before it is answered, and starts another. */
    const killAtEachChange = (steps: readonly DomainStep[]): { kills: string[] } => {
      const kills: string[] = [];
      onChange = (key) => {
        if (kills.includes(key)) return;
        kills.push(key);
        void child?.kill().then(async () => (child = await startChild(steps)));
      };
      return { kills };
    };

    it('every step and its rollback take effect once, although the worker dies after each of them', async () => {
      const before = replicas();
      manager.fail({ path: '/s6/replicas/n1', method: 'DELETE', times: 1, fault: { status: 409 } });
      child = await startChild(STEPS);
      const { kills } = killAtEachChange(STEPS);
      const handle = await start();
      expect(await handle.result()).toMatchObject({ state: 'rolled_back' });
      const isUndo = (key: string): boolean => key.includes('/undo/');
      expect(kills.filter((key) => !isUndo(key))).toHaveLength(3);
      expect(kills.filter(isUndo)).toHaveLength(3);
      expect(replicas()).toEqual(before);
      expect(journal().filter(({ report }) => report === 'begin')).toHaveLength(1);
    });
  });
});
