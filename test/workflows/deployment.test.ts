import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { createAnswerInTime } from '../../src/activities/answer-in-time';
import { DeploymentClient, type CallResult } from '../../src/clients/deployment-client';
import type { AuditRecord } from '../../src/audit/audit-record';
import type { DeploymentSpec, StageSpec } from '../../src/gate/deployments/deployment-spec';
import type { DeploymentStatus } from '../../src/gate/deployments/deployment-state';
import type { Fault } from '../../src/kernel/failures';
import { workflowIdOf } from '../../src/kernel/names';
import { resumeSignal } from '../../src/workflows/messages';
import { FakeGateActivities, RELEASE } from '../fakes/fake-gate-activities';
import { eventually, startTemporalEnv, type RunningWorker, type TemporalEnv } from '../support/temporal-env';
import { watchedDeployment } from '../support/watched-deployment';

const STALE: Fault = {
  type: 'FactStale',
  message: 'Expected max_pending to be at most 45000 ms old, got 60000 ms',
  factId: 'max_pending',
  ageMs: 60_000,
  maxAgeMs: 45_000,
};
const OPERATOR = { actor: 'ann', reason: 'checked by hand' };
const http = { type: 'http', method: 'PATCH', url: 'http://127.0.0.1:2/devices' } as const;

