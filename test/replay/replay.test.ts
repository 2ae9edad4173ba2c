import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { GateRecord } from '../../src/audit/audit-record';
import { toOpaEvent } from '../../src/audit/to-opa-event';
import { parseReleaseConfig } from '../../src/releases/config/parse-release-config';
import { evaluateSnapshot } from '../../src/gate/decisions/evaluate-snapshot';
import { decisionRecord } from '../../src/gate/decisions/to-audit-record';
import { FailureType, type Fault } from '../../src/kernel/failures';
import type { JsonObject, JsonValue } from '../../src/kernel/json';
import type { EvaluatePolicy } from '../../src/rego/evaluation/evaluate-policy';
import { createEvaluator, type Evaluator } from '../../src/rego/evaluation/evaluator';
import type { Release } from '../../src/releases/release';
import type { PolicyBundle } from '../../src/rego/bundle/policy-bundle';
import { buildPolicy } from '../../src/rego/toolchain/build-policy';
import { parseRecord } from '../../src/replay/parse-record';
import type { Candidate } from '../../src/replay/rebuild-snapshot';
import { replay, type ReplayFilter, type ReplayItem } from '../../src/replay/replay';
import type { ReplayReport } from '../../src/replay/replay-report';
import { toReplayMarkdown, toReplayText } from '../../src/replay/report-text';
import { readPieces } from '../../src/replay/sources/read-pieces';
import { itemsOf } from '../../src/replay/text-piece';
import { schemaOf, withPolicy } from '../rego/toolchain/policy-fixture';
import { aFact, aSnapshot, DECISION_TIME_MS } from '../gate/decisions/a-snapshot';

const FACTS: JsonObject = { pending_delta: 120, max_pending: 800, region_health: { eu: { status: 'green' } } };
const provider = { type: 'levelServer', base: 'http://levels', maxAge: '45s' };
const PROVIDERS = { pending_delta: provider, max_pending: provider, region_health: provider };

