import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { bundleOptions } from '../../src/built-workflows';
import { PLAN_EXECUTION_WORKFLOW } from '../../src/clients/plan-runs';
import { DeploymentClient } from '../../src/clients/deployment-client';
import { workflowIdOf } from '../../src/kernel/names';
import { quietRuntime } from '../../src/platform/temporal/quiet-runtime';
import type { Execution } from '../../src/plans/kinds/execution';
import { statusAfter, type RunReport } from '../../src/plans/execution/follow-run';
import { LOOK_SIGNAL, type RunNode } from '../../src/plans/execution/plan-run';
import type { PlanExecutionInput } from '../../src/workflows/plan-execution';
import type { GateActivities } from '../../src/activities/gate-activities';
import { FakeGateActivities } from '../fakes/fake-gate-activities';
import { keptBundle } from '../support/kept-bundle';
import { eventually, startTemporalEnv, type RunningWorker, type TemporalEnv } from '../support/temporal-env';
import { watchedDeployment } from '../support/watched-deployment';

const ANN = { actor: 'ann', reason: 'checked by hand' };
const url = 'http://127.0.0.1:2/devices';
const action = { type: 'http', method: 'PATCH', url, compensation: { method: 'DELETE', url } } as const;
const STALE = { outcome: 'error' as const, faults: [{ type: 'FactStale' as const, message: 'too old' }] };

