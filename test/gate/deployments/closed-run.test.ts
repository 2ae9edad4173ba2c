import { describe, expect, it } from '@jest/globals';
import { closedRecord, closedStatus, openPause, remainingStatus } from '../../../src/gate/deployments/closed-run';
import { endedAct } from '../../../src/gate/deployments/end-records';
import { aRecord } from '../../audit/a-record';

const RUN = {
  deploymentId: 'd',
  workflowId: 'deployment/d',
  runId: 'run-1',
  taskQueue: 'gate',
  end: 'terminated',
  closedAtMs: Date.UTC(2026, 10, 26, 12),
} as const;
const pause = (id: string, minute: number) =>
  aRecord({ kind: 'pause', decisionID: id, reason: 'FactStale', timestamp: `2026-11-26T12:0${minute}:00.000Z` });

describe('a run that Temporal ended without telling it', () => {
  it('the open pause is the newest one that no record resolves', () => {
    const resolved = aRecord({ kind: 'resolved', refersTo: 'second' });
    expect(openPause([pause('first', 1), pause('third', 3), pause('second', 2), resolved])).toMatchObject({
      id: 'third',
      reason: 'FactStale',
      startedAtMs: Date.UTC(2026, 10, 26, 12, 3),
    });
    expect(openPause([pause('second', 2), resolved])).toBeUndefined();
    expect(openPause([])).toBeUndefined();
  });

  it('the record of the end has the id that the workflow itself would have given it', () => {
    const status = remainingStatus({ deploymentId: 'd', state: 'terminated', stage: 'fleet' });
    const record = closedRecord(RUN, { ...status, endReason: 'terminated in Temporal by ann: wrong cluster' });
    const own = endedAct({ ...RUN, stage: 'fleet' }, { end: 'done', by: 'gate', reason: '' }, [], 0);
    expect(record).toMatchObject({
      decisionID: own.id,
      stage: 'fleet',
      timestamp: '2026-11-26T12:00:00.000Z',
      actor: 'temporal',
      details: { end: 'terminated', stages: {} },
    });
  });

  it('the record of the end has a stage also where nothing tells which one it was', () => {
    const status = remainingStatus({ deploymentId: 'd', state: 'terminated' });
    expect(closedRecord(RUN, status).stage).toBe('unknown');
  });

  it('the stages of a workflow that does not answer are unknown', () => {
    const spec = { stages: [{ name: 'canary' }, { name: 'fleet' }] };
    expect(remainingStatus({ deploymentId: 'd', state: 'timed-out', stage: 'fleet', spec })).toMatchObject({
      state: 'timed-out',
      stageIndex: 1,
      stages: [
        { name: 'canary', state: 'unknown' },
        { name: 'fleet', state: 'unknown' },
      ],
    });
  });

  it('a deployment that had ended before its workflow was terminated keeps its own end', () => {
    const done = { ...remainingStatus({ deploymentId: 'd', state: 'done' }), endReason: 'every stage is done' };
    expect(closedStatus(done, 'terminated', 'terminated in Temporal')).toEqual(done);
  });
});
