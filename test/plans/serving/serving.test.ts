import { describe, expect, test } from '@jest/globals';
import type { JsonObject, JsonValue } from '../../../src/kernel/json';
import type { PlanObject } from '../../../src/plans/object';
import { parseLabelSelector } from '../../../src/plans/selectors/parse-selector';
import { jsonPatch, mergePatch } from '../../../src/plans/serving/patches';
import {
  compareRevisions,
  parseContinueToken,
  parseResourceVersion,
  toContinueToken,
} from '../../../src/plans/serving/resource-version';
import { invalid } from '../../../src/plans/serving/status-object';
import { formatAge, toTable } from '../../../src/plans/serving/table';
import {
  toBookmark,
  toExpired,
  toServerSent,
  toWatchEvent,
  type StoredEvent,
} from '../../../src/plans/serving/watch-events';
import {
  createObject,
  deleteObject,
  replaceObject,
  replaceStatus,
  stamped,
  type WriteOutcome,
} from '../../../src/plans/serving/write-object';
import { aGate, aGoal, anObject, aPlan } from '../objects';

const AT = Date.parse('2026-11-27T10:00:00Z');
const objectOf = (outcome: WriteOutcome): PlanObject => {
  if (!('object' in outcome)) throw new TypeError(JSON.stringify(outcome));
  return outcome.object;
};
const created = (sent: unknown): PlanObject =>
  stamped(objectOf(createObject(sent as PlanObject, { nowMs: AT, uid: 'u-1' })), '7');
const bare = (kind: string, spec: JsonObject, status?: JsonObject): PlanObject => ({
  ...anObject(kind, 'x', spec),
  ...(status === undefined ? {} : { status }),
});
const GOAL = bare('Goal', { description: 'a' });

describe('an object that is created', () => {
  test.each<[string, JsonObject, string, string]>([
    ['Goal', { description: 'a' }, 'Pending', 'Accepted True GoalCreated'],
    ['Plan', aPlan('p').spec as unknown as JsonObject, 'Ready', 'Valid True SchemaValid'],
    ['Capability', { description: 'a' }, 'Available', 'Available True CapabilityRegistered'],
    ['Binding', { rules: [] }, 'Unresolved', 'Resolved False BindingCreated'],
    ['Execution', { planRef: { name: 'p' } }, 'Pending', 'Accepted True ExecutionCreated'],
    ['Gate', { gateType: 'approval', targetRef: { kind: 'Plan', name: 'p' } }, 'Pending', 'Ready False GateCreated'],
  ])('a new %s has its first status', (kind, spec, phase, condition) => {
    const { status, metadata } = created(bare(kind, spec));
    const [first] = status!.conditions as JsonObject[];
    expect([status!.phase, `${first!.type as string} ${first!.status as string} ${first!.reason as string}`]).toEqual([
      phase,
      condition,
    ]);
    expect(metadata).toMatchObject({
      uid: 'u-1',
      generation: 1,
      resourceVersion: '7',
      creationTimestamp: '2026-11-27T10:00:00.000Z',
    });
  });

  test("a new object keeps the phase and the conditions that were sent, and loses what is the controller's", () => {
    const mine = { type: 'Mine', status: 'True' };
    const sent = bare(
      'Goal',
      { description: 'a' },
      {
        phase: 'Executing',
        conditions: [mine, { type: 'PlanResolved', status: 'True' }],
        activePlanRef: { name: 'p' },
        observedGeneration: 9,
      },
    );
    const metadata = { ...sent.metadata, uid: 'theirs', generation: 5, resourceVersion: '3' };
    const outcome = createObject({ ...sent, metadata } as PlanObject, { nowMs: AT, uid: 'u-1' });
    expect(outcome).toMatchObject({ action: 'created', writesStatus: true });
    expect(objectOf(outcome)).toMatchObject({ metadata: { uid: 'u-1', generation: 1 } });
    expect(objectOf(outcome).status).toEqual({ phase: 'Executing', conditions: [mine] });
    expect(objectOf(outcome).metadata).not.toHaveProperty('resourceVersion');
  });

  test("a plan's status is the server's, whatever was sent", () => {
    const { status } = created({
      ...aPlan('p'),
      status: { phase: 'Invalid', nodeCount: 9, conditions: [], note: 'kept' },
    });
    expect(status).toMatchObject({ phase: 'Ready', nodeCount: 1, observedGeneration: 1, note: 'kept' });
  });

  test('a gate cannot be created approved by nobody', () => {
    const status = {
      phase: 'Approved',
      decidedGeneration: 1,
      resolution: { outcome: 'approved', timestamp: '2026-11-27T10:00:00Z' },
    };
    expect(createObject(aGate({}, status) as unknown as PlanObject, { nowMs: AT, uid: 'u' })).toMatchObject({
      action: 'invalid',
    });
  });
});