describe('an execution of a plan', () => {
  const taskQueue = `plans-${randomUUID()}`;
  let gate: FakeGateActivities;
  let env: TemporalEnv;
  let worker: RunningWorker;
  let deployments: DeploymentClient;
  let id: string;
  /** as the store has it */
  let execution: Execution;
  let executionBytes: number;
  let reports: RunReport[];
  let graph: Execution extends never ? never : { nodes: { id: string; kind: 'Task' }[] };
  /** actions that wait: by the id of the node */
  let held: Map<string, () => void>;
  let holds: Set<string>;
  let fails: Set<string>;
  /** what gates and nodes outside wait for */
  let isOver: boolean;

  beforeAll(async () => {
    env = await startTemporalEnv();
    const activities = Object.fromEntries(
      Object.keys(new FakeGateActivities().activities()).map((name) => [
        name,
        (argument: never) => gate.activities()[name as keyof GateActivities](argument),
      ]),
    );
    worker = await env.startWorker(taskQueue, { ...activities, ...plans });
  });
  afterAll(async () => {
    await worker?.stop();
    await env?.stop();
  });
  const plans = {
    reportPlanRun: async (_ref: unknown, report: RunReport) => ({ exists: follow(report), bytes: executionBytes }),
    lookAtGate: async () =>
      isOver ? { state: 'approved', actors: ['amy'], message: 'approved' } : { state: 'waiting', message: 'waits' },
    lookAtExternal: async () => (isOver ? { state: 'succeeded' } : { state: 'running', message: 'half of it' }),
  };
  const follow = (report: RunReport): boolean => {
    reports.push(report);
    execution = { ...execution, status: statusAfter(execution, report, graph as never) };
    return true;
  };
  afterEach(() => {
    holds.clear();
    for (const release of held.values()) release();
  });
  beforeEach(() => {
    gate = new FakeGateActivities();
    id = `d-${randomUUID()}.go`;
    deployments = new DeploymentClient({ client: env.client, taskQueue, deadlineMs: 30_000 });
    held = new Map();
    holds = new Set();
    fails = new Set();
    isOver = false;
    executionBytes = 0;
    reports = [];
  });

  const { handle, status, closed } = watchedDeployment(() => ({ client: env.client, id }));
  /** `a b<a ~c`: as a plan would give it */
  const start = async (
    text: string,
    {
      maxParallel = 100,
      historyLimit,
      of = {},
    }: { maxParallel?: number; historyLimit?: number; of?: Partial<RunNode> } = {},
  ) => {
    const nodes = text.split(' ').map((word): RunNode => {
      const [node = '', ...waits] = word.split(/(?=[<~])/);
      const after = (sign: string) => waits.filter((each) => each.startsWith(sign)).map((each) => each.slice(1));
      return { id: node, kind: 'Task', hard: after('<'), soft: after('~'), ...of };
    });
    graph = { nodes: nodes.map((node) => ({ id: node.id, kind: 'Task' })) };
    execution = {
      apiVersion: 'planspec.io/v1alpha1',
      kind: 'Execution',
      metadata: { name: 'go', namespace: 'd', generation: 1 },
      spec: { planRef: { name: 'plan' } },
    } as Execution;
    const fake = gate.activities();
    gate.activities = () => ({
      ...fake,
      runAction: async (request) => {
        const { stage } = request.context;
        if (holds.has(stage)) await new Promise<void>((resolve) => held.set(stage, resolve));
        if (fails.has(stage)) gate.actionFailures = [{ mayHaveBeenSent: true, nonRetryable: true }];
        return fake.runAction(request);
      },
    });
    const input: PlanExecutionInput = {
      spec: { id, stages: nodes.map((node) => ({ name: node.id, action })) },
      graph: { maxParallel, nodes },
      execution: { namespace: 'd', name: 'go', uid: id },
      ...(historyLimit === undefined ? {} : { historyLimit }),
    };
    await env.client.workflow.start(PLAN_EXECUTION_WORKFLOW, {
      workflowId: workflowIdOf(id),
      taskQueue,
      args: [input],
    });
  };
  const phases = () =>
    Object.entries(execution.status?.nodeStatuses ?? {})
      .map(([node, { phase }]) => `${node} ${phase}`)
      .join(', ');
  const reach = (wanted: string) => eventually(wanted, () => phases() === wanted);
  const acted = () => gate.actions.map(({ context }) => context.stage);
  const paused = (...stages: string[]) =>
    eventually(`${stages.join(' and ')} to pause`, async () => {
      const { openStages = [] } = await status();
      const found = openStages.filter(({ state }) => state === 'paused');
      return found.map(({ stage }) => stage).join() === stages.join() && found;
    });
  const resume = async ({ pauseId }: { pauseId?: string | undefined }) => {
    const called = await deployments.call(id, 'resume', { ...ANN, for: pauseId! });
    return called.result === 'answered' ? called.reply : called;
  };
  const replayed = async () => {
    quietRuntime({ Runtime, DefaultLogger });
    const workflowBundle = await keptBundle(bundleOptions(false));
    await Worker.runReplayHistory({ workflowBundle }, await handle().fetchHistory(), workflowIdOf(id));
  };

  it('nodes without dependencies act side by side, as many as max-parallel allows, and a node acts when its own are done', async () => {
    holds = new Set(['a', 'b', 'c']);
    await start('a b c d<a<b', { maxParallel: 2 });
    await eventually('two actions', () => held.size === 2);
    expect([...held.keys()].sort()).toEqual(['a', 'b']);
    await reach('a Running, b Running, c Pending, d Pending');
    held.get('a')!();
    await eventually('the third', () => held.has('c'));
    expect(acted()).toEqual(['a']);
    held.get('b')!();
    await eventually('the last', () => acted().includes('d'));
    held.get('c')!();
    expect(await handle().result()).toMatchObject({ state: 'done' });
    expect(phases()).toBe('a Succeeded, b Succeeded, c Succeeded, d Succeeded');
    expect(gate.kinds().filter((kind) => kind === 'ended')).toHaveLength(1);
    await replayed();
  });

  it('a failed node leaves its dependents skipped and holds up no other branch', async () => {
    fails = new Set(['a']);
    await start('a b<a c~a d<c e<b');
    await closed();
    expect(phases()).toBe('a Failed, b Skipped, c Succeeded, d Succeeded, e Skipped');
    expect(execution.status).toMatchObject({
      phase: 'Failed',
      message: expect.stringContaining('node a: the receiver said 500 (compensated)'),
      nodeStatuses: { b: { message: 'node a, which it depends on, failed' } },
    });
    expect(await deployments.status(id)).toMatchObject({ status: { state: 'failed', stage: 'a' } });
    await replayed();
  });

  it('of two nodes that are paused one is resumed alone, and a call that fits neither is refused', async () => {
    gate.verdict = STALE;
    await start('a b');
    const [one, other] = await paused('a', 'b');
    await reach('a Blocked, b Blocked');
    expect(execution.status!.phase).toBe('Blocked');
    for (const [stage, at] of [
      ['a', one],
      ['b', other],
    ] as const) {
      const own = { stage, state: 'paused', pause: { id: at!.pauseId } };
      expect(await deployments.status(id, undefined, stage)).toMatchObject({ status: own });
    }
    expect(await deployments.call(id, 'resume', { ...ANN, for: randomUUID() })).toMatchObject({ result: 'refused' });
    gate.verdict = { outcome: 'allow' };
    holds = new Set(['b']);
    const answer = await deployments.call(id, 'resume', { ...ANN, for: other!.pauseId! });
    expect(answer).toMatchObject({ reply: { accepted: true, message: expect.stringContaining('stage b got allow') } });
    await eventually('the action of b', () => held.has('b'));
    await reach('a Blocked, b Running');
    expect(acted()).toEqual([]);
    expect(await status()).toMatchObject({ state: 'paused', stage: 'a', pause: { id: one!.pauseId } });
    expect(await deployments.call(id, 'override', { ...ANN, for: one!.decisionId! })).toMatchObject({
      reply: { accepted: true, message: expect.stringContaining('stage a is allowed') },
    });
    held.get('b')!();
    expect(await handle().result()).toMatchObject({ state: 'done' });
    const calls = [...gate.records.values()].filter(({ kind }) => kind === 'resume' || kind === 'override');
    expect(
      calls.map((record) => ({
        kind: record.kind,
        stage: (record as { stage?: string }).stage,
        actor: (record as { actor?: string }).actor,
      })),
    ).toEqual([
      { kind: 'resume', stage: 'b', actor: 'ann' },
      { kind: 'override', stage: 'a', actor: 'ann' },
    ]);
    await replayed();
  });

  it('an abort takes back every action that is under way, is recorded once, and nothing begins after it', async () => {
    gate.actionGate = async (cancelled) => void (await cancelled);
    await start('a b c<a', { maxParallel: 2 });
    await eventually('two actions', () => gate.actions.length === 2);
    expect(await deployments.call(id, 'abort', ANN)).toMatchObject({ reply: { accepted: true } });
    await closed();
    expect(gate.compensations.sort()).toEqual([`${id}/a`, `${id}/b`]);
    expect(phases()).toBe('a Cancelled, b Cancelled, c Skipped');
    expect(execution.status).toMatchObject({ phase: 'Cancelled', message: expect.stringContaining('aborted by ann') });
    expect(gate.kinds().filter((kind) => kind === 'abort' || kind === 'ended')).toEqual(['abort', 'ended']);
    await replayed();
  });

  it('a pause on demand holds all nodes, also those that have not begun, until one resume', async () => {
    holds = new Set(['a']);
    await start('a b<a c<a');
    await eventually('the action', () => held.has('a'));
    expect(await deployments.call(id, 'pause', ANN)).toMatchObject({
      reply: { accepted: true, message: expect.stringContaining('the action of stage a goes on') },
    });
    held.get('a')!();
    await reach('a Succeeded, b Pending, c Pending');
    const { hold, state } = await eventually('the pause', async () => {
      const found = await status();
      return found.state === 'paused' && found;
    });
    expect(state).toBe('paused');
    expect(await deployments.call(id, 'resume', { ...ANN, for: hold!.id })).toMatchObject({
      reply: { accepted: true },
    });
    expect(await handle().result()).toMatchObject({ state: 'done' });
    expect(gate.kinds().filter((kind) => ['pause', 'resume', 'resolved'].includes(kind))).toEqual([
      'pause',
      'resume',
      'resolved',
    ]);
    await replayed();
  });

  it('paused nodes are carried through continue-as-new with their pauses, and are resumed alone after it', async () => {
    gate.verdict = STALE;
    await start('a b c<a', { historyLimit: 60 });
    const [one, other] = await paused('a', 'b');
    const first = (await handle().describe()).runId;
    for (let signal = 0; signal < 80; signal += 1) await handle().signal('noted');
    await eventually('another run', async () => (await handle().describe()).runId !== first);
    expect((await paused('a', 'b')).map(({ pauseId }) => pauseId)).toEqual([one!.pauseId, other!.pauseId]);
    gate.verdict = { outcome: 'allow' };
    expect(await resume(other!)).toMatchObject({ accepted: true });
    await reach('a Blocked, b Succeeded, c Pending');
    expect(await resume(one!)).toMatchObject({ accepted: true });
    expect(await handle().result()).toMatchObject({ state: 'done' });
    expect(acted()).toEqual(['b', 'a', 'c']);
    await replayed();
  });

  it('a call that comes before another run has taken up its nodes finds them as they were left', async () => {
    gate.verdict = STALE;
    await start('a b', { historyLimit: 60 });
    const [one, other] = await paused('a', 'b');
    const first = (await handle().describe()).runId;
    let takeUp = (): void => undefined;
    const takenUp = new Promise<void>((resolve) => (takeUp = resolve));
    const { activities } = gate;
    gate.activities = () => {
      const all = activities();
      return { ...all, readDefaults: async () => takenUp.then(() => all.readDefaults()) };
    };
    for (let signal = 0; signal < 80; signal += 1) await handle().signal('noted');
    await eventually('another run', async () => (await handle().describe()).runId !== first);
    expect((await paused('a', 'b')).map(({ pauseId }) => pauseId)).toEqual([one!.pauseId, other!.pauseId]);
    gate.verdict = { outcome: 'allow' };
    const called = resume(other!);
    await eventually('the call to be accepted', async () =>
      (await handle().fetchHistory()).events!.some((event) => event.workflowExecutionUpdateAcceptedEventAttributes),
    );
    takeUp();
    expect(await called).toMatchObject({ accepted: true });
    await reach('a Blocked, b Succeeded');
    expect(await deployments.call(id, 'abort', ANN)).toMatchObject({ result: 'answered', reply: { accepted: true } });
    await closed();
    await replayed();
  });

  it.each<[string, Partial<RunNode>]>([
    ['a gate', { kind: 'Gate', gate: 'one', timeoutMs: 600_000 }],
    ['work outside', { kind: 'External', external: { uri: url, intervalMs: 1_000 }, timeoutMs: 600_000 }],
  ])('a node that waits for %s is carried through continue-as-new, and has begun when it began', async (_what, of) => {
    await start('a', { historyLimit: 60, of });
    await eventually('the node to wait', () => execution.status?.nodeStatuses?.a?.message !== undefined);
    const { startTime } = execution.status!.nodeStatuses!.a!;
    const first = (await handle().describe()).runId;
    for (let signal = 0; signal < 80; signal += 1) await handle().signal('noted');
    await eventually('another run', async () => (await handle().describe()).runId !== first);
    isOver = true;
    // It may have looked by itself by then, and ended.
    await handle()
      .signal(LOOK_SIGNAL)
      .catch(() => undefined);
    expect(await handle().result()).toMatchObject({ state: 'done' });
    expect(execution.status!.nodeStatuses!.a).toMatchObject({ phase: 'Succeeded', attempt: 1, startTime });
    await replayed();
  });

  it('a large execution is written a few times for many nodes, and what people wait for is told at once', async () => {
    executionBytes = 1_000_000_000;
    const ids = Array.from({ length: 16 }, (_, index) => `n${index}`);
    holds.add('n15');
    await start(ids.map((node, index) => (index === 0 ? node : `${node}<n${index - 1}`)).join(' '));
    await eventually('the last to act', () => held.has('n15'));
    // No report is due before its rest is over.
    await deployments.call(id, 'pause', ANN);
    const saidHold = () => JSON.stringify(execution.status?.extensions ?? {});
    await eventually('the pause to be told', () => saidHold().includes('paused on demand'));
    expect(phases()).toContain('n14 Succeeded, n15 Running');
    const { hold } = await status();
    expect(await resume({ pauseId: hold!.id })).toMatchObject({ accepted: true });
    held.get('n15')!();
    expect(await handle().result()).toMatchObject({ state: 'done' });
    expect(reports.length).toBeLessThan(10);
    const { nodeStatuses = {} } = execution.status!;
    const acting = ids.map((each) => [nodeStatuses[each]!.startTime!, nodeStatuses[each]!.completionTime!]);
    // Each began when the one before had ended, as if all had been told one by one.
    expect([...acting.flat()].sort()).toEqual(acting.flat());
    expect(acted()).toEqual(ids);
    await replayed();
  });

  it('a run whose state is too large to be carried goes on under the same id, and comes to its end', async () => {
    // Nothing reads it of a task; it is in the input, which Temporal takes up to 2 MB of.
    await start('a b c<a d<b e<c f<d', {
      historyLimit: 30,
      of: { external: { uri: 'x'.repeat(320_000), intervalMs: 1_000 } },
    });
    const first = (await handle().describe()).runId;
    expect(await handle().result()).toMatchObject({ state: 'done' });
    const { runId, historyLength } = await handle().describe();
    expect(runId).toBe(first);
    expect(historyLength).toBeGreaterThan(60);
    expect(acted()).toHaveLength(6);
    await replayed();
  });

  it('a failed node is tried again as often as its retries say, under a key of its own where it was taken back', async () => {
    gate.actionFailures = [
      { mayHaveBeenSent: true, nonRetryable: true },
      { mayHaveBeenSent: true, nonRetryable: true },
    ];
    await start('a', { of: { retries: 2 } });
    expect(await handle().result()).toMatchObject({ state: 'done' });
    expect(gate.actions.map(({ idempotencyKey }) => idempotencyKey)).toEqual([`${id}/a`, `${id}/a/2`, `${id}/a/3`]);
    expect(execution.status!.nodeStatuses!.a).toMatchObject({ phase: 'Succeeded', attempt: 3 });
    const acted = [...gate.records.values()].filter(({ kind }) => kind === 'acted');
    expect(acted).toHaveLength(3);
    await replayed();
  });

  it('a node whose time is over fails, and what was under way is taken back', async () => {
    gate.actionGate = async (cancelled) => void (await cancelled);
    await start('a b<a', { of: { timeoutMs: 3_000 } });
    await closed();
    expect(phases()).toBe('a Failed, b Skipped');
    expect(execution.status!.nodeStatuses!.a!.message).toBe('timed out after 3s (timeout)');
    expect(gate.compensations).toEqual([`${id}/a`]);
    await replayed();
  });

  it('ten nodes at once, and ten after them, come to an end through several runs, each acting once', async () => {
    const firsts = Array.from({ length: 10 }, (_, index) => `f${index}`);
    await start([...firsts, ...firsts.map((node) => `l${node}<${node}`)].join(' '), { historyLimit: 150 });
    await handle().result();
    expect(acted().sort()).toEqual([...firsts, ...firsts.map((node) => `l${node}`)].sort());
    expect(execution.status!.phase).toBe('Succeeded');
    await replayed();
  });
});
