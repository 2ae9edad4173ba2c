import { randomUUID } from 'node:crypto';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { median, perSecond, type BenchRow } from './bench-row';
import { startStageEnvironment } from './stage-environment';

const IN_FLIGHT = 200;
const { EventType } = temporal.api.enums.v1;

type Kind = 'gated' | 'oneNormalTwoLocal' | 'threeNormal';
const KINDS: readonly Kind[] = ['gated', 'oneNormalTwoLocal', 'threeNormal'];

/** A gated stage without an action against bare workflows of no-op activities on the same server and worker. */
export async function benchGatedStage({ rounds = 3, runs = 600 } = {}): Promise<BenchRow[]> {
  const { client, taskQueue, stop } = await startStageEnvironment();
  const start = (kind: Kind): Promise<WorkflowHandle> => startOne(client, taskQueue, kind);
  const rate = (kind: Kind): Promise<number> => perSecond(runs, IN_FLIGHT, async () => (await start(kind)).result());
  try {
    // The first runs compile code and open connections; none of the three should pay for it.
    for (const kind of KINDS) await rate(kind);
    const alone = { gated: await pathOf(await start('gated')), bare: await pathOf(await start('oneNormalTwoLocal')) };
    const found: Record<Kind, number[]> = { gated: [], oneNormalTwoLocal: [], threeNormal: [] };
    for (let round = 0; round < rounds; round++) {
      for (const kind of KINDS) found[kind].push(await rate(kind));
    }
    return rowsOf(alone, found);
  } finally {
    await stop();
  }
}

interface HistoryPath {
  events: number;
  /** workflow tasks and activity tasks that went through the server */
  hops: number;
}

function rowsOf(alone: { gated: HistoryPath; bare: HistoryPath }, found: Record<Kind, number[]>): BenchRow[] {
  const { gated, bare } = alone;
  const against = (kind: Kind, baseline: string, least: number): BenchRow => {
    const [ours, base] = [median(found.gated), median(found[kind])];
    const ratio = ours / base;
    const name = `Gated stages, ${IN_FLIGHT} in flight`;
    return { name, baseline, ours, base, ratio, target: `>= ${least}`, met: ratio >= least, unit: '/s' };
  };
  return [
    {
      name: 'History of a gated stage without an action',
      baseline: '1 normal and 2 local no-ops',
      ours: gated.events,
      base: bare.events,
      ratio: gated.events / bare.events,
      target: '<= 16 events',
      met: gated.events <= 16,
      unit: 'events',
    },
    {
      name: 'Hops through the server, alone',
      baseline: '1 normal and 2 local no-ops',
      ours: gated.hops,
      base: bare.hops,
      ratio: gated.hops / bare.hops,
      target: '<= 1',
      met: gated.hops <= bare.hops,
      unit: 'tasks',
    },
    against('oneNormalTwoLocal', '1 normal and 2 local no-ops', 0.8),
    against('threeNormal', '3 normal no-ops', 1.3),
  ];
}

function startOne(client: Client, taskQueue: string, kind: Kind): Promise<WorkflowHandle> {
  const id = `bench-${randomUUID()}`;
  const options = { taskQueue, workflowId: `deployment/${id}` };
  if (kind !== 'gated') return client.workflow.start(kind, options);
  return client.workflow.start('deployment', { ...options, args: [{ spec: { id, stages: [{ name: 'only' }] } }] });
}

async function pathOf(handle: WorkflowHandle): Promise<HistoryPath> {
  await handle.result();
  const { events } = await handle.fetchHistory();
  const count = (type: number): number => (events ?? []).filter((event) => event.eventType === type).length;
  const hops =
    count(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) + count(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
  return { events: events?.length ?? 0, hops };
}