describe('an object that is replaced', () => {
  const stored = created(GOAL);
  const replaced = (sent: PlanObject, carried?: string, over = stored) =>
    replaceObject(over, sent, { nowMs: AT + 1000, ...(carried === undefined ? {} : { carried }) });

  test('the same object again changes nothing, with or without its status', () => {
    expect(replaced(GOAL)).toMatchObject({ action: 'unchanged', object: stored, warnings: [] });
    expect(replaced(stored)).toMatchObject({ action: 'unchanged', warnings: [] });
    expect(replaced(stored, '7')).toMatchObject({ action: 'unchanged' });
  });

  test('a new spec is a new generation, labels alone are not, and the status stays', () => {
    const spec = objectOf(replaced(bare('Goal', { description: 'b' })));
    expect(spec).toMatchObject({ metadata: { generation: 2, uid: 'u-1' }, status: stored.status! });
    const labelled = objectOf(replaced({ ...GOAL, metadata: { ...GOAL.metadata, labels: { a: 'b' } } }));
    expect(labelled.metadata).toMatchObject({ generation: 1, labels: { a: 'b' } });
    expect(objectOf(replaced(GOAL, undefined, labelled)).metadata).not.toHaveProperty('labels');
  });

  test('a resourceVersion that is not the stored one is a conflict', () => {
    const conflict = { action: 'conflict', message: 'Conflict: resourceVersion mismatch (expected 3, got 7)' };
    expect(replaced(GOAL, '3')).toEqual(conflict);
    expect(replaceStatus(stored, {}, { carried: '3', by: 'client', nowMs: AT })).toEqual(conflict);
    expect(deleteObject(stored, { nowMs: AT, carried: '3' })).toEqual(conflict);
  });

  test('a status that differs is taken with the current resourceVersion, and left out with a warning without it', () => {
    const sent = bare('Goal', { description: 'a' }, { phase: 'Cancelled', activePlanRef: { name: 'p' } });
    const without = replaced(sent);
    expect(without).toMatchObject({ action: 'unchanged', writesStatus: false });
    expect(without).toMatchObject({ warnings: [expect.stringMatching(/^status is not taken/)] });
    const withIt = replaced(sent, '7');
    expect(withIt).toMatchObject({ action: 'updated', writesStatus: true, warnings: [] });
    expect(objectOf(withIt).status).toEqual({ ...stored.status, phase: 'Cancelled' });
  });

  test("what is the controller's stays on a write of the status", () => {
    const status = { ...stored.status, activePlanRef: { name: 'p', namespace: 'default' }, observedGeneration: 1 };
    const resolved = { ...stored, status } as PlanObject;
    const sent = bare('Goal', { description: 'a' }, { phase: 'Cancelled', activePlanRef: { name: 'q' } });
    expect(objectOf(replaced(sent, '7', resolved)).status).toEqual({ ...status, phase: 'Cancelled' });
  });

  test('the spec of an execution does not change', () => {
    const execution = created(bare('Execution', { planRef: { name: 'p' } }));
    const sent = bare('Execution', { planRef: { name: 'q' } });
    expect(replaced(sent, undefined, execution)).toMatchObject({ action: 'invalid', faults: [{ pointer: '/spec' }] });
  });

  test("a gate's rules hold on a main write", () => {
    const gate = created(aGate({ reviewers: ['ann'] }));
    const by = (actor: string) => ({
      ...aGate(
        { reviewers: ['ann'] },
        {
          phase: 'Approved',
          decidedGeneration: 1,
          resolution: { outcome: 'approved', actors: [actor], timestamp: '2026-11-27T10:00:00Z' },
        },
      ),
    });
    expect(replaced(by('eve') as unknown as PlanObject, '7', gate)).toMatchObject({ action: 'invalid' });
    expect(replaced(by('ann') as unknown as PlanObject, '7', gate)).toMatchObject({
      action: 'updated',
      writesStatus: true,
    });
    expect(replaceStatus(gate, by('eve') as unknown as JsonObject, { by: 'client', nowMs: AT })).toMatchObject({
      action: 'invalid',
    });
    expect(replaceStatus(gate, by('ann') as unknown as JsonObject, { by: 'client', nowMs: AT })).toMatchObject({
      action: 'updated',
    });
  });

  test('a gate that was approved and is edited says that the approval is for an older generation, and no fault', () => {
    const status = {
      phase: 'Approved',
      decidedGeneration: 1,
      resolution: { outcome: 'approved', actors: ['ann'], timestamp: '2026-11-27T10:00:00Z' },
    };
    const gate = created(aGate({}, status));
    expect(replaced(aGate({ description: 'new' }) as unknown as PlanObject, undefined, gate)).toMatchObject({
      action: 'updated',
      object: { metadata: { generation: 2 }, status: { decidedGeneration: 1 } },
    });
  });
});

