import type { WorkflowHandle } from '@temporalio/client';
import { PLAN_EXECUTION_WORKFLOW } from '../src/clients/plan-runs';
import type { PlanActivities } from '../src/activities/plan-activities';
import type { GateVerdict } from '../src/plans/execution/gate-verdict';
import type { RunRequest } from '../src/plans/execution/run-requests';
import { ASKED_SIGNAL, LOOK_SIGNAL, type RunGraph } from '../src/plans/execution/plan-run';
import { workflowIdOf } from '../src/kernel/names';
import { statusQuery } from '../src/workflows/messages';
import type { PlanExecutionInput } from '../src/workflows/plan-execution';
import { FakeGateActivities } from '../test/fakes/fake-gate-activities';
import { writeRuns, type RunsFolder } from '../test/support/history-file';
import { eventually, type TemporalEnv } from '../test/support/temporal-env';

interface Scenario {
  nodes: number;
  historyLimit?: number;
  /** @default each node waits for the one before */
  graph?(ids: readonly string[]): RunGraph;
  /** of the Execution as JSON, as every report finds it; @default small */
  bytes?: number;
  /** the Execution is deleted before this node begins */
  deletedAt?: string;
  /** what each look at the gate of this node finds, in turn */
  looks?: Readonly<Record<string, readonly GateVerdict[]>>;
  /** nodes that are skipped by their `when` have false */
  whens?: Readonly<Record<string, boolean>>;
  prepare?(gate: FakeGateActivities): void;
  play?(handle: WorkflowHandle): Promise<unknown>;
  /** what was asked of the run, to be read on the signal `asked` */
  requests?: readonly RunRequest[];
}

const OPERATOR = { actor: 'ann', reason: 'checked by hand' };
const action = {
  ...({ type: 'http', method: 'PATCH', url: 'http://127.0.0.1:1/devices' } as const),
  compensation: { method: 'DELETE', url: 'http://127.0.0.1:1/devices' } as const,
};

const node = (id: string, hard: readonly string[] = []) => ({ id, kind: 'Task' as const, hard, soft: [] });
const chain = (ids: readonly string[]): RunGraph => ({
  maxParallel: 100,
  nodes: ids.map((id, index) => node(id, ids.slice(Math.max(0, index - 1), index))),
});
const fan = (ids: readonly string[]): RunGraph => ({ maxParallel: 2, nodes: ids.map((id) => node(id)) });

/** The action of this node fails, after it may have been sent. */
const failingAt =
  (id: string) =>
  (gate: FakeGateActivities): void => {
    const fake = gate.activities();
    gate.activities = () => ({
      ...fake,
      runAction: async (request) => {
        if (request.context.stage === id) gate.actionFailures = [{ mayHaveBeenSent: true, nonRetryable: true }];
        return fake.runAction(request);
      },
    });
  };

