import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DeploymentClient } from '../../src/clients/deployment-client';
import { isGateRecord } from '../../src/audit/place';
import type { StageSpec } from '../../src/gate/deployments/deployment-spec';
import { runCli } from '../cli/run-cli';
import { FakeGateActivities } from '../fakes/fake-gate-activities';
import { eventually, startTemporalEnv, type RunningWorker, type TemporalEnv } from '../support/temporal-env';
import { watchedDeployment } from '../support/watched-deployment';

const OPERATOR = { actor: 'ann', reason: 'wrong build' };
const url = 'http://127.0.0.1:2/devices';
const compensated = { type: 'http', method: 'PATCH', url, compensation: { method: 'DELETE', url } } as const;

describe('what operators do, and what a deployment ends with', () => {
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
    deployments = new DeploymentClient({ client: env.client, taskQueue: queue, deadlineMs: 60_000 });
  });

  const { handle, status, reaches, closed } = watchedDeployment(() => ({ client: env.client, id }));
  const start = (...stages: StageSpec[]) => deployments.start({ id, stages });
  const running = (use: () => Promise<void>): Promise<void> => env.withWorker(queue, gate.activities(), use);
  const abort = () => deployments.call(id, 'abort', OPERATOR);

  it.each([
    ['without an action', {}],
    ['with an action, which is neither sent nor taken back', { action: compensated }],
  ])('an abort that is accepted while a stage is decided ends a deployment %s', (_what, over) =>
    running(async () => {
      let collecting = (): void => undefined;
      const hanging = new Promise<void>((resolve) => (collecting = resolve));
      gate.collectGate = () => hanging;
      await start({ name: 'canary', ...over }, { name: 'fleet' });
      await eventually('a collection', () => gate.collected.length === 1);
      expect(await abort()).toMatchObject({ result: 'answered', reply: { accepted: true, state: 'aborted' } });
      collecting();
      await closed();
      expect((await status()).stages.map(({ name, state }) => `${name} ${state}`)).toEqual([
        'canary aborted',
        'fleet pending',
      ]);
      expect(gate.kinds()).toEqual(['abort', 'ended']);
      expect([gate.collected.length, gate.actions.length, gate.compensations.length]).toEqual([1, 0, 0]);
    }),
  );

  it.each([
    ['the last one, is too late', [], 'done', { accepted: false, message: 'too late: done' }],
    ['not the last one, ends the deployment before the next one', ['fleet'], 'aborted', { accepted: true }],
  ])('an abort that is accepted after the success of a stage, %s', (_what, others, state, reply) =>
    running(async () => {
      // The success is known, and waits for its record.
      gate.actionGate = async () => void (gate.storeDown = true);
      await start({ name: 'canary', action: compensated }, ...others.map((name) => ({ name })));
      await reaches('paused');
      const answer = abort();
      await eventually('the abort in the history', async () => {
        const { events } = await handle().fetchHistory();
        return events?.some((event) => event.workflowExecutionUpdateAcceptedEventAttributes);
      });
      gate.storeDown = false;
      expect(await answer).toMatchObject({ result: 'answered', reply });
      await closed();
      const now = await status();
      expect([now.state, now.stages[0]?.state, gate.collected.length]).toEqual([state, 'done', 1]);
      expect(gate.compensations).toEqual([]);
    }),
  );

  it('an abort takes effect while an action hangs, and takes it back', () =>
    running(async () => {
      gate.actionGate = async (cancelled) => void (await cancelled);
      await start({ name: 'canary', action: compensated });
      await reaches('acting');
      expect(await abort()).toMatchObject({ reply: { accepted: true } });
      expect(gate.compensations).toEqual([`${id}/canary`]);
      // Told with a heartbeat each second: 2 s on an idle machine, where the SDK's own interval takes 8.
      const { events = [] } = await handle().fetchHistory();
      const atMs = (is: (event: (typeof events & object)[number]) => unknown): number =>
        Number(events?.find(is)?.eventTime?.seconds);
      const told = atMs((event) => event.activityTaskCancelRequestedEventAttributes);
      const stopped = atMs(
        (event) => event.activityTaskFailedEventAttributes ?? event.activityTaskCanceledEventAttributes,
      );
      expect(stopped - told).toBeLessThan(6);
    }));

  it('an action that no worker took is not taken back', async () => {
    const queueOnly = { enableNonLocalActivities: false };
    const deciding = await env.startWorker(queue, gate.activities(), undefined, queueOnly);
    const collecting: RunningWorker = await env.startWorker(queue, gate.activities(), undefined, {
      workflowBundle: undefined,
    });
    let stopped: Promise<void> | undefined;
    gate.collectGate = async () => void (stopped = collecting.stop());
    try {
      await start({ name: 'canary', action: compensated });
      await reaches('acting');
      await stopped;
      const answer = abort();
      await eventually('the end of the action that waits', async () => {
        const { events } = await handle().fetchHistory();
        return events?.some((event) => event.activityTaskCanceledEventAttributes);
      });
      gate.collectGate = undefined;
      await deciding.stop();
      await running(async () => {
        expect(await answer).toMatchObject({ reply: { accepted: true } });
        await closed();
        expect(gate.kinds()).toEqual(['decision:allow', 'abort', 'ended']);
        expect((await status()).endReason).toBe('aborted by ann: wrong build');
      });
    } finally {
      await deciding.stop();
    }
  });

  it('a cancellation in Temporal that comes before the first stage is recorded as an abort', async () => {
    await start({ name: 'canary', action: compensated });
    await handle().cancel();
    await running(async () => {
      await closed();
      expect(gate.kinds()).toEqual(['abort', 'ended']);
      expect([...gate.records.values()].map(({ actor }) => actor)).toEqual(['temporal', 'temporal']);
      expect((await handle().describe()).status.name).toBe('CANCELLED');
      expect(gate.collected).toEqual([]);
    });
  });

  it('a cancellation in Temporal while an action hangs takes it back and says so', () =>
    running(async () => {
      gate.actionGate = async (cancelled) => void (await cancelled);
      await start({ name: 'canary', action: compensated });
      await reaches('acting');
      await handle().cancel();
      await closed();
      expect(gate.compensations).toEqual([`${id}/canary`]);
      expect(gate.kinds()).toEqual(['decision:allow', 'acted', 'abort', 'ended']);
      expect((await status()).endReason).toBe('the workflow was cancelled in Temporal (compensated)');
      expect((await handle().describe()).status.name).toBe('CANCELLED');
    }));

  it('a cancellation in Temporal while the audit store is down ends the outage with its record and its message', () =>
    running(async () => {
      gate.storeDown = true;
      await start({ name: 'canary', action: compensated });
      await reaches('paused');
      await handle().cancel();
      gate.storeDown = false;
      await closed();
      expect(gate.kinds().sort()).toEqual(['abort', 'decision:allow', 'ended', 'pause', 'resolved']);
      // the incident, and the end of the deployment
      expect(gate.alerts.map(({ name, status: state }) => [name, state])).toEqual([
        ['DeploymentPaused', 'firing'],
        ['DeploymentPaused', 'resolved'],
        ['DeploymentAborted', 'firing'],
      ]);
      expect(gate.actions).toEqual([]);
    }));

  it('an override by the signal of the Temporal UI is carried out and recorded', () =>
    running(async () => {
      gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
      await start({ name: 'canary', onDeny: 'wait', recheckEvery: '10m' });
      const { lastDecision } = await reaches('waiting');
      await handle().signal('override', { ...OPERATOR, for: lastDecision?.decisionId });
      await closed();
      expect((await status()).stages).toMatchObject([{ state: 'done', overridden: true }]);
      expect(gate.kinds()).toEqual(['decision:deny', 'override', 'ended']);
    }));

  it('a deployment closes while its alert receiver hangs, and its messages are sent in order and once', () =>
    running(async () => {
      let answers = (): void => undefined;
      const hanging = new Promise<void>((resolve) => (answers = resolve));
      gate.alertGate = () => hanging;
      gate.verdict = { outcome: 'error', faults: [{ type: 'FactStale', message: 'too old' }] };
      await start({ name: 'canary' });
      await reaches('paused');
      expect(await abort()).toMatchObject({ reply: { accepted: true } });
      await closed();
      expect(gate.alerts).toEqual([]);
      const { runId } = await handle().describe();
      answers();
      await env.client.workflow.getHandle(`gate/alerts/${id}/${runId}`).result();
      expect(gate.alerts.map(({ name, status: told }) => `${name} ${told}`)).toEqual([
        'DeploymentPaused firing',
        'DeploymentPaused resolved',
        'DeploymentAborted firing',
      ]);
    }));

  describe('advice', () => {
    const STALE = { outcome: 'error' as const, faults: [{ type: 'FactStale' as const, message: 'too old' }] };
    const DENY = { outcome: 'deny' as const, reasons: ['too many: 3'] };
    const cli = async (...args: string[]) => {
      const folder = mkdtempSync(join(tmpdir(), 'gate-advice-'));
      const { address, namespace } = env.server;
      const settings = join(folder, 'settings.json');
      writeFileSync(settings, JSON.stringify({ temporal: { address, namespace, taskQueue: queue } }));
      try {
        return await runCli(folder, [...args, '--settings', settings]);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    };
    /** The commands that people read of a deployment. */
    const proposedCommands = async (): Promise<string[][]> => {
      const texts = [(await cli('status', id)).stdout, (await cli('explain', id)).stdout];
      const calls = texts.flatMap((text) =>
        [...text.matchAll(/gate ([a-z]+ \S+) --actor YOU/g)].map(([, call]) => call!),
      );
      return [...new Set(calls)].map((call) => call.split(' '));
    };
    /** The signals that its page in the Temporal UI names, with what they carry. */
    const proposedSignals = async (): Promise<[string, object][]> => {
      const { currentDetails } = await handle().query<{ currentDetails: string }>('__temporal_workflow_metadata');
      return [...currentDetails.matchAll(/send the signal (.*) with\n```json\n(.*)\n/g)].flatMap(
        ([, names = '', body = '']) =>
          [...names.matchAll(/`(\w+)`/g)].map(([, name]): [string, object] => [name!, JSON.parse(body) as object]),
      );
    };
    const begins: Record<string, () => Promise<unknown>> = {
      deciding: async () => {
        gate.collectGate = async () => void (await new Promise((resolve) => (goOn = () => resolve(undefined))));
        await start({ name: 'canary' });
        await eventually('a collection', () => gate.collected.length === 1);
      },
      waiting: async () => {
        gate.verdict = DENY;
        await start({ name: 'canary', onDeny: 'wait', recheckEvery: '10m' });
        await reaches('waiting');
      },
      'paused on a fact': async () => {
        gate.verdict = STALE;
        await start({ name: 'canary', recheckEvery: '10m' });
        await reaches('paused');
      },
      'paused, the facts have recovered': async () => {
        gate.verdict = STALE;
        await start({ name: 'canary' });
        await reaches('paused');
        gate.verdict = { outcome: 'allow' };
        await eventually('the recovery', async () => (await status()).pause?.recovered === true);
      },
      'paused on the audit store': async () => {
        gate.verdict = DENY;
        gate.storeDown = true;
        await start({ name: 'canary', onDeny: 'wait', recheckEvery: '10m' });
        await reaches('paused');
      },
      acting: async () => {
        gate.actionGate = async (cancelled) =>
          Promise.race([cancelled, new Promise<void>((resolve) => (goOn = resolve))]);
        await start({ name: 'canary', action: compensated });
        await reaches('acting');
      },
    };
    let goOn = (): void => undefined;
    /** The trouble is over, as the advice asks for. */
    const mend = (): void => {
      if (gate.verdict.outcome === 'error') gate.verdict = { outcome: 'allow' };
      gate.storeDown = false;
    };

    it.each([
      ['deciding', [], []],
      ['waiting', ['override', 'abort'], ['override', 'abort']],
      ['paused on a fact', ['resume', 'override', 'abort'], ['resume', 'abort', 'override']],
      ['paused, the facts have recovered', ['resume', 'abort'], ['resume', 'abort', 'override']],
      ['paused on the audit store', ['abort'], ['abort']],
      ['acting', [], []],
    ])('advice about a deployment that is %s names only calls that work', (state, commands, signals) =>
      running(async () => {
        // Each on a deployment of its own: most of them end it.
        const ways = [
          ...commands.map((_kind, at) => ({ by: 'command' as const, at })),
          ...signals.map((_name, at) => ({ by: 'signal' as const, at })),
        ];
        try {
          for (const way of ways.length === 0 ? [undefined] : ways) {
            id = `d-${randomUUID()}`;
            await begins[state]?.();
            const advice = { commands: await proposedCommands(), signals: await proposedSignals() };
            expect(advice.commands.map(([kind]) => kind)).toEqual(commands);
            expect(advice.signals.map(([name]) => name)).toEqual(signals);
            mend();
            if (way?.by === 'command') {
              const patient = ['--actor', 'ann', '--reason', 'known', '--timeout', '5m'];
              const { code, stderr } = await cli(...advice.commands[way.at]!, ...patient);
              expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
            } else if (way?.by === 'signal') {
              const [name, call] = advice.signals[way.at]!;
              await handle().signal(name, { ...call, actor: 'ann', reason: 'known' });
              await eventually(`the record of ${name}`, () =>
                [...gate.records.values()].some(
                  (one) => one.kind === name && isGateRecord(one) && one.deploymentID === id,
                ),
              );
            } else {
              const ran = await cli('deploy', '--id', id, '--stage', 'another');
              expect([ran.code, ran.stderr.includes('--again')]).toEqual([2, false]);
            }
            goOn();
          }
        } finally {
          mend();
          goOn();
        }
      }),
    );

    it.each([
      ['done', () => start({ name: 'canary' })],
      ['denied', () => ((gate.verdict = DENY), start({ name: 'canary' }))],
      ['aborted', async () => (await begins.waiting?.(), abort())],
      [
        'failed',
        () => {
          gate.actionFailures = [{ mayHaveBeenSent: false, nonRetryable: true }];
          return start({ name: 'canary', action: compensated });
        },
      ],
      ['terminated', async () => (await begins.waiting?.(), handle().terminate())],
      [
        'timed-out',
        () => {
          gate.verdict = DENY;
          const spec = { id, stages: [{ name: 'canary', onDeny: 'wait' }] };
          const options = { workflowId: `deployment/${id}`, taskQueue: queue, workflowRunTimeout: '1s' as const };
          return env.client.workflow.start('deployment', { ...options, args: [{ spec }] });
        },
      ],
    ])('advice about a deployment that is %s names no call, and the way to run it again works', (state, ends) =>
      running(async () => {
        await ends();
        await closed();
        expect((await cli('status', id)).stdout).toContain(state);
        expect(await proposedCommands()).toEqual([]);
        const refused = await cli('deploy', '--id', id, '--stage', 'another');
        expect({ code: refused.code, text: refused.stderr }).toEqual({
          code: 2,
          text: expect.stringContaining('--again to run it again'),
        });
        const again = await cli('deploy', '--id', id, '--stage', 'another', '--again');
        expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining(`Started deployment ${id}.2`) });
      }),
    );
  });
});
