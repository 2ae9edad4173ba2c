import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { GateRecord } from '../../src/audit/audit-record';
import type { Candidate } from '../../src/replay/rebuild-snapshot';
import { replay, type ReplayFilter, type ReplayItem } from '../../src/replay/replay';
import type { ReplayReport } from '../../src/replay/replay-report';
import { toReplayMarkdown, toReplayText } from '../../src/replay/report-text';
import { aRecord } from '../audit/a-record';
import { loopingCandidate } from './threads/looping-candidate';

const STALE = { type: 'FactStale', message: 'Expected n to be fresh', factId: 'n' } as const;
type Finding = 'allow' | 'deny' | 'deny as old' | 'error';
const FOUND: Record<Finding, Partial<GateRecord>> = {
  allow: { outcome: 'allow', reasons: [] },
  deny: { outcome: 'deny', reasons: ['n over: 11'] },
  'deny as old': { outcome: 'deny', reasons: ['n old: 11'] },
  error: { outcome: 'error', reasons: [], errorDetails: [STALE] },
};
type Step = Finding | 'pause' | 'resolved' | 'resume' | 'recheck';

const usedFacts = Object.entries({ n: 3, do: 'answer' }).map(([id, value]) => {
  const at = '2026-11-01T12:00:00.000Z';
  return { id, value, observedAt: at, collectedAt: at, source: 'test' };
});
const deployment = { id: 'd', stage: 's', stage_index: 0, attributes: {}, stage_attributes: {} };

function record(step: Step, over: Partial<GateRecord> = {}): GateRecord {
  const plain = { usedFacts, deployment, evaluation: undefined, ...over };
  if (step in FOUND) return aRecord({ ...plain, ...FOUND[step as Finding] });
  return aRecord({ ...plain, kind: step as GateRecord['kind'], outcome: undefined, reasons: [] });
}

describe('a replay of the records of an earlier release', () => {
  let candidate: Candidate;
  beforeAll(async () => {
    candidate = await loopingCandidate();
  });

  async function run(records: readonly GateRecord[], size = records.length, filter: ReplayFilter = {}) {
    async function* batches(): AsyncGenerator<readonly ReplayItem[]> {
      for (let at = 0; at < records.length; at += size)
        yield records.slice(at, at + size).map((one) => ({ record: one }));
    }
    return replay(batches(), {
      candidate,
      filter,
      evaluate: async () => ({ response: { allow: true, deny_reasons: [] }, evalDurationNs: 1 }),
      builtinsOf: async () => [],
      maxRows: 3,
    });
  }
  const steps = (...names: Step[]): GateRecord[] => names.map((name) => record(name));
  const counted = ({ decisions, rechecks }: ReplayReport) => [decisions, rechecks];

  it.each<[string, Step[], number, number]>([
    ['a wait', ['deny', 'deny', 'deny', 'allow'], 2, 2],
    ['a wait whose reasons change', ['deny', 'deny as old', 'deny as old', 'deny'], 3, 1],
    ['a pause', ['error', 'pause', 'error', 'error'], 1, 2],
    ['a pause that recovered and that no one resumed', ['error', 'pause', 'allow', 'allow', 'allow'], 2, 2],
    ['a pause that an operator resumed in vain', ['error', 'pause', 'error', 'resume', 'error', 'error'], 2, 2],
    ['two pauses', ['error', 'pause', 'allow', 'resolved', 'error', 'pause', 'error'], 3, 1],
    ['a wait of this release', ['deny', 'recheck', 'deny'], 2, 0],
  ])(
    'a replay of the records of an earlier release leaves out the rechecks of %s',
    async (_of, names, decisions, rechecks) => {
      expect(counted(await run(steps(...names)))).toEqual([decisions, rechecks]);
    },
  );

  it('a replay of the records of an earlier release counts one that is there twice once, in whatever batches', async () => {
    const { policySha: policySHA, configRev } = candidate.release.ref;
    const own = record('allow', { policySHA, configRev });
    const whole = await run([own, own, own]);
    expect(whole).toMatchObject({ decisions: 1, rechecks: 2 });
    expect(await run([own, own, own], 1)).toEqual(whole);
  });

  it('a replay of the records of an earlier release takes what this release recorded: each of its decisions was followed', async () => {
    const evaluation = { instance: '1@host', evaluators: ['plan'], secondOpinion: 'agreed' };
    const records = [record('allow', { evaluation }), record('allow', { evaluation })];
    expect(counted(await run(records))).toEqual([2, 0]);
  });

  it('a replay of the records of an earlier release compares the records of one stage of one workflow', async () => {
    const names = ['a', 'b', 'a', 'b'];
    const stages = names.map((stage) => record('deny', { stage }));
    expect(counted(await run(stages))).toEqual([2, 2]);
    const workflows = names.map((name) => record('deny', { workflowID: name }));
    expect(counted(await run(workflows))).toEqual([2, 2]);
    expect(counted(await run(names.map(() => record('deny', { workflowID: undefined }))))).toEqual([4, 0]);
  });

  it('a replay of the records of an earlier release knows the records around a decision that its filter leaves out', async () => {
    const records = steps('deny', 'allow', 'deny', 'deny');
    expect(counted(await run(records, 4, { outcome: 'deny' }))).toEqual([2, 1]);
  });

  it('a replay of the records of an earlier release finds the same however they are cut into batches', async () => {
    const step = fc.constantFrom<Step>('allow', 'deny', 'deny as old', 'error', 'pause', 'resume', 'resolved');
    const records = fc.array(fc.tuple(step, fc.constantFrom('a', 'b')), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(records, fc.integer({ min: 1, max: 9 }), async (given, size) => {
        const made = given.map(([name, stage]) => record(name, { stage }));
        expect(await run(made, size)).toEqual(await run(made));
      }),
      { numRuns: 200 },
    );
  });

  it('a replay of the records of an earlier release says how many rechecks it left out', async () => {
    const report = await run(steps('deny', 'deny', 'deny'));
    expect(toReplayText(report, 'c')).toContain('Left out: 2 rechecks of earlier releases');
    expect(toReplayMarkdown(report, 'c')).toContain('Left out: 2 rechecks of earlier releases');
    expect(toReplayText(await run(steps('deny')), 'c')).not.toContain('Left out');
  });
});