const scenarios: Record<string, Scenario> = {
  done: { nodes: 2 },
  denied: {
    nodes: 2,
    prepare: (gate) => (gate.verdict = { outcome: 'deny', reasons: ['max_pending limit exceeded: current 3100'] }),
  },
  'failed-and-compensated': {
    nodes: 2,
    prepare: (gate) => (gate.actionFailures = [{ mayHaveBeenSent: true, nonRetryable: true }]),
  },
  'aborted-while-acting': {
    nodes: 2,
    prepare: (gate) => (gate.actionGate = async (cancelled) => void (await cancelled)),
    play: async (handle) => {
      await eventually('the action', async () => (await handle.query(statusQuery)).state === 'acting');
      await handle.executeUpdate('abort', { args: [OPERATOR] });
    },
  },
  'side-by-side': { nodes: 4, graph: fan },
  large: { nodes: 6, bytes: 1_000_000 },
  'resumed-alone': {
    nodes: 2,
    graph: fan,
    prepare: (gate) => (gate.verdict = { outcome: 'error', faults: [{ type: 'FactStale', message: 'too old' }] }),
    play: async (handle) => {
      const both = await eventually('both to pause', async () => {
        const { openStages = [] } = await handle.query(statusQuery);
        const paused = openStages.filter(({ state }) => state === 'paused');
        return paused.length === 2 && paused;
      });
      await handle.executeUpdate('override', { args: [{ ...OPERATOR, for: both[1]!.decisionId }] });
      await handle.executeUpdate('abort', { args: [OPERATOR] });
    },
  },
  gates: {
    nodes: 4,
    graph: ([first = '', second = '', third = '', last = '']) => ({
      maxParallel: 100,
      nodes: [
        { ...node(first), kind: 'Gate', gate: 'one' },
        { ...node(second), kind: 'Gate', gate: 'two', timeoutMs: 86_400_000 },
        { ...node(third, [first]) },
        { ...node(last, [second]) },
      ],
    }),
    looks: {
      n0: [
        { state: 'waiting', message: 'waits for gate one, which is Pending' },
        { state: 'approved', actors: ['ann'], message: 'gate one was approved by ann' },
      ],
      n1: [
        { state: 'waiting', message: 'waits for gate two, which is Pending' },
        { state: 'waiting', message: 'waits for gate two, which is Waiting: approved by ann, 1 of 2' },
        { state: 'rejected', actors: ['ben'], message: 'gate two was rejected by ben' },
      ],
    },
    play: async (handle) => {
      const states = async () => (await handle.query(statusQuery)).stages.map(({ state }) => state).join();
      await eventually('both to wait', async () => (await states()).startsWith('waiting,waiting'));
      await handle.signal(LOOK_SIGNAL);
      await eventually('the task behind the first', async () => (await states()).startsWith('done,waiting,done'));
      await handle.signal(LOOK_SIGNAL);
    },
  },
  webhook: {
    nodes: 2,
    graph: ([first = '', last = '']) => ({
      maxParallel: 100,
      nodes: [{ ...node(first), kind: 'External', callsBack: true, outputs: ['id'] }, node(last, [first])],
    }),
  },
  conditions: {
    nodes: 4,
    graph: ([first = '', second = '', third = '', last = '']) => ({
      maxParallel: 100,
      nodes: [
        { ...node(first), isConditional: true },
        { ...node(second, [first]), isConditional: true },
        node(third, [second]),
        { ...node(last), soft: [third], isConditional: true },
      ],
    }),
    whens: { n1: false },
  },
  external: {
    nodes: 2,
    graph: ([first = '', last = '']) => ({
      maxParallel: 100,
      nodes: [
        { ...node(first), kind: 'External', external: { uri: 'http://127.0.0.1:2/work', intervalMs: 1_000 } },
        node(last, [first]),
      ],
    }),
  },
  'failed-and-completed-ones-compensated': {
    nodes: 3,
    graph: (ids) => ({ ...chain(ids), compensates: true }),
    prepare: failingAt('n2'),
  },
  'compensated-through-continue-as-new': {
    nodes: 6,
    historyLimit: 40,
    graph: (ids) => ({ ...chain(ids), compensates: true }),
    prepare: failingAt('n5'),
  },
  'cancelled-and-compensated': {
    nodes: 2,
    graph: ([first = '', second = '']) => ({
      maxParallel: 100,
      nodes: [node(first), { ...node(second, [first]), kind: 'Gate', gate: 'one' }],
    }),
    looks: { n1: [{ state: 'waiting', message: 'waits for gate one, which is Pending' }] },
    requests: [{ id: 'r1', kind: 'cancel', ...OPERATOR, time: '2026-11-28T00:00:00.000Z' }],
    play: async (handle) => {
      const states = async () => (await handle.query(statusQuery)).stages.map(({ state }) => state).join();
      await eventually('the gate', async () => (await states()) === 'done,waiting');
      await handle.signal(ASKED_SIGNAL);
    },
  },
  retried: {
    nodes: 3,
    graph: ([first = '', second = '', third = '']) => ({
      maxParallel: 100,
      nodes: [node(first), node(second, [first]), { ...node(third), kind: 'Gate', gate: 'one' }],
    }),
    looks: {
      n2: [
        { state: 'waiting', message: 'waits for gate one, which is Pending' },
        { state: 'approved', actors: ['ann'], message: 'gate one was approved by ann' },
      ],
    },
    requests: [{ id: 'r1', kind: 'retry', node: 'n0', ...OPERATOR, time: '2026-11-28T00:00:00.000Z' }],
    prepare: (gate) => (gate.actionFailures = [{ mayHaveBeenSent: false, nonRetryable: true }]),
    play: async (handle) => {
      const states = async () => (await handle.query(statusQuery)).stages.map(({ state }) => state).join();
      await eventually('the failure', async () => (await states()) === 'failed,pending,waiting');
      await handle.signal(ASKED_SIGNAL);
      await eventually('the node again', async () => (await states()) === 'done,done,waiting');
      await handle.signal(LOOK_SIGNAL);
    },
  },
  deleted: { nodes: 3, deletedAt: 'n1' },
  'through-continue-as-new': { nodes: 6, historyLimit: 40 },
};