describe('the deployment workflow', () => {
  let env: TemporalEnv;
  let gate: FakeGateActivities;
  let worker: RunningWorker | undefined;
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
    deployments = new DeploymentClient({ client: env.client, taskQueue: queue, deadlineMs: 300_000 });
  });

  const spec = (...stages: StageSpec[]): DeploymentSpec => ({
    id,
    attributes: { risk: 'low' },
    stages: stages.length > 0 ? stages : [{ name: 'canary' }],
  });
  const { handle, status, reaches, closed } = watchedDeployment(() => ({ client: env.client, id }));
  const ended = async (): Promise<DeploymentStatus> => {
    await closed();
    const found = await deployments.status(id);
    if (found.found !== 'status') throw new Error('no status');
    return found.status;
  };
  const running = async (use: () => Promise<void>): Promise<void> => {
    worker = await env.startWorker(queue, gate.activities());
    try {
      await use();
    } finally {
      await worker.stop();
    }
  };
  const replyOf = (result: CallResult) => {
    if (result.result !== 'answered') throw new Error(`Expected an answer, got ${JSON.stringify(result)}`);
    return result.reply;
  };
  const resume = async () => deployments.call(id, 'resume', { ...OPERATOR, for: (await status()).pause?.id });

  describe('deciding', () => {
    it('a deployment passes an allowed stage and records its decision', () =>
      running(async () => {
        await deployments.start(spec());
        expect(await ended()).toMatchObject({
          state: 'done',
          stages: [{ name: 'canary', state: 'done', outcome: 'allow' }],
        });
        expect(gate.kinds()).toEqual(['decision:allow', 'ended']);
        const [record] = gate.records.values();
        expect(record).toMatchObject({
          deploymentID: id,
          stage: 'canary',
          policySHA: RELEASE.policySha,
          manifestVersion: 'v1',
          workflowID: workflowIdOf(id),
          deployment: { id, stage: 'canary', stage_index: 0, attributes: { risk: 'low' }, stage_attributes: {} },
        });
      }));

    it('a deployment costs at most 18 history events for a stage without an action, its end included', () =>
      running(async () => {
        await deployments.start(spec());
        await ended();
        const { events } = await handle().fetchHistory();
        expect(events?.length).toBeLessThanOrEqual(18);
      }));

    it('a deployment decides every stage in its turn', () =>
      running(async () => {
        await deployments.start(spec({ name: 'canary' }, { name: 'half' }, { name: 'fleet' }));
        expect((await ended()).stages.map((stage) => `${stage.name} ${stage.state}`)).toEqual([
          'canary done',
          'half done',
          'fleet done',
        ]);
        expect(gate.collected.map(({ target }) => target.stageIndex)).toEqual([0, 1, 2]);
      }));

    it('a deployment fails the workflow with DeploymentDenied when a stage is denied', () =>
      running(async () => {
        gate.verdict = { outcome: 'deny', reasons: ['max_pending limit exceeded: current 3100 > configured 2000'] };
        await deployments.start(spec({ name: 'canary', action: http }));
        expect(await ended()).toMatchObject({
          state: 'denied',
          endReason: 'max_pending limit exceeded: current 3100 > configured 2000',
        });
        await expect(handle().result()).rejects.toMatchObject({ cause: { type: 'DeploymentDenied' } });
        expect(gate.actions).toHaveLength(0);
      }));

    it('a deployment waits on a denial, asks again, and continues when it is allowed', () =>
      running(async () => {
        gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
        await deployments.start(spec({ name: 'canary', onDeny: 'wait' }));
        await reaches('waiting');
        gate.verdict = { outcome: 'allow' };
        expect(await ended()).toMatchObject({ state: 'done' });
        expect(gate.kinds()).toEqual(['decision:deny', 'recheck', 'decision:allow', 'ended']);
      }));

    it('a deployment gives up a denial after giveUpAfter', () =>
      running(async () => {
        gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
        await deployments.start(spec({ name: 'canary', onDeny: 'wait', recheckEvery: '10m', giveUpAfter: '200ms' }));
        expect(await ended()).toMatchObject({ state: 'denied', endReason: 'too many: 3' });
      }));

    it.each([
      [{ outcome: 'deny', reasons: ['too many: 3'] } as const, 'deny'],
      [{ outcome: 'error', faults: [STALE] } as const, 'error'],
    ])('a deployment in observe mode records %j and acts all the same', (verdict, outcome) =>
      running(async () => {
        gate.verdict = structuredClone(verdict) as unknown as typeof gate.verdict;
        await deployments.start(spec({ name: 'canary', mode: 'observe', action: http }));
        expect(await ended()).toMatchObject({ state: 'done' });
        expect(gate.kinds()).toEqual([`decision:${outcome}`, 'acted', 'ended']);
        expect(gate.actions).toEqual([expect.not.objectContaining({ lease: expect.anything() })]);
        expect(gate.alerts).toEqual([]);
      }),
    );

    it('a deployment decides on one worker when the evaluating worker holds another release', () =>
      running(async () => {
        gate.evaluationFailures = ['ReleaseChanged'];
        await deployments.start(spec());
        expect(await ended()).toMatchObject({ state: 'done' });
        expect(gate.decidedOnOneWorker).toHaveLength(1);
        expect(gate.kinds()).toEqual(['decision:allow', 'ended']);
      }));

    it('a deployment asks for the defaults through the server when a busy worker does not answer within the workflow task', () =>
      running(async () => {
        gate.defaultsFailures = 3;
        await deployments.start(spec());
        expect(await ended()).toMatchObject({ state: 'done' });
        expect(gate.defaultsFailures).toBe(0);
      }));

    it('a deployment records an evaluation that failed as an error and pauses', () =>
      running(async () => {
        gate.evaluationFailures = ['PolicyUnavailable', 'PolicyUnavailable'];
        await deployments.start(spec());
        const paused = await reaches('paused');
        expect(paused.pause?.reason).toBe('PolicyUnavailable');
        await eventually('the record of the pause', () => gate.kinds().includes('pause'));
        expect(gate.kinds().slice(0, 2)).toEqual(['decision:error', 'pause']);
      }));
  });

  describe('a pause', () => {
    beforeEach(() => {
      gate.verdict = { outcome: 'error', faults: [STALE] };
    });

    it('a pause is recorded and alerted once, and does not act', () =>
      running(async () => {
        await deployments.start(spec({ name: 'canary', action: http }));
        const { pause } = await reaches('paused');
        await eventually('three looks', () => gate.looks.length >= 3);
        expect(gate.kinds()).toEqual(['decision:error', 'pause']);
        expect(gate.alerts).toEqual([
          expect.objectContaining({ status: 'firing', fingerprint: pause?.id, pauseReason: 'FactStale', reminder: 0 }),
        ]);
        expect(gate.actions).toHaveLength(0);
      }));

    it('a pause says when the facts have recovered, and waits for the operator', () =>
      running(async () => {
        await deployments.start(spec());
        await reaches('paused');
        gate.verdict = { outcome: 'allow' };
        const recovered = await eventually('recovery', async () => {
          const now = await status();
          return now.pause?.recovered === true && now;
        });
        expect(recovered.state).toBe('paused');
        expect((await deployments.explain(id))?.summary).toContain('the facts have recovered');
        expect(replyOf(await resume())).toMatchObject({ accepted: true, kind: 'resume' });
        expect(await ended()).toMatchObject({ state: 'done' });
        const acts = [...gate.records.values()].filter(({ kind }) => !['decision', 'recheck', 'ended'].includes(kind));
        expect(acts.map(({ kind, actor }) => [kind, actor])).toEqual([
          ['pause', 'gate'],
          ['resume', 'ann'],
          ['resolved', 'gate'],
        ]);
        expect(gate.alerts.map(({ status: state }) => state)).toEqual(['firing', 'resolved']);
      }));

    it('a pause continues by itself with autoResume when everything is fresh again', () =>
      running(async () => {
        await deployments.start(spec({ name: 'canary', autoResume: true }));
        await reaches('paused');
        gate.verdict = { outcome: 'allow' };
        expect(await ended()).toMatchObject({ state: 'done' });
        expect(gate.alerts.map(({ status: state }) => state)).toEqual(['firing', 'resolved']);
      }));

    it('a pause stays when resumed while the facts still fail', () =>
      running(async () => {
        await deployments.start(spec({ name: 'canary', recheckEvery: '10m' }));
        const before = await reaches('paused');
        expect(replyOf(await resume())).toMatchObject({
          accepted: true,
          state: 'paused',
          message: expect.stringContaining('60000 ms'),
        });
        expect((await status()).pause?.id).toBe(before.pause?.id);
        expect(gate.collected.at(-1)).toMatchObject({ bypassCache: true });
      }));

    it('a pause sends reminders at growing intervals', () =>
      running(async () => {
        gate.stages = { ...gate.stages, remindAfter: '100ms', recheckEvery: '10m' };
        await deployments.start(spec());
        await eventually('two reminders', () => gate.alerts.length >= 3);
        expect(gate.alerts.map(({ reminder }) => reminder).slice(0, 3)).toEqual([0, 1, 2]);
        expect(new Set(gate.alerts.map(({ fingerprint }) => fingerprint)).size).toBe(1);
      }));

    it('a pause is entered although the alert receiver is down', () =>
      running(async () => {
        gate.alertsDown = true;
        await deployments.start(spec());
        await reaches('paused');
        gate.verdict = { outcome: 'allow' };
        await eventually('recovery', async () => (await status()).pause?.recovered === true);
        await resume();
        expect(await ended()).toMatchObject({ state: 'done' });
      }));

    it('a pause rolls over between stages as well when the history is long', () =>
      running(async () => {
        gate.verdict = { outcome: 'allow' };
        const stages = ['a', 'b', 'c', 'd'].map((name) => ({ name }));
        const workflowId = workflowIdOf(id);
        const args = [{ spec: spec(...stages), historyLimit: 25 }];
        await env.client.workflow.start('deployment', {
          workflowId,
          taskQueue: queue,
          args,
          memo: { spec: spec(...stages) },
        });
        expect((await ended()).stages.map((stage) => `${stage.name} ${stage.state}`)).toEqual([
          'a done',
          'b done',
          'c done',
          'd done',
        ]);
        expect(gate.kinds()).toEqual([
          ...['decision:allow', 'decision:allow', 'decision:allow', 'decision:allow'],
          'ended',
        ]);
      }));

    it('a pause survives continue-as-new, and an update that was handled is not carried out again', () =>
      running(async () => {
        await env.client.workflow.start('deployment', {
          workflowId: workflowIdOf(id),
          taskQueue: queue,
          args: [{ spec: spec(), historyLimit: 40 }],
          memo: { spec: spec() },
        });
        const first = await reaches('paused');
        const call = { ...OPERATOR, for: first.pause?.id };
        await deployments.call(id, 'resume', call, 'same-id');
        const runId = (await handle().describe()).runId;
        await eventually('a new run', async () => (await handle().describe()).runId !== runId);
        expect((await status()).pause?.id).toBe(first.pause?.id);
        const asked = gate.records.size;
        expect(replyOf(await deployments.call(id, 'resume', call, 'same-id'))).toMatchObject({
          kind: 'resume',
          accepted: true,
        });
        expect([...gate.records.values()].filter(({ kind }) => kind === 'resume')).toHaveLength(1);
        expect(asked).toBeGreaterThan(0);
        gate.verdict = { outcome: 'allow' };
        await eventually('recovery', async () => (await status()).pause?.recovered === true);
        await resume();
        expect(await ended()).toMatchObject({ state: 'done' });
      }));
  });

  it('a call is carried out while a long history waits for a receiver that hangs', () =>
    running(async () => {
      let answer: (() => void) | undefined;
      const answered = new Promise<void>((resolve) => (answer = resolve));
      gate.alertGate = () => answered;
      gate.verdict = { outcome: 'error', faults: [STALE] };
      await env.client.workflow.start('deployment', {
        workflowId: workflowIdOf(id),
        taskQueue: queue,
        args: [{ spec: spec(), historyLimit: 10 }],
        memo: { spec: spec() },
      });
      try {
        const { pause } = await reaches('paused');
        expect(replyOf(await deployments.call(id, 'abort', { ...OPERATOR, for: pause?.id }))).toMatchObject({
          accepted: true,
        });
      } finally {
        answer!();
      }
      expect(await ended()).toMatchObject({ state: 'aborted' });
    }));

  describe('operators', () => {
    it('operators override a denial; the override is recorded and holds for the action', () =>
      running(async () => {
        gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
        await deployments.start(spec({ name: 'canary', onDeny: 'wait', recheckEvery: '10m', action: http }));
        const { lastDecision } = await reaches('waiting');
        const reply = replyOf(await deployments.call(id, 'override', { ...OPERATOR, for: lastDecision?.decisionId }));
        expect(reply).toMatchObject({ accepted: true });
        expect(await ended()).toMatchObject({ state: 'done', stages: [{ overridden: true }] });
        const record = [...gate.records.values()].find(({ kind }) => kind === 'override');
        expect(record).toMatchObject({
          outcome: 'allow',
          actor: 'ann',
          reason: 'checked by hand',
          refersTo: lastDecision?.decisionId,
        });
        expect(gate.actions[0]?.lease).toMatchObject({
          decisionId: lastDecision?.decisionId,
          expiresAtMs: expect.any(Number),
        });
        expect(gate.actions[0]?.lease?.release).toBeUndefined();
      }));

    it('operators abort a waiting deployment; it fails with DeploymentAborted', () =>
      running(async () => {
        gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
        await deployments.start(spec({ name: 'canary', onDeny: 'wait', recheckEvery: '10m' }));
        await reaches('waiting');
        expect(replyOf(await deployments.call(id, 'abort', OPERATOR))).toMatchObject({
          accepted: true,
          state: 'aborted',
        });
        expect(await ended()).toMatchObject({ state: 'aborted', endReason: 'aborted by ann: checked by hand' });
        await expect(handle().result()).rejects.toMatchObject({ cause: { type: 'DeploymentAborted' } });
      }));

    it('operators abort an action in progress, which is then compensated; earlier stages stay', () =>
      running(async () => {
        gate.actionGate = async (cancelled) => {
          await cancelled;
        };
        const compensated = { ...http, compensation: { method: 'DELETE', url: 'http://127.0.0.1:2/devices' } } as const;
        await deployments.start(spec({ name: 'first' }, { name: 'second', action: compensated }));
        await reaches('acting');
        expect(replyOf(await deployments.call(id, 'abort', OPERATOR))).toMatchObject({ accepted: true });
        expect(await ended()).toMatchObject({
          state: 'aborted',
          stages: [
            { name: 'first', state: 'done' },
            { name: 'second', state: 'aborted' },
          ],
        });
        expect(gate.compensations).toEqual([`${id}/second`]);
        expect(gate.kinds()).toEqual(['decision:allow', 'decision:allow', 'abort', 'acted', 'ended']);
        expect([...gate.records.values()].at(-2)?.details).toMatchObject({ result: 'aborted', compensation: 'due' });
        expect([...gate.records.values()].at(-1)).toMatchObject({
          actor: 'ann',
          reason: 'aborted by ann: checked by hand (compensated)',
          details: { end: 'aborted', stages: { first: 'done', second: 'aborted' } },
        });
      }));

    it.each([
      ['resume', { ...OPERATOR, for: 'pause-of-another-time' }, /not paused|meant for pause/],
      ['override', { ...OPERATOR, for: 'an-older-decision' }, /the newest is/],
      ['abort', { ...OPERATOR, for: 'something-else' }, /meant for something-else/],
      ['abort', { actor: '', reason: 'x' }, /actor/],
      ['resume', { actor: 'ann' }, /reason/],
    ] as const)('operators are refused %s %j with the state found', (kind, call, message) =>
      running(async () => {
        gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
        await deployments.start(spec({ name: 'canary', onDeny: 'wait', recheckEvery: '10m' }));
        await reaches('waiting');
        const answer = await deployments.call(id, kind, call as never);
        expect(answer).toEqual({ result: 'refused', message: expect.stringMatching(message) });
        expect((await status()).state).toBe('waiting');
      }),
    );

    it('operators resume by the signal of the Temporal UI', () =>
      running(async () => {
        gate.verdict = { outcome: 'error', faults: [STALE] };
        await deployments.start(spec({ name: 'canary', recheckEvery: '10m' }));
        const { pause } = await reaches('paused');
        gate.verdict = { outcome: 'allow' };
        await handle().signal(resumeSignal, { ...OPERATOR, for: pause?.id });
        expect(await ended()).toMatchObject({ state: 'done' });
      }));

    it.each([[undefined], ['nonsense'], [{ actor: 'ann', reason: 'x' }], [{ ...OPERATOR, for: 'another-pause' }]])(
      'operators are told in the details why the signal %j changed nothing',
      (call) =>
        running(async () => {
          gate.verdict = { outcome: 'error', faults: [STALE] };
          await deployments.start(spec({ name: 'canary', recheckEvery: '10m' }));
          await reaches('paused');
          await handle().signal(resumeSignal, call);
          const explanation = await eventually('a note', async () => {
            const found = await deployments.explain(id);
            return found !== undefined && found.notes.length > 0 && found;
          });
          expect(explanation.notes[0]).toContain('Signal resume not accepted');
          expect(explanation.state).toBe('paused');
        }),
    );

    it('operators are told that nothing can be done after the end', () =>
      running(async () => {
        await deployments.start(spec());
        await ended();
        expect(await deployments.call(id, 'abort', OPERATOR)).toEqual({
          result: 'refused',
          message: `Cannot abort: deployment ${id} is done at stage canary`,
          hasEnded: true,
        });
        expect(await deployments.call(`${id}-unknown`, 'abort', OPERATOR)).toEqual({
          result: 'refused',
          message: `Cannot abort: deployment ${id}-unknown is unknown`,
          hasEnded: true,
        });
      }));
  });

  describe('the audit store', () => {
    it('the audit store is awaited: while it is down the deployment is paused, nothing acts, and it continues by itself', () =>
      running(async () => {
        gate.storeDown = true;
        await deployments.start(spec({ name: 'canary', action: http }));
        const paused = await reaches('paused');
        expect(paused.pause?.reason).toBe('AuditWriteFailed');
        await eventually('an alert', () => gate.alerts.length > 0);
        expect(gate.actions).toHaveLength(0);
        gate.storeDown = false;
        expect(await ended()).toMatchObject({ state: 'done' });
        expect(gate.kinds()).toEqual(['decision:allow', 'pause', 'resolved', 'acted', 'ended']);
        expect(gate.actions).toHaveLength(1);
        expect(gate.alerts.map(({ status: state }) => state)).toEqual(['firing', 'resolved']);
      }));

    it('the audit store that is slow to refuse is named with its reason, also when the last attempt is out of time', async () => {
      // As DynamoDB's client, which tries again for a second and a half before it gives up: the second attempt is cut off.
      const inTime = createAnswerInTime();
      const throttling = async (): Promise<never> => {
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        throw ApplicationFailure.retryable('Cannot record: DynamoDB throttles', 'AuditWriteFailed');
      };
      const recordDecision = (record: AuditRecord) => inTime(record.decisionID, throttling);
      await env.withWorker(queue, { ...gate.activities(), recordDecision }, async () => {
        await deployments.start(spec());
        const { pause } = await reaches('paused');
        expect(pause?.faults).toMatchObject([
          { type: 'AuditWriteFailed', message: expect.stringContaining('DynamoDB throttles') },
        ]);
        await handle().terminate();
      });
    });

    it('the audit store that never answers is named as such', async () => {
      const inTime = createAnswerInTime();
      let release: (() => void) | undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      const recordDecision = (record: AuditRecord) => inTime(record.decisionID, () => held.then(() => record));
      await env.withWorker(queue, { ...gate.activities(), recordDecision }, async () => {
        try {
          await deployments.start(spec());
          const { pause } = await reaches('paused');
          expect(pause?.faults[0]?.message).toBe('Expected the store to answer in time, got no answer');
          await handle().terminate();
        } finally {
          release!();
        }
      });
    });

    it('the audit store that goes down during a wait holds up an operator’s act, tells everyone, and lets it continue', () =>
      running(async () => {
        gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
        await deployments.start(spec({ name: 'canary', onDeny: 'wait', recheckEvery: '10m' }));
        await reaches('waiting');
        gate.storeDown = true;
        const abort = deployments.call(id, 'abort', OPERATOR);
        expect((await reaches('paused')).pause?.reason).toBe('AuditWriteFailed');
        gate.storeDown = false;
        expect(replyOf(await abort)).toMatchObject({ accepted: true, state: 'aborted' });
        expect(await ended()).toMatchObject({ state: 'aborted' });
        expect(gate.kinds().sort()).toEqual(['abort', 'decision:deny', 'ended', 'pause', 'resolved']);
      }));

    it('the audit store that holds a record under the id has it adopted', () =>
      running(async () => {
        const activities = gate.activities();
        const first = gate.activities().recordDecision;
        const adopting = await env.startWorker(`${queue}-adopt`, {
          ...activities,
          recordDecision: async (record: AuditRecord) =>
            first({ ...record, outcome: 'deny', reasons: ['decided before the crash: x'] }),
        });
        try {
          const other = new DeploymentClient({ client: env.client, taskQueue: `${queue}-adopt`, deadlineMs: 300_000 });
          await other.start(spec({ name: 'canary', action: http }));
          expect(await ended()).toMatchObject({ state: 'denied', endReason: 'decided before the crash: x' });
          expect(gate.actions).toHaveLength(0);
        } finally {
          await adopting.stop();
        }
      }));
  });

  describe('an action', () => {
    it('an action gets the same idempotency key on every attempt, and its lease only until a request may have been sent', () =>
      running(async () => {
        gate.actionFailures = [{ mayHaveBeenSent: false }, { mayHaveBeenSent: true }];
        await deployments.start(spec({ name: 'canary', action: http }));
        expect(await ended()).toMatchObject({ state: 'done' });
        expect(gate.actions.map(({ idempotencyKey }) => idempotencyKey)).toEqual([
          `${id}/canary`,
          `${id}/canary`,
          `${id}/canary`,
        ]);
        expect(gate.actions.map(({ lease }) => lease !== undefined)).toEqual([true, true, false]);
      }));

    it('an action whose lease lapsed is decided again, past the cache and under the release found', () =>
      running(async () => {
        gate.lapses = 2;
        await deployments.start(spec({ name: 'canary', action: http }));
        expect(await ended()).toMatchObject({ state: 'done' });
        expect(gate.collected).toHaveLength(3);
        expect(gate.collected[1]).toMatchObject({ bypassCache: true, release: RELEASE });
      }));

    it('an action whose lease lapsed three times in a row pauses the stage, naming the max age and the delay', () =>
      running(async () => {
        gate.lapses = 3;
        await deployments.start(spec({ name: 'canary', action: http, recheckEvery: '10m' }));
        const { pause } = await reaches('paused');
        expect(pause?.reason).toBe('LeaseLapsed');
        expect(pause?.faults[0]?.message).toMatch(/45000 ms \(max_pending\).*1234 ms/);
        expect(replyOf(await resume())).toMatchObject({ accepted: true });
        expect(await ended()).toMatchObject({ state: 'done' });
      }));

    it('an action whose lease cannot be confirmed is tried again under the same lease', () =>
      running(async () => {
        gate.unconfirmed = 2;
        await deployments.start(spec({ name: 'canary', action: http }));
        expect(await ended()).toMatchObject({ state: 'done' });
        expect(gate.actions.map(({ lease }) => lease !== undefined)).toEqual([true, true, true]);
        expect(gate.collected).toHaveLength(1);
      }));

    it('an action whose lease cannot be confirmed at the last attempt pauses the stage, and is never sent', () =>
      running(async () => {
        gate.unconfirmed = 3;
        await deployments.start(spec({ name: 'canary', action: http, recheckEvery: '10m' }));
        const { pause } = await reaches('paused');
        expect(pause?.faults).toEqual([{ type: 'PolicyUnavailable', message: 'the manifest cannot be read' }]);
        expect(gate.actions).toHaveLength(3);
        expect(gate.compensations).toEqual([]);
        expect(replyOf(await resume())).toMatchObject({ accepted: true });
        expect(await ended()).toMatchObject({ state: 'done' });
        expect(gate.actions).toHaveLength(4);
      }));

    it.each([
      ['may have been sent', true, 1],
      ['was certainly not sent', false, 0],
    ])('an action that fails for good and %s is compensated accordingly', (_what, mayHaveBeenSent, compensations) =>
      running(async () => {
        gate.actionFailures = [{ mayHaveBeenSent, nonRetryable: true }];
        const compensation = { method: 'DELETE', url: 'http://127.0.0.1:2/devices' } as const;
        await deployments.start(spec({ name: 'canary', action: { ...http, compensation } }));
        expect(await ended()).toMatchObject({
          state: 'failed',
          endReason: expect.stringContaining('the receiver said 500'),
        });
        await expect(handle().result()).rejects.toMatchObject({ cause: { type: 'ActionFailed' } });
        expect(gate.compensations).toHaveLength(compensations);
        expect((await ended()).stages).toEqual([expect.objectContaining({ name: 'canary', state: 'failed' })]);
        expect(gate.kinds()).toEqual(['decision:allow', 'acted', 'ended']);
        const [, acted, end] = [...gate.records.values()];
        const compensated = compensations > 0 ? 'due' : 'none';
        expect(acted?.details).toMatchObject({ result: 'failed', attempts: 1, compensation: compensated });
        expect(end?.details).toEqual({ end: 'failed', stages: { canary: 'failed' } });
      }),
    );

    it.each([
      ['is tried again', {}, 2, 'done'],
      ['is the last where its receiver does not honour the key', { retryOnTimeout: false }, 1, 'failed'],
    ] as const)('an action whose worker gave no answer %s', (_what, over, attempts, state) =>
      running(async () => {
        gate.actionTimeout = '1s';
        gate.actionGate = async () => {
          if (gate.actions.length === 1) await new Promise((resolve) => setTimeout(resolve, 1_500));
        };
        await deployments.start(spec({ name: 'canary', action: { ...http, ...over } }));
        expect(await ended()).toMatchObject({ state });
        expect(gate.actions).toHaveLength(attempts);
      }),
    );

    it.each([
      ['taken back where the action says so', { compensate: true }, 1],
      ['left as it is otherwise', {}, 0],
    ])("an action of the user's own that fails is %s", (_what, over, compensations) =>
      running(async () => {
        gate.actionFailures = [{ mayHaveBeenSent: true, nonRetryable: true }];
        await deployments.start(spec({ name: 'canary', action: { type: 'module', name: 'flip', ...over } }));
        expect(await ended()).toMatchObject({ state: 'failed' });
        expect(gate.compensations).toHaveLength(compensations);
        expect((await ended()).stages).toEqual([expect.objectContaining({ name: 'canary', state: 'failed' })]);
        expect(gate.kinds()).toEqual(['decision:allow', 'acted', 'ended']);
        const [, acted, end] = [...gate.records.values()];
        const compensated = compensations > 0 ? 'due' : 'none';
        expect(acted?.details).toMatchObject({ result: 'failed', attempts: 1, compensation: compensated });
        expect(end?.details).toEqual({ end: 'failed', stages: { canary: 'failed' } });
      }),
    );

    it('an action is compensated when the workflow is cancelled in Temporal, and the cancellation is recorded', () =>
      running(async () => {
        gate.actionGate = async (cancelled) => {
          await cancelled;
        };
        const compensation = { method: 'DELETE', url: 'http://127.0.0.1:2/devices' } as const;
        await deployments.start(spec({ name: 'canary', action: { ...http, compensation } }));
        await reaches('acting');
        await handle().cancel();
        expect(await ended()).toMatchObject({ state: 'aborted' });
        expect(gate.compensations).toEqual([`${id}/canary`]);
        expect(gate.kinds()).toEqual(['decision:allow', 'acted', 'abort', 'ended']);
        expect([...gate.records.values()].at(-1)).toMatchObject({ actor: 'temporal', details: { end: 'aborted' } });
      }));
  });

  it('a deployment that is terminated in Temporal tells what its stages did, who ended it and why', () =>
    running(async () => {
      gate.actionGate = async (cancelled) => void (await cancelled);
      await deployments.start(spec({ name: 'first' }, { name: 'second', action: http }));
      await reaches('acting');
      await handle().terminate('by mistake');
      expect(await deployments.status(id)).toMatchObject({
        closed: true,
        status: {
          state: 'terminated',
          endReason: 'terminated in Temporal by test-client: by mistake',
          stages: [
            { name: 'first', state: 'done' },
            { name: 'second', state: 'acting' },
          ],
        },
      });
    }));

  describe('starting', () => {
    it('the same input twice is one deployment', () =>
      running(async () => {
        gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
        const waiting = spec({ name: 'canary', onDeny: 'wait', recheckEvery: '10m' });
        expect(await deployments.start(waiting)).toEqual({ started: true });
        expect(await deployments.start({ stages: waiting.stages, attributes: waiting.attributes, id })).toEqual({
          started: false,
        });
      }));

    it('other input under the same id is refused with the difference', () =>
      running(async () => {
        await deployments.start(spec());
        await ended();
        await expect(deployments.start(spec({ name: 'canary', mode: 'observe' }))).rejects.toMatchObject({
          type: 'ConfigInvalid',
          faults: expect.arrayContaining([
            expect.objectContaining({
              where: 'stages[0].mode',
              message: 'stages[0].mode: was not there when it was started, now "observe"',
            }),
          ]),
        });
      }));

    it('starting again takes the next free number, and only after the end', () =>
      running(async () => {
        expect(await deployments.nextId(id)).toBe(id);
        gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
        await deployments.start(spec({ name: 'canary', onDeny: 'wait', recheckEvery: '10m' }));
        await reaches('waiting');
        await expect(deployments.nextId(id)).rejects.toMatchObject({ type: 'ConfigInvalid' });
        await deployments.call(id, 'abort', OPERATOR);
        await ended();
        expect(await deployments.nextId(id)).toBe(`${id}.2`);
        expect(await deployments.nextId(id, async (candidate) => candidate === `${id}.2`)).toBe(`${id}.3`);
      }));

    it('starting without a worker leaves status unanswered and a call unconfirmed', async () => {
      const hurried = new DeploymentClient({ client: env.client, taskQueue: queue, deadlineMs: 500 });
      await hurried.start(spec());
      expect(await hurried.status(id)).toEqual({ found: 'unanswered', closed: false });
      expect(await hurried.call(id, 'abort', OPERATOR)).toEqual({
        result: 'unconfirmed',
        taken: 'held',
        isTaskFailing: false,
      });
      expect(await hurried.explain(id)).toBeUndefined();
      await handle().terminate();
    });
  });

  it('the deployment workflow shows itself in search attributes and in the list', () =>
    running(async () => {
      gate.verdict = { outcome: 'error', faults: [STALE] };
      await deployments.start(spec({ name: 'canary', recheckEvery: '10m' }));
      await reaches('paused');
      const listed = await eventually('the paused one in the list', async () =>
        (await deployments.list({ pausedOnly: true, limit: 100 })).find((one) => one.deploymentId === id),
      );
      expect(listed).toMatchObject({
        state: 'paused',
        stage: 'canary',
        outcome: 'error',
        pauseReason: 'FactStale',
      });
    }));
});