describe('a write of the status', () => {
  const stored = created(GOAL);
  test('a write of the status touches nothing else', () => {
    const outcome = replaceStatus(
      stored,
      { spec: { description: 'other' }, status: { phase: 'Cancelled' } },
      { by: 'client', nowMs: AT },
    );
    expect(objectOf(outcome)).toEqual({ ...stored, status: { phase: 'Cancelled' } });
  });

  test.each<[string, JsonObject, string]>([
    ['no status', {}, 'unchanged'],
    ['the same status', { status: stored.status! }, 'unchanged'],
    ['a phase that does not exist', { status: { phase: 'Done' } }, 'invalid'],
    ['a status that is no object', { status: 'Ready' }, 'invalid'],
  ])('a write of the status with %s is %s', (_what, body, action) => {
    expect(replaceStatus(stored, body, { by: 'client', nowMs: AT }).action).toBe(action);
  });

  test("a client that sends what is the controller's is told that it was left", () => {
    const outcome = replaceStatus(
      stored,
      { status: { ...stored.status, activePlanRef: { name: 'p' } } },
      { by: 'client', nowMs: AT },
    );
    expect(outcome).toMatchObject({
      action: 'unchanged',
      warnings: ["what is the controller's in status was left as it is"],
    });
    const status = { ...stored.status, activePlanRef: { name: 'p', namespace: 'default' } } as JsonObject;
    expect(objectOf(replaceStatus(stored, { status }, { by: 'controller' })).status).toEqual(status);
  });
});

describe('an object that is deleted', () => {
  const held = created({ ...GOAL, metadata: { ...GOAL.metadata, finalizers: ['a'] } });
  test('an object without finalizers goes at once, one with finalizers when the last is gone', () => {
    expect(deleteObject(created(GOAL), { nowMs: AT })).toMatchObject({ action: 'deleted' });
    const going = objectOf(deleteObject(held, { nowMs: AT }));
    expect(going.metadata).toMatchObject({ deletionTimestamp: '2026-11-27T10:00:00.000Z', generation: 1 });
    expect(deleteObject(going, { nowMs: AT + 1 })).toMatchObject({ action: 'unchanged' });
    expect(replaceObject(going, GOAL, { nowMs: AT })).toMatchObject({ action: 'deleted' });
    const more = { ...GOAL, metadata: { ...GOAL.metadata, finalizers: ['a', 'b'] } };
    expect(replaceObject(going, more, { nowMs: AT })).toMatchObject({ action: 'invalid' });
  });
});

