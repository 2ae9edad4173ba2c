import type { WorkflowHandle } from '@temporalio/client';
import { createRuleActivities } from '../src/activities/create-rule-activities';
import { startShardManager, type ShardManagerServer } from '../src/dev/shard-manager';
import type { DomainStep } from '../src/rules/domain';
import type { ruleExecution } from '../src/workflows/rule-execution';
import { writeRuns, type RunsFolder } from '../test/support/history-file';
import { ruleParts, step } from '../test/support/rule-worker';
import { eventually, type TemporalEnv } from '../test/support/temporal-env';

interface Scenario {
  steps: readonly DomainStep[];
  historyLimit?: number;
  prepare?(manager: ShardManagerServer): void;
  play?(handle: WorkflowHandle, manager: ShardManagerServer): Promise<unknown>;
}

const OPERATOR = { actor: 'ann', reason: 'more room' };
const ADD = step('add', { shard: 's6', to: 'n1' });
const MOVE = step('move', { shard: 's4', from: 'n4', to: 'n3' });

const scenarios: Record<string, Scenario> = {
  done: { steps: [ADD, MOVE] },
  'rolled-back': {
    steps: [ADD, MOVE],
    prepare: (manager) => manager.fail({ path: '/s4/moves', method: 'POST', times: 1, fault: { status: 409 } }),
  },
  'rollback-repeated': {
    steps: [ADD, MOVE],
    prepare: (manager) => {
      manager.fail({ path: '/s4/moves', method: 'POST', times: 1, fault: { status: 409 } });
      manager.fail({ path: '/s6/replicas/n1', method: 'DELETE', times: 2, fault: { status: 503 } });
    },
  },
  'aborted-while-moving': {
    steps: [ADD, MOVE],
    prepare: (manager) => void (manager.cluster.moveMs = 60_000),
    play: async (handle, manager) => {
      await eventually('the move', () => manager.requests().calls.some((one) => one.startsWith('GET /v1/operations')));
      await handle.executeUpdate('abort', { args: [OPERATOR] });
    },
  },
  'through-continue-as-new': {
    historyLimit: 40,
    steps: ['n1', 'n2', 'n3', 'n4'].flatMap((to, index, nodes) => [
      step('add', { shard: 's6', to }),
      ...(index === 0 ? [] : [step('remove', { shard: 's6', from: nodes[index - 1]! })]),
    ]),
  },
};

/** Records one history for every way that an execution of rule policies can go, on the stand-in for a shard manager. */
export async function recordExecutions(env: TemporalEnv, into: RunsFolder): Promise<void> {
  for (const [way, scenario] of Object.entries(scenarios)) {
    const name = `rule-execution-${way}`;
    const manager = await startShardManager({ moveMs: 100 });
    try {
      scenario.prepare?.(manager);
      const parts = ruleParts({ managerUrl: manager.url, steps: scenario.steps });
      const defaults = { ...parts.defaults, historyLimit: scenario.historyLimit ?? parts.defaults.historyLimit };
      await env.withWorker(name, createRuleActivities({ ...parts, defaults }), async () => {
        const handle = await env.client.workflow.start<typeof ruleExecution>('ruleExecution', {
          workflowId: `rules/execution/${name}`,
          taskQueue: name,
          args: [{ question: { operation: 'place_shard' }, ...OPERATOR }],
        });
        await scenario.play?.(handle, manager);
        await writeRuns(env.client, handle, { ...into, name });
      });
    } finally {
      await manager.close();
    }
    process.stdout.write(`recorded ${name}\n`);
  }
}