describe('replay', () => {
  let policy: PolicyBundle;
  let evaluator: Evaluator;
  beforeAll(async () => {
    policy = (await buildPolicy(join(__dirname, '..', '..', 'policy'))).bundle;
    evaluator = createEvaluator({ threads: 1, deadlineMs: 600_000, memoryMiB: 64 });
  });
  afterAll(() => evaluator?.close());

  function candidate(changes: JsonObject = {}, rev = 'c1'): Candidate {
    const document = { limits: { maxDelta: 500, maxPending: 2000 }, facts: PROVIDERS, ...changes };
    const config = parseReleaseConfig(document, { file: 'c' });
    const ref = { policySha: policy.sha, configRev: rev, manifestVersion: 'v1' };
    const release: Release = { ref, policy, config, configDocument: config as unknown as JsonObject, loadedAtMs: 0 };
    return { release, configFacts: {} };
  }

  let made = 0;
  /** A record as production writes it: of a real decision, through JSON, under an id of its own. */
  async function recorded(facts: JsonObject = FACTS, over: Partial<GateRecord> = {}): Promise<GateRecord> {
    const { release } = candidate();
    const list = Object.entries(facts).map(([id, value]) => aFact(id, value as JsonValue, 1_000));
    const snapshot = aSnapshot(list, { release: release.ref, maxAgeMs: { max_pending: 45_000 } });
    const decision = await evaluateSnapshot({ release, snapshot, evaluate: (request) => evaluator.evaluate(request) });
    made += 1;
    const record = { ...decisionRecord(snapshot, decision, {}), decisionID: `decision-${made}`, ...over };
    return JSON.parse(JSON.stringify(record)) as GateRecord;
  }

  async function* once(items: readonly ReplayItem[]): AsyncGenerator<readonly ReplayItem[]> {
    yield items;
  }
  function run(
    records: readonly GateRecord[],
    against = candidate(),
    filter: ReplayFilter = {},
  ): Promise<ReplayReport> {
    return replay(once(records.map((record) => ({ record }))), {
      candidate: against,
      filter,
      evaluate: (request) => evaluator.evaluate(request),
      builtinsOf: async () => ['time.now_ns'],
      maxRows: 10,
    });
  }
  const failure = (type: Fault['type'], factId?: string): Partial<GateRecord> => ({
    outcome: 'error',
    reasons: [],
    errorDetails: [{ type, message: 'then', ...(factId === undefined ? {} : { factId }) }],
  });

  it.each<[string, (record: GateRecord) => Partial<GateRecord>, string]>([
    [
      'an allow without a fact that its release reads',
      ({ usedFacts }) => ({ usedFacts: usedFacts.slice(1) }),
      'not hold',
    ],
    [
      'an allow that lists the error it was',
      () => ({ errorDetails: [{ type: 'PolicyUnavailable', message: 'no release' }], evalDurationNS: 0 }),
      'lists errors',
    ],
    [
      'an allow whose evaluation gave no answer',
      () => ({ errorDetails: [{ type: 'PolicyEvaluation', message: 'stopped' }], evalDurationNS: 0 }),
      'lists errors',
    ],
    ['another deployment', () => ({ deploymentID: 'another' }), 'its policy saw'],
    ['another stage', () => ({ stage: 'another' }), 'its policy saw'],
    ['a longer lease', () => ({ leaseExpiresAt: '2027-01-01T00:00:00.000Z' }), 'lease ends at 2027'],
    ['no lease', () => ({ leaseExpiresAt: undefined }), 'lease ends at none'],
  ])('replay does not reproduce a record altered to have %s', async (_what, alter, why) => {
    const record = await recorded();
    expect(record.outcome).toBe('allow');
    const { notReproduced, rows, counts } = await run([{ ...record, ...alter(record) }]);
    expect(notReproduced).toBe(1);
    expect(counts.same).toBe(0);
    expect(rows['not-reproduced'][0]?.newReasons.join('; ')).toContain(why);
    // What another release made is compared, and not judged.
    expect((await run([{ ...record, ...alter(record), configRev: 'c0' }])).notReproduced).toBe(0);
  });

  it('replay does not reproduce the second one of two records with one id', async () => {
    const record = await recorded();
    const other = { ...record, decisionID: 'other' };
    const { notReproduced, rows, decisions, counts } = await run([record, other, record]);
    expect({ notReproduced, decisions, counts }).toMatchObject({
      notReproduced: 1,
      decisions: 3,
      counts: { same: 2, changed: 1 },
    });
    expect(rows['not-reproduced']).toMatchObject([
      { decisionID: record.decisionID, newReasons: ['the same record was there before'] },
    ]);
  });

  it('replay reads events of a decision log: the gate’s own of -o opa, and OPA’s', async () => {
    const allowed = await recorded();
    const denied = await recorded({ ...FACTS, pending_delta: 900 });
    const failed = { ...allowed, decisionID: 'failed', ...failure('FactStale', 'max_pending') };
    const moved = { ...(await recorded()), deploymentID: 'another' };
    const events = [allowed, denied, failed, moved].map((record) => toOpaEvent(record));
    const [event] = events;
    const opas = { ...event, decision_id: 'own', labels: { id: 'opa-1' }, bundles: { some: { revision: policy.sha } } };
    const items = [...events, opas, { ...event, decision_id: 'x', input: { user: 'ann' } }].map((value, index) => ({
      line: index + 1,
      text: JSON.stringify(value),
    }));
    const report = await replay(once(items), {
      candidate: candidate(),
      filter: {},
      evaluate: (request) => evaluator.evaluate(request),
      builtinsOf: async () => [],
      maxRows: 10,
    });
    expect(report).toMatchObject({
      decisions: 5,
      counts: { same: 3, changed: 1, 'not-replayable': 1 },
      notReproduced: 1,
      rows: { 'not-reproduced': [{ newReasons: [expect.stringContaining('is of deployment another')] }] },
      brokenLines: 1,
      broken: [{ line: 6, why: expect.stringContaining('without input.deployment') }],
    });
    expect(Object.keys(report.causes)).toEqual([expect.stringContaining('does not hold the ages')]);
  });

  it('replay decides the same under the release that made the decisions, bit for bit', async () => {
    const records = [
      await recorded(),
      await recorded({ ...FACTS, max_pending: 3100, pending_delta: 501 }),
      await recorded({ ...FACTS, region_health: { eu: { status: 'red' }, us: { status: 'grey' } } }),
    ];
    expect(records.map(({ outcome }) => outcome)).toEqual(['allow', 'deny', 'deny']);
    expect(await run(records)).toMatchObject({ decisions: 3, counts: { same: 3 }, notReproduced: 0, causes: {} });
  });

  it('replay reproduces whatever was decided by its own release', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          pending_delta: fc.oneof(fc.integer({ min: 499, max: 501 }), fc.integer({ min: 0 }), fc.constant(-1)),
          max_pending: fc.oneof(fc.integer({ min: 1999, max: 2001 }), fc.constant('many')),
          region_health: fc.dictionary(
            fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
            fc.record({ status: fc.constantFrom('green', 'red', '') }),
            { maxKeys: 3 },
          ),
        }),
        async (facts) => {
          const report = await run([await recorded(facts as JsonObject)]);
          expect(report).toMatchObject({ counts: { same: 1 }, notReproduced: 0 });
        },
      ),
      { numRuns: 100 },
    );
  });

  it('replay never newly denies more when limits rise, and never newly allows more when they fall', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(4000), fc.nat(4000), fc.nat(4000), async (pending, limit, rise) => {
        const record = await recorded({ ...FACTS, max_pending: pending });
        const at = (maxPending: number): Candidate =>
          candidate({ limits: { maxDelta: 500, maxPending } }, `c${maxPending}`);
        const now = (await run([record], at(limit))).counts;
        const higher = (await run([record], at(limit + rise))).counts;
        expect(higher['newly-denied']).toBeLessThanOrEqual(now['newly-denied']);
        expect(now['newly-allowed']).toBeLessThanOrEqual(higher['newly-allowed']);
      }),
      { numRuns: 50 },
    );
  });

  it('replay tells who would be allowed and denied now, and why, then and now', async () => {
    const lower = candidate({ limits: { maxDelta: 500, maxPending: 500 } }, 'c2');
    const higher = candidate({ limits: { maxDelta: 500, maxPending: 5000 } }, 'c3');
    const denied = await recorded({ ...FACTS, max_pending: 3100 });
    expect(await run([await recorded()], lower)).toMatchObject({
      counts: { 'newly-denied': 1 },
      reasons: { max_pending_limit_exceeded: { then: 0, now: 1 } },
      rows: {
        'newly-denied': [
          {
            deploymentID: 'd1',
            stage: 'canary',
            oldOutcome: 'allow',
            oldReasons: [],
            newReasons: ['max_pending limit exceeded: current 800 > configured 500'],
          },
        ],
      },
    });
    expect(await run([denied], higher)).toMatchObject({
      counts: { 'newly-allowed': 1 },
      reasons: { max_pending_limit_exceeded: { then: 1, now: 0 } },
      rows: { 'newly-allowed': [{ oldOutcome: 'deny', newOutcome: 'allow', newReasons: [] }] },
    });
  });

  it('replay takes a denial for the same when only the numbers in its sentences differ, except under its own release', async () => {
    const denied = await recorded({ ...FACTS, max_pending: 3100 });
    const lower = candidate({ limits: { maxDelta: 500, maxPending: 500 } }, 'c2');
    expect((await run([denied], lower)).counts.same).toBe(1);
    const other = { ...denied, reasons: ['max_pending limit exceeded: current 3100 > configured 2001'] };
    expect(await run([other])).toMatchObject({
      counts: { changed: 1 },
      notReproduced: 1,
      rows: { 'not-reproduced': [{ builtins: ['time.now_ns'] }] },
    });
  });

  it('replay takes a denial for another reason for a change', async () => {
    const denied = await recorded({ ...FACTS, max_pending: 3100 }, { configRev: 'older' });
    expect((await run([{ ...denied, reasons: ['quota: x'] }])).counts.changed).toBe(1);
    expect((await run([{ ...denied, reasons: ['no code at all'] }])).counts.changed).toBe(1);
  });

  it('replay judges ages again, by the candidate’s max ages at the recorded time', async () => {
    const impatient = candidate({ facts: { ...PROVIDERS, max_pending: { ...provider, maxAge: '500ms' } } }, 'c2');
    const report = await run([await recorded()], impatient);
    expect(report.counts.changed).toBe(1);
    expect(report.rows.changed[0]?.newReasons[0]).toContain('at most 500ms old, found it 1s old');
    const stale = await recorded(FACTS, failure(FailureType.FactStale, 'max_pending'));
    expect((await run([{ ...stale, configRev: 'older' }])).counts['newly-allowed']).toBe(1);
  });

  it('replay takes facts of the configuration from the candidate', async () => {
    const report = await run([await recorded()], { ...candidate({}, 'c2'), configFacts: { max_pending: 9000 } });
    expect(report.counts['newly-denied']).toBe(1);
  });

  it('replay refuses a fact of the future, as the collector does', async () => {
    const record = await recorded();
    const [first, ...others] = record.usedFacts;
    const ahead = { ...first!, observedAt: new Date(DECISION_TIME_MS + 60_000).toISOString() };
    const report = await run([{ ...record, configRev: 'older', usedFacts: [ahead, ...others] }]);
    expect(report.rows.changed[0]?.newReasons[0]).toContain('to be observed before the decision');
  });

  it.each<[string, Partial<GateRecord>, string]>([
    ['holds masked values', { masked: ['/input/max_pending'] }, 'the record holds masked values'],
    ['is of an unknown version', { schemaVersion: 2 as never }, "the record's schemaVersion 2 is unknown"],
    ['lacks a fact', { usedFacts: [] }, 'the record does not hold the fact max_pending'],
    [
      'lacks a fact that failed',
      { usedFacts: [], ...failure(FailureType.FactSourceUnavailable, 'max_pending') },
      'the record does not hold the fact max_pending, which failed then (FactSourceUnavailable)',
    ],
    ['is of no time', { timestamp: '2026-03-01 10:00:00Z' }, 'the timestamp of the record is no time'],
    [
      'holds a fact of no time',
      { usedFacts: [{ id: 'max_pending', value: 1, observedAt: 'now', collectedAt: 'now', source: 'x' }] },
      'the record holds no time of the fact max_pending',
    ],
    [
      'was made without a release',
      failure(FailureType.PolicyUnavailable),
      'the decision failed before any policy was asked (PolicyUnavailable)',
    ],
    ['lacks the deployment', { deployment: undefined }, 'the record does not hold the deployment as the policy saw it'],
    [
      'lacks attributes',
      { deployment: { stage_index: 0 } },
      'the record does not hold the deployment as the policy saw it',
    ],
  ])('replay says exactly why a record cannot be replayed that %s', async (_what, over, cause) => {
    const report = await run([await recorded(FACTS, { configRev: 'older', ...over })]);
    expect(report).toMatchObject({ counts: { 'not-replayable': 1, changed: 0 }, causes: { [cause]: 1 } });
  });

  it('replay replays what the filters let pass', async () => {
    const records = [
      await recorded(),
      await recorded(FACTS, { deploymentID: 'd2', stage: 'prod', timestamp: '2026-03-01T00:00:00.000Z' }),
      await recorded({ ...FACTS, max_pending: 3100 }),
      await recorded(FACTS, { kind: 'pause' }),
    ];
    const seen = async (filter: ReplayFilter): Promise<number> => (await run(records, candidate(), filter)).decisions;
    expect(await seen({})).toBe(3);
    expect(await seen({ deploymentID: 'd2' })).toBe(1);
    expect(await seen({ stage: 'canary' })).toBe(2);
    expect(await seen({ outcome: 'deny' })).toBe(1);
    expect(await seen({ since: '2026-02-01T00:00:00.000Z' })).toBe(1);
    expect(await seen({ until: '2026-02-01T00:00:00.000Z' })).toBe(2);
  });

  it('replay keeps no more rows than asked for, and counts all', async () => {
    const record = await recorded();
    const lower = candidate({ limits: { maxDelta: 500, maxPending: 500 } }, 'c2');
    const report = await run(
      Array.from({ length: 40 }, () => record),
      lower,
    );
    expect(report.counts['newly-denied']).toBe(40);
    expect(report.rows['newly-denied']).toHaveLength(10);
    expect(toReplayText(report, 'x')).toContain('and 30 more');
    expect(toReplayMarkdown(report, 'x')).toContain('and 30 more');
  });

  it('replay counts many different causes and codes together once they are too many', async () => {
    const records = await Promise.all(
      Array.from({ length: 210 }, (_value, index) => recorded(FACTS, { schemaVersion: (index + 10) as never })),
    );
    const { causes } = await run(records);
    expect(Object.keys(causes)).toHaveLength(201);
    expect(causes.other).toBe(10);
    const coded = await Promise.all(
      Array.from({ length: 210 }, (_value, index) =>
        recorded({ ...FACTS, max_pending: 3100 }, { configRev: 'older', reasons: [`code ${index}: x`] }),
      ),
    );
    expect(Object.keys((await run(coded)).reasons).length).toBeLessThanOrEqual(201);
  });

  it('replay ends when the policy cannot be asked at all', async () => {
    const options = { candidate: candidate(), filter: {}, builtinsOf: async () => [], maxRows: 1 };
    const evaluate = () => Promise.reject(new Error('no thread'));
    const record = await recorded();
    await expect(replay(once([{ record }]), { ...options, evaluate })).rejects.toThrow('no thread');
  });

  it.each<[string, string, string]>([
    ['is no JSON', '{', 'cannot be parsed'],
    ['has a key twice', '{"kind":"decision","kind":"decision"}', 'the same key is twice'],
    ['has a number that would be rounded', '{"n":9007199254740992}', 'expected n to be a whole number'],
    ['is no object', '[]', 'expected a JSON object'],
    ['lacks a name', '{"kind":"decision"}', 'lacks the text decisionID, and has "kind"'],
    ['has no time', '{"decisionID":"a","kind":"x","deploymentID":"d","stage":"s","timestamp":"soon"}', 'to be a time'],
  ])('replay does not take for a record a line that %s', (_what, line, why) => {
    expect(parseRecord(line)).toEqual({ why: expect.stringContaining(why) });
  });

  it.each<[string, object, string]>([
    ['outcome', { outcome: 'maybe' }, 'outcome'],
    ['reasons', { reasons: [1] }, 'reasons'],
    ['faults', { errorDetails: [{}] }, 'errorDetails'],
    ['facts', { usedFacts: [{ id: 'a', value: 1, observedAt: 'soon' }] }, 'usedFacts'],
  ])('replay does not take for a decision a record with other %s', async (_what, over, why) => {
    const line = JSON.stringify({ ...(await recorded()), ...over });
    expect(parseRecord(line)).toEqual({ why: expect.stringContaining(why) });
  });

  it('replay counts broken lines, and names the first twenty by their numbers', async () => {
    const items = Array.from({ length: 30 }, (_value, index) => ({ line: index + 1, text: index === 3 ? '  ' : '{' }));
    const report = await replay(once(items), {
      candidate: candidate(),
      filter: {},
      evaluate: (request) => evaluator.evaluate(request),
      builtinsOf: async () => [],
      maxRows: 1,
    });
    expect(report.brokenLines).toBe(29);
    expect(report.broken.map(({ line }) => line).slice(0, 4)).toEqual([1, 2, 3, 5]);
    expect(report.broken).toHaveLength(20);
  });

  it('replay lets no reason or name steer the terminal, or stand as a line of its own', async () => {
    const denied = await recorded({
      ...FACTS,
      region_health: { '\u001b]0;owned\u0007\nnewly allowed 0': { status: 'red' } },
    });
    const was: Partial<GateRecord> = { outcome: 'allow', reasons: [], configRev: 'older', deploymentID: 'd\r\u202e' };
    const report = await run([
      { ...denied, ...was },
      { ...denied, reasons: ['\u001b[2J'], configRev: 'older' },
    ]);
    for (const text of [toReplayText(report, '\u001b[2Jx'), toReplayMarkdown(report, '\u001b[2Jx')]) {
      expect(text).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
      expect(text).not.toMatch(/^newly allowed/m);
      expect(text).toContain('u001b');
    }
  });

  it('replay accuses no one of an evaluation that was stopped then: its own release cannot tell, another one can', async () => {
    const stopped = await recorded(FACTS, { ...failure('PolicyEvaluation'), evalDurationNS: 0 });
    expect(await run([stopped])).toMatchObject({
      counts: { 'not-replayable': 1, 'newly-allowed': 0 },
      notReproduced: 0,
      causes: {
        'the evaluation gave no answer then, though the same release does now: it or its worker was stopped': 1,
      },
      reasons: {},
    });
    expect((await run([stopped], candidate({}, 'c2'))).counts['newly-allowed']).toBe(1);
    const answered = await recorded(FACTS, { ...failure('PolicyEvaluation'), evalDurationNS: 7 });
    expect((await run([answered])).notReproduced).toBe(1);
  });

  it('replay replays no record of a later version, whatever that holds', async () => {
    const line = JSON.stringify({ ...(await recorded()), schemaVersion: 2, usedFacts: {}, outcome: 'perhaps' });
    const parsed = parseRecord(line);
    const report = await run('record' in parsed ? [parsed.record as GateRecord] : []);
    expect(report.causes).toEqual({ "the record's schemaVersion 2 is unknown": 1 });
  });

  describe('records of other evaluators', () => {
    const RULES = `package gate

response := {"allow": count(deny_reasons) == 0, "deny_reasons": deny_reasons}

deny_reasons contains "stage is red" if input.health[input.deployment.stage] == "red"

deny_reasons contains sprintf("over: %d", [input.pending]) if input.pending > 5
`;
    let own: Candidate;
    beforeAll(async () => {
      const properties = {
        health: { type: 'object', additionalProperties: { type: 'string' } },
        pending: { type: 'integer' },
      };
      const files = { 'gate.rego': RULES, 'input.json': schemaOf(properties) };
      const { bundle } = await withPolicy(files, (dir) => buildPolicy(dir));
      const { release } = candidate({ facts: { health: provider, pending: provider } });
      own = {
        release: { ...release, ref: { ...release.ref, policySha: bundle.sha }, policy: bundle },
        configFacts: {},
      };
    });

    /** As the compiled module alone decided; the stage is canary. */
    async function ofModule(facts: JsonObject, over: Partial<GateRecord> = {}): Promise<GateRecord> {
      const { plan: _, ...policy } = own.release.policy;
      const list = Object.entries(facts).map(([id, value]) => aFact(id, value as JsonValue, 1_000));
      const snapshot = aSnapshot(list, { release: own.release.ref, maxAgeMs: {} });
      const evaluate: EvaluatePolicy = (request) => evaluator.evaluate(request);
      const decision = await evaluateSnapshot({ release: { ...own.release, policy }, snapshot, evaluate });
      made += 1;
      const record = { ...decisionRecord(snapshot, decision, {}), decisionID: `decision-${made}`, ...over };
      return JSON.parse(JSON.stringify(record)) as GateRecord;
    }
    const GREEN = { canary: 'green' };
    const ABSENT = { prod: 'green' };

    it('records of other evaluators are compared all the same', async () => {
      const { evaluation: _, ...unnamed } = await ofModule({ health: GREEN, pending: 1 });
      const report = await run([unnamed, await ofModule({ health: GREEN, pending: 9 })], own);
      expect(report).toMatchObject({ counts: { same: 2, 'evaluator-changed': 0 }, notReproduced: 0 });
    });

    it('records of other evaluators count as evaluator-changed where only what is noted now differs', async () => {
      const allowed = await ofModule({ health: ABSENT, pending: 1 });
      const denied = await ofModule({ health: ABSENT, pending: 9 });
      expect([allowed.outcome, denied.outcome]).toEqual(['allow', 'deny']);
      const report = await run([allowed, denied], own);
      expect(report).toMatchObject({ counts: { same: 0, changed: 0, 'evaluator-changed': 2 }, notReproduced: 0 });
      expect(report.rows['evaluator-changed']).toMatchObject([
        {
          oldOutcome: 'allow',
          newOutcome: 'error',
          newReasons: [expect.stringContaining('input.health.canary')],
          oldEvaluators: ['opa-wasm 1.10.0'],
        },
        { oldOutcome: 'deny', newOutcome: 'error' },
      ]);
      for (const shown of [toReplayText(report, 'x'), toReplayMarkdown(report, 'x')])
        expect(shown).toContain('opa-wasm 1.10.0');
    });

    it('records of other evaluators count as what they are where more than notes differs', async () => {
      const denied = await ofModule({ health: ABSENT, pending: 9 });
      const report = await run(
        [
          { ...denied, outcome: 'allow', reasons: [] },
          { ...denied, reasons: ['over: 8'] },
        ],
        own,
      );
      expect(report).toMatchObject({ counts: { changed: 2, 'evaluator-changed': 0 }, notReproduced: 2 });
    });

    it('records of these evaluators never count as evaluator-changed', async () => {
      const denied = await ofModule({ health: ABSENT, pending: 9 });
      const evaluation = { evaluators: ['plan 1 (OPA 1.22.2)'], secondOpinion: 'not-asked' };
      const others = [
        { ...denied, evaluation },
        { ...denied, evaluation: { ...evaluation, budget: { steps: 1, elements: 1, characters: 1 } } },
      ];
      expect((await run(others, own)).counts).toMatchObject({ changed: 1, 'evaluator-changed': 1 });
    });
  });

  describe('as a table in Markdown', () => {
    it('the Markdown table lets no reason break out of its cell', async () => {
      const record = await recorded({ ...FACTS, region_health: { 'a|b\n<img>': { status: 'red' } } });
      const report = await run([{ ...record, outcome: 'allow', reasons: [], configRev: 'older' }]);
      const text = toReplayMarkdown(report, './policy');
      expect(text).toContain('a\\|b \\<img\\>');
      expect(text).toContain(
        '| the same | newly allowed | newly denied | changed | evaluator changed | not replayable |',
      );
    });

    it('the Markdown table sends no one a notification, and shows entities and strokes as they were written', async () => {
      const record = await recorded({ ...FACTS, region_health: { '@acme/all &lt; ~~eu~~': { status: 'red' } } });
      const report = await run([{ ...record, outcome: 'allow', reasons: [], configRev: 'older' }]);
      expect(toReplayMarkdown(report, 'x')).toContain('@\u200bacme/all \\&lt; \\~\\~eu\\~\\~');
    });

    it('the Markdown table shows causes, reasons, and what was not reproduced', async () => {
      const denied = await recorded({ ...FACTS, max_pending: 3100 });
      const report = await run([
        { ...denied, reasons: ['max_pending limit exceeded: other'] },
        await recorded(FACTS, { masked: ['/input/x'] }),
      ]);
      for (const shown of [toReplayText(report, 'x'), toReplayMarkdown(report, 'x')]) {
        expect(shown).toContain('Not reproduced');
        expect(shown).toContain('time.now');
        expect(shown).toMatch(/masked values(: | \| )1/);
      }
    });
  });

  describe('lines of a file', () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'gate-lines-'));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    const lines = async (content: string | Uint8Array): Promise<ReplayItem[]> => {
      const file = join(folder, 'lines');
      writeFileSync(file, content);
      const all: ReplayItem[] = [];
      for await (const piece of readPieces(file, 'lines')) all.push(...itemsOf(piece));
      return all;
    };

    it.each([
      ['', []],
      ['a', ['a']],
      ['a\nb\n', ['a', 'b']],
      ['a\n\nb', ['a', '', 'b']],
    ])('lines of a file of %j are %j', async (content, expected) => {
      expect((await lines(content)).map((item) => 'text' in item && item.text)).toEqual(expected);
    });

    it('lines of a file are whole however they are cut, with their numbers', async () => {
      const long = Array.from({ length: 20_000 }, (_value, index) => `${index} ü€😀${'x'.repeat(index % 50)}`);
      const items = await lines(long.join('\n'));
      expect(items.map((item) => 'text' in item && item.text)).toEqual(long);
      expect(items.at(-1)).toMatchObject({ line: 20_000 });
    });

    it('lines of a file come from a stream as well', async () => {
      const all: ReplayItem[] = [];
      for await (const piece of readPieces(Readable.from([Buffer.from('a\nb')]), 'stdin')) all.push(...itemsOf(piece));
      expect(all).toHaveLength(2);
    });

    it('lines of a file are waited for no longer once the reading is to end', async () => {
      const stop = new AbortController();
      const reading = readPieces(new Readable({ read: () => undefined }), 'stdin', stop.signal).next();
      stop.abort();
      await expect(reading).rejects.toMatchObject({ type: 'ConfigInvalid' });
    });

    it.each<[string, () => Promise<unknown>, string]>([
      [
        'a file that is not there',
        async () => readPieces(join(folder, 'none'), 'none').next(),
        'none: cannot be read (ENOENT)',
      ],
      ['a folder', async () => readPieces(folder, 'folder').next(), 'cannot be read (EISDIR)'],
      [
        'bytes that are no UTF-8',
        () => lines(Uint8Array.from([0x61, 0x0a, 0xff, 0x0a])),
        'expected lines of JSON in UTF-8',
      ],
      ['a file without line ends', () => lines('x'.repeat(17 * 1024 * 1024)), 'lines:1: expected lines of JSON'],
    ])('lines of a file refuse %s', async (_what, read, why) => {
      await expect(read()).rejects.toMatchObject({ type: 'ConfigInvalid', message: expect.stringContaining(why) });
    });
  });
});