describe('patches', () => {
  const document = { a: { b: 1, c: [1, 2] }, metadata: { resourceVersion: '7' } };
  test.each<[JsonValue, JsonValue]>([
    [{ a: { b: null } }, { ...document, a: { c: [1, 2] } }],
    [{ a: { c: [3] } }, { ...document, a: { b: 1, c: [3] } }],
    [{ a: { d: { e: null, f: 1 } } }, { ...document, a: { ...document.a, d: { f: 1 } } }],
    [{ a: 'x' }, { ...document, a: 'x' }],
    [JSON.parse('{"__proto__": {"polluted": 1}}') as JsonValue, document],
    ['x', 'x'],
  ])('the merge patch %j applies', (patch, value) => {
    expect(mergePatch(document, patch)).toEqual({ value });
    expect(({} as JsonObject).polluted).toBeUndefined();
  });

  test('a patch carries a resourceVersion only where it says it itself', () => {
    expect(mergePatch(document, { metadata: { resourceVersion: '7' } }).value).toEqual(document);
    expect(mergePatch(document, { metadata: { resourceVersion: '7' } })).toMatchObject({ carried: '7' });
    const path = '/metadata/resourceVersion';
    expect(jsonPatch(document, [{ op: 'test', path, value: '7' }])).toMatchObject({ carried: '7' });
    expect(jsonPatch(document, [{ op: 'replace', path: '/a/b', value: 2 }])).not.toHaveProperty('carried');
  });

  test.each<[JsonValue, JsonValue]>([
    [[{ op: 'replace', path: '/a/b', value: 2 }], { ...document, a: { ...document.a, b: 2 } }],
    [[{ op: 'add', path: '/a/c/-', value: 3 }], { ...document, a: { b: 1, c: [1, 2, 3] } }],
    [
      [
        { op: 'remove', path: '/a' },
        { op: 'test', path: '/metadata', value: { resourceVersion: '7' } },
      ],
      { metadata: document.metadata },
    ],
    [[{ op: 'move', from: '/a/b', path: '/b' }], { ...document, a: { c: [1, 2] }, b: 1 }],
    [[{ op: 'copy', from: '/a/c', path: '/a/d' }], { ...document, a: { ...document.a, d: [1, 2] } }],
    [[{ op: 'replace', path: '', value: 1 }], 1],
  ])('the JSON patch %j applies', (patch, value) => {
    expect(jsonPatch(document, patch)).toMatchObject({ value });
    expect(document).toEqual({ a: { b: 1, c: [1, 2] }, metadata: { resourceVersion: '7' } });
  });

  test.each<[JsonValue, string]>([
    [{}, 'expected a JSON patch to be a list of operations'],
    [[{ op: 'set', path: '/a' }], 'operation 0: expected op to be one of add, remove, replace, move, copy, test'],
    [[{ op: 'add', path: '/a' }], 'operation 0: expected add to have the key value'],
    [[{ op: 'remove', path: 'a' }], 'operation 0: expected path to be a JSON Pointer'],
    [[{ op: 'remove', path: '/z' }], 'operation 0: remove /z names no value'],
    [[{ op: 'test', path: '/a/b', value: 2 }], 'operation 0: test /a/b found another value'],
    [[{ op: 'add', path: '/__proto__/x', value: 1 }], "operation 0: expected path to name no key of JavaScript's own"],
    [
      [
        { op: 'add', path: '/s', value: 'x'.repeat(100_000) },
        ...Array.from({ length: 10 }, (_, at) => ({ op: 'copy', from: '', path: `/c${at}` })),
      ],
      'operation 6: expected at most 4194304 bytes, got more',
    ],
  ])('a JSON patch that does not apply says why', (patch, fault) => {
    expect(jsonPatch(document, patch)).toEqual({ fault });
  });
});

describe('revisions', () => {
  test.each<[string, string | undefined]>([
    ['', undefined],
    ['0', '0'],
    ['007', '7'],
    ['9223372036854775807', '9223372036854775807'],
  ])('the resourceVersion %j is read', (text, value) => {
    expect(parseResourceVersion(text)).toEqual({ value });
  });
  test.each(['x', '-1', '1.0', ' 1', '9223372036854775808', '1'.repeat(50)])(
    'the resourceVersion %j is refused',
    (text) => {
      expect(parseResourceVersion(text).fault).toMatch(/^expected resourceVersion to be a number/);
    },
  );
  test('revisions are ordered as numbers', () => {
    expect([compareRevisions('9', '10'), compareRevisions('10', '10'), compareRevisions('11', '10')]).toEqual([
      -1, 0, 1,
    ]);
  });
  const continuation = { revision: '12', kind: 'Goal', after: { namespace: 'a', name: 'b-c' } };
  test.each([{ kind: 'Goal' }, { kind: 'Goal', namespace: 'a' }])(
    'a page token comes back as it was for %j',
    (list) => {
      expect(parseContinueToken(toContinueToken(continuation), list).value).toEqual(continuation);
    },
  );
  test.each([
    ['of another kind', toContinueToken(continuation), { kind: 'Plan' }],
    ['of another namespace', toContinueToken(continuation), { kind: 'Goal', namespace: 'b' }],
    ['that was cut off', toContinueToken(continuation).slice(0, -9), { kind: 'Goal' }],
    ['that no server gave', 'bm9uc2Vuc2U', { kind: 'Goal' }],
  ])('a page token %s is refused', (_which, token, list) => {
    expect(parseContinueToken(token, list).fault).toMatch(/^expected continue to be the token of the page before/);
  });
});

