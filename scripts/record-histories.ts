// Records one history for every way that a deployment, an execution of rule policies or of a plan can go, into
// test/histories/<version>/. Run once a release, before it is tagged and after package.json has its version; a released
// folder is never recorded again, because it stands for workflows that run somewhere. --into NAME writes a folder of its
// own, for workflow code that changed before the release; --only deployments|executions|syncs|plans leaves the others as they are.
import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { version } from '../package.json';
import { DeploymentClient } from '../src/clients/deployment-client';
import type { StageSpec } from '../src/gate/deployments/deployment-spec';
import type { DeploymentStatus } from '../src/gate/deployments/deployment-state';
import { workflowIdOf } from '../src/kernel/names';
import { statusQuery } from '../src/workflows/messages';
import { FakeGateActivities } from '../test/fakes/fake-gate-activities';
import { writeRuns, type RunsFolder } from '../test/support/history-file';
import { eventually, startTemporalEnv, type TemporalEnv } from '../test/support/temporal-env';
import { recordExecutions } from './record-executions';
import { recordPlanRuns } from './record-plan-runs';
import { recordSyncs } from './record-syncs';

const OPERATOR = { actor: 'ann', reason: 'checked by hand' };
const STALE = { type: 'FactStale', message: 'Expected max_pending to be fresh', factId: 'max_pending' } as const;
const DENIED = { outcome: 'deny' as const, reasons: ['max_pending limit exceeded: current 3100 > configured 2000'] };
const http = { type: 'http', method: 'PATCH', url: 'http://127.0.0.1:1/devices' } as const;
const compensated = { ...http, compensation: { method: 'DELETE', url: 'http://127.0.0.1:1/devices' } } as const;

interface Play {
  gate: FakeGateActivities;
  reaches(state: string): Promise<DeploymentStatus>;
  /** of the run that is there now */
  runId(): Promise<string>;
  cancel(): Promise<unknown>;
  call(kind: 'resume' | 'abort' | 'override', meantFor?: string): Promise<unknown>;
}

interface Scenario {
  stages: StageSpec[];
  historyLimit?: number;
  prepare?(gate: FakeGateActivities): void;
  play?(play: Play): Promise<void>;
}

const scenarios: Record<string, Scenario> = {
  'allowed-with-actions': { stages: [{ name: 'canary', action: http }, { name: 'fleet' }] },
  denied: { stages: [{ name: 'canary' }], prepare: (gate) => (gate.verdict = DENIED) },
  'waits-then-allowed': {
    stages: [{ name: 'canary', onDeny: 'wait' }],
    prepare: (gate) => (gate.verdict = DENIED),
    play: async ({ gate, reaches }) => {
      await reaches('waiting');
      gate.verdict = { outcome: 'allow' };
    },
  },
  overridden: {
    stages: [{ name: 'canary', onDeny: 'wait', recheckEvery: '10m', action: http }],
    prepare: (gate) => (gate.verdict = DENIED),
    play: async ({ reaches, call }) =>
      void (await call('override', (await reaches('waiting')).lastDecision?.decisionId)),
  },
  'paused-and-resumed': {
    stages: [{ name: 'canary' }],
    prepare: (gate) => (gate.verdict = { outcome: 'error', faults: [STALE] }),
    play: async ({ gate, reaches, call }) => {
      const { pause } = await reaches('paused');
      gate.verdict = { outcome: 'allow' };
      await call('resume', pause?.id);
    },
  },
  'paused-through-continue-as-new': {
    stages: [{ name: 'canary', autoResume: true }],
    historyLimit: 40,
    prepare: (gate) => {
      gate.verdict = { outcome: 'error', faults: [STALE] };
      gate.stages = { ...gate.stages, remindAfter: '300ms', remindAtMost: '300ms' };
    },
    play: async ({ gate, reaches, runId }) => {
      await reaches('paused');
      const first = await runId();
      await eventually('a second run', async () => (await runId()) !== first);
      gate.verdict = { outcome: 'allow' };
    },
  },
  'waits-with-other-reasons-until-given-up': {
    stages: [{ name: 'canary', onDeny: 'wait', giveUpAfter: '6s' }],
    prepare: (gate) => (gate.verdict = DENIED),
    play: async ({ gate, reaches }) => {
      await reaches('waiting');
      await eventually('two looks', () => gate.looks.length >= 2);
      gate.verdict = { outcome: 'deny', reasons: ['max_delta limit exceeded: current 700 > configured 500'] };
    },
  },
  'cancelled-while-waiting': {
    stages: [{ name: 'canary', onDeny: 'wait' }],
    prepare: (gate) => (gate.verdict = DENIED),
    play: async ({ gate, reaches, cancel }) => {
      await reaches('waiting');
      await eventually('two looks', () => gate.looks.length >= 2);
      await cancel();
    },
  },
  'failed-and-compensated': {
    stages: [{ name: 'canary', action: compensated }],
    prepare: (gate) => (gate.actionFailures = [{ mayHaveBeenSent: true, nonRetryable: true }]),
  },
  'aborted-while-acting': {
    stages: [{ name: 'canary', action: compensated }],
    prepare: (gate) => (gate.actionGate = async (cancelled) => void (await cancelled)),
    play: async ({ reaches, call }) => {
      await reaches('acting');
      await call('abort');
    },
  },
  'audit-store-down': {
    stages: [{ name: 'canary', action: http }],
    prepare: (gate) => (gate.storeDown = true),
    play: async ({ gate, reaches }) => {
      await reaches('paused');
      gate.storeDown = false;
    },
  },
  'leases-lapsed': { stages: [{ name: 'canary', action: http }], prepare: (gate) => (gate.lapses = 2) },
  'decided-on-one-worker': {
    stages: [{ name: 'canary' }],
    prepare: (gate) => (gate.evaluationFailures = ['ReleaseChanged']),
  },
};