/** Records one history for every way that an execution of a plan can go, with the gate's surroundings in memory. */
export async function recordPlanRuns(env: TemporalEnv, into: RunsFolder): Promise<void> {
  for (const [
    way,
    { nodes, graph, historyLimit, bytes, deletedAt, looks = {}, whens = {}, requests = [], prepare, play },
  ] of Object.entries(scenarios)) {
    const name = `plan-execution-${way}`;
    const gate = new FakeGateActivities();
    prepare?.(gate);
    let polls = 0;
    const looked = new Map<string, number>();
    const reports: PlanActivities = {
      readRunRequests: async () => [...requests],
      lookAtGate: async (_execution, { node: id }) => {
        const at = looked.get(id) ?? 0;
        looked.set(id, at + 1);
        return looks[id]!.at(Math.min(at, looks[id]!.length - 1))!;
      },
      openCallback: async () => ({ token: 'token' }),
      lookAtCallback: async () => ({ state: 'succeeded', message: 'shipped', outputs: { id: 7 } }),
      lookAtCriterion: async () => ({ holds: true }),
      lookAtFact: async () => ({ holds: true }),
      lookAtExternal: async () =>
        (polls += 1) < 3 ? { state: 'running', message: `step ${polls}` } : { state: 'succeeded' },
      lookAtWhen: async (_execution, id) =>
        whens[id] === false ? { state: 'skip', message: 'when is false: false' } : { state: 'begin' },
      reportPlanRun: async (_execution, { nodes = [] }) => ({
        exists: !nodes.some(({ id }) => id === deletedAt),
        ...(bytes === undefined ? {} : { bytes }),
      }),
    };
    const id = `default.${way}`;
    // A request that asks for work outside says where to call back.
    const asking = { ...action, body: { callback: { url: 'https://gate.example/callbacks/default/webhook/n0' } } };
    const stages = Array.from({ length: nodes }, (_, index) => ({
      name: `n${index}`,
      action: way === 'webhook' && index === 0 ? asking : action,
    }));
    const names = stages.map(({ name: stage }) => stage);
    const input: PlanExecutionInput = {
      spec: { id, stages },
      graph: graph?.(names) ?? chain(names),
      execution: { namespace: 'default', name: way, uid: name },
      ...(historyLimit === undefined ? {} : { historyLimit }),
    };
    await env.withWorker(name, { ...gate.activities(), ...reports }, async () => {
      const handle = await env.client.workflow.start(PLAN_EXECUTION_WORKFLOW, {
        workflowId: workflowIdOf(id),
        taskQueue: name,
        args: [input],
      });
      await play?.(handle);
      await writeRuns(env.client, handle, { ...into, name });
    });
    process.stdout.write(`recorded ${name}\n`);
  }
}