describe('a watch', () => {
  const gold = (labels?: Record<string, string>) => ({
    ...GOAL,
    metadata: { ...GOAL.metadata, ...(labels === undefined ? {} : { labels }) },
  });
  const event = (
    type: StoredEvent['type'],
    is?: Record<string, string>,
    was?: Record<string, string>,
  ): StoredEvent => ({
    revision: '8',
    type,
    object: gold(is),
    length: 2,
    writtenMs: 0,
    ...(was === undefined ? {} : { labelsBefore: was }),
  });
  const yes = { tier: 'gold' };
  const labels = parseLabelSelector('tier=gold').value!;
  test.each<[string, StoredEvent, string | undefined]>([
    ['a new object that matches', event('ADDED', yes), 'ADDED'],
    ['a new object that does not', event('ADDED'), undefined],
    ['a change within', event('MODIFIED', yes, yes), 'MODIFIED'],
    ['a change that begins to match', event('MODIFIED', yes), 'ADDED'],
    ['a change that stops to match', event('MODIFIED', { tier: 'tin' }, yes), 'DELETED'],
    ['a change without', event('MODIFIED', { tier: 'tin' }, { tier: 'tin' }), undefined],
    ['a deletion', event('DELETED', yes), 'DELETED'],
    ['a deletion of one that did not match', event('DELETED'), undefined],
  ])('a watcher with a labelSelector is told of %s', (_what, stored, type) => {
    expect(toWatchEvent(stored, { labels })?.type).toBe(type);
    expect(toWatchEvent(stored, { labels, namespace: 'other' })).toBeUndefined();
    expect(toWatchEvent(stored, {})?.type).toBe(stored.type);
  });

  test('events have the form that each kind of client reads', () => {
    const told = toWatchEvent({ ...event('DELETED'), object: created(GOAL) }, {})!;
    const text = toServerSent(told);
    expect(text).toMatch(/^id: 8\ndata: [^\n]+\n\n$/);
    expect(JSON.parse(text.split('data: ')[1]!)).toMatchObject({
      type: 'DELETED',
      rev: '8',
      object: { metadata: { resourceVersion: '7' } },
    });
    expect(toBookmark('Goal', '9')).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'Goal', metadata: { resourceVersion: '9' } },
    });
    expect(toExpired('5')).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
  });
});

describe('tables and errors', () => {
  test('a table has the columns of its kind, and rows with the metadata of their objects', () => {
    const goal = created(aGoal());
    expect(toTable([goal], { kind: 'Goal', nowMs: AT + 90_000 })).toMatchObject({
      kind: 'Table',
      columnDefinitions: [
        { name: 'Name' },
        { name: 'Phase' },
        { name: 'Active Plan' },
        { name: 'Age' },
        { name: 'Description', priority: 1 },
      ],
      rows: [
        {
          cells: ['g', 'Pending', '-', '90s', 'a goal'],
          object: { kind: 'PartialObjectMetadata', metadata: { name: 'g' } },
        },
      ],
    });
  });

  test.each<[number, string]>([
    [-5000, '<invalid>'],
    [0, '0s'],
    [119_000, '119s'],
    [185_000, '3m5s'],
    [600_000, '10m'],
    [19_800_000, '5h30m'],
    [36_000_000, '10h'],
    [3 * 86_400_000, '3d'],
    [800 * 86_400_000, '2y70d'],
  ])('an age of %d ms is shown as %s', (milliseconds, text) => {
    expect(formatAge(milliseconds)).toBe(text);
  });

  test('an error names its first fault and has a cause for each, with its field', () => {
    const faults = [
      { pointer: '/spec/graph/nodes/0/id', sentence: 'expected an id' },
      { pointer: '', sentence: 'expected more' },
    ];
    expect(invalid(faults, { kind: 'plans', name: 'p' })).toMatchObject({
      kind: 'Status',
      status: 'Failure',
      code: 400,
      reason: 'Invalid',
      message: 'Validation failed: spec.graph.nodes[0].id: expected an id (and 1 more)',
      details: {
        kind: 'plans',
        name: 'p',
        causes: [{ field: 'spec.graph.nodes[0].id', message: 'expected an id' }, { field: '' }],
      },
    });
  });
});