async function record(env: TemporalEnv, into: RunsFolder, name: string, scenario: Scenario): Promise<void> {
  const gate = new FakeGateActivities();
  scenario.prepare?.(gate);
  const taskQueue = `record-${name}`;
  const deployments = new DeploymentClient({ client: env.client, taskQueue, deadlineMs: 10_000 });
  const spec = { id: name, stages: scenario.stages };
  await env.withWorker(taskQueue, gate.activities(), async () => {
    const handle = await env.client.workflow.start('deployment', {
      workflowId: workflowIdOf(name),
      taskQueue,
      args: [{ spec, ...(scenario.historyLimit === undefined ? {} : { historyLimit: scenario.historyLimit }) }],
    });
    const reaches = (state: string) =>
      eventually(`${name} to be ${state}`, async () => {
        const status = await handle.query(statusQuery);
        return status.state === state && status;
      });
    const call: Play['call'] = (kind, meantFor) =>
      deployments.call(name, kind, { ...OPERATOR, ...(meantFor === undefined ? {} : { for: meantFor }) });
    const runId = async (): Promise<string> => (await handle.describe()).runId;
    const cancel = (): Promise<unknown> => env.client.workflow.getHandle(workflowIdOf(name)).cancel();
    await scenario.play?.({ gate, reaches, call, runId, cancel });
    await writeRuns(env.client, handle, { ...into, name });
  });
}

function argumentOf(flag: string): string | undefined {
  const at = process.argv.indexOf(flag);
  return at < 0 ? undefined : process.argv[at + 1];
}

async function recordDeployments(env: TemporalEnv, into: RunsFolder): Promise<void> {
  for (const [name, scenario] of Object.entries(scenarios)) {
    await record(env, into, name, scenario);
    process.stdout.write(`recorded ${name}\n`);
  }
}

const KINDS: Record<string, typeof recordDeployments> = {
  deployments: recordDeployments,
  executions: recordExecutions,
  syncs: recordSyncs,
  plans: recordPlanRuns,
};

async function main(): Promise<void> {
  const only = argumentOf('--only');
  const kinds = only === undefined ? Object.values(KINDS) : [KINDS[only]].filter((kind) => kind !== undefined);
  if (kinds.length === 0) throw new Error(`--only knows ${Object.keys(KINDS).join(' and ')}, got ${only}`);
  const folder = resolve(__dirname, '..', 'test', 'histories', argumentOf('--into') ?? version);
  if (existsSync(folder) && !process.argv.includes('--before-release')) {
    throw new Error(
      `${folder} is there: a released version is never recorded again (--before-release says that it is not released yet)`,
    );
  }
  mkdirSync(folder, { recursive: true });
  const env = await startTemporalEnv();
  try {
    for (const recordKind of kinds) await recordKind(env, { folder, recordedBy: version });
  } finally {
    await env.stop();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
