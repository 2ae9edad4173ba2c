import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import { quietRuntime } from '../../src/platform/temporal/quiet-runtime';
import { bundleOptions } from '../../src/built-workflows';
import { keptBundle } from '../support/kept-bundle';
import { decodeHistory, type HistoryFile } from '../support/history-file';

const HISTORIES = join(__dirname, '..', 'histories');

const recorded = readdirSync(HISTORIES, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.json'))
  .sort();

function read(name: string): HistoryFile {
  return JSON.parse(readFileSync(join(HISTORIES, name), 'utf8')) as HistoryFile;
}

describe('recorded histories of released versions', () => {
  let workflowBundle: WorkflowBundle;
  beforeAll(async () => {
    quietRuntime({ Runtime, DefaultLogger });
    workflowBundle = await keptBundle(bundleOptions(false));
  });

  it('recorded histories of released versions are there', () => {
    expect(recorded.length).toBeGreaterThanOrEqual(10);
  });

  it.each(recorded)('%s replays without a difference', async (name) => {
    const file = read(name);
    await Worker.runReplayHistory({ workflowBundle }, decodeHistory(file), file.workflowId);
  });

  it('recorded histories of released versions that differ from the code are noticed', async () => {
    const name = recorded.find((candidate) => candidate.endsWith('allowed-with-actions.json')) ?? '';
    const file = read(name);
    const history = decodeHistory(file);
    // As if the code of that release had scheduled another activity.
    for (const event of history.events ?? []) {
      const scheduled = event.activityTaskScheduledEventAttributes;
      if (scheduled?.activityType) scheduled.activityType.name = 'another';
    }
    await expect(Worker.runReplayHistory({ workflowBundle }, history, file.workflowId)).rejects.toMatchObject({
      name: 'DeterminismViolationError',
    });
  });
});
