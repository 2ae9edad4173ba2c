import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020';
import type { JsonObject, JsonValue } from '../../../src/kernel/json';
import { checkObject, faultSentence, unknownFields } from '../../../src/plans/kinds/check-object';
import { parseGoDuration } from '../../../src/plans/kinds/go-duration';
import { KINDS, kindNamed, publishedDocumentSchema, publishedSchema } from '../../../src/plans/kinds/kinds';
import { anObject, aPlan } from '../objects';

const faultsOf = (value: unknown): string[] => checkObject(value as JsonValue).faults.map(faultSentence);
const goal = (spec: JsonObject, over: JsonObject = {}): unknown => ({
  ...anObject('Goal', 'g', { description: 'a', ...spec }),
  ...over,
});
const nodes = (...list: JsonObject[]): unknown => aPlan('p', { graph: { nodes: list } });
const task = (id: string, over: JsonObject = {}): JsonObject => ({ id, kind: 'Task', ...over });

describe('objects', () => {
  test('every kind of object is taken, with keys that its schema does not know', () => {
    const objects = [
      goal({ extra: 1 }, { more: { a: [1] } }),
      aPlan('p', { supersedes: [{ name: 'q' }], series: 's', version: '1' }),
      anObject('Capability', 'c', { description: 'a', category: 'a-b' }),
      anObject('Binding', 'b', {
        rules: [{ selector: { capabilityRef: { name: 'c' } }, target: { provider: 'http' } }],
      }),
      anObject('Execution', 'e', { planRef: { name: 'p' }, nodeBindings: { a: { name: 'b' } } }),
      anObject('Gate', 'x', { gateType: 'sign-off', targetRef: { kind: 'Plan', name: 'p' } }),
    ];
    for (const object of objects)
      expect(checkObject(object as unknown as JsonValue)).toMatchObject({ object, faults: [] });
  });

  test('every fault of an object is told in one answer, with its path', () => {
    const bad = {
      apiVersion: 'planspec.io/v1',
      kind: 'Plan',
      metadata: { name: '1st', labels: { a: 1 } },
      spec: {
        description: '',
        version: 1.1,
        graph: {
          nodes: [
            { id: 'a', kind: 'Task', retries: 11, dependsOn: ['b'] },
            { id: 'A_b', kind: 'Tsk' },
            { id: 'g', kind: 'Gate', inputs: {} },
            { id: 'e', kind: 'External', externalRef: { type: 'uri', webhookUrl: 'http://x' } },
          ],
        },
      },
    };
    expect(faultsOf(bad)).toMatchInlineSnapshot(`
      [
        "apiVersion: expected apiVersion to be "planspec.io/v1alpha1", got "planspec.io/v1"",
        "metadata: expected metadata to have the key namespace, but it is missing",
        "metadata.name: expected metadata.name to be a lower-case name that begins with a letter and has letters, digits and inner hyphens, got "1st"",
        "metadata.labels.a: expected metadata.labels.a to be a text, got a number",
        "spec: expected spec to have the key series, but it is missing",
        "spec.description: expected spec.description to be a text that is not empty, got """,
        "spec.version: expected spec.version to be a text, got a number; write it in quotes: version: "1.10"",
        "spec.graph.nodes[0].retries: expected spec.graph.nodes[0].retries to be at most 10, got 11",
        "spec.graph.nodes[1].id: expected spec.graph.nodes[1].id to be a lower-case name that begins with a letter and has letters, digits and inner hyphens, got "A_b"",
        "spec.graph.nodes[1].kind: expected spec.graph.nodes[1].kind to be one of Task, Gate, Group, External, got "Tsk"",
        "spec.graph.nodes[2]: expected spec.graph.nodes[2] to have the key gateRef, but it is missing",
        "spec.graph.nodes[2].inputs: expected no key inputs here, got an empty object",
        "spec.graph.nodes[3].externalRef: expected spec.graph.nodes[3].externalRef to have the key uri, but it is missing",
        "spec.graph.nodes[3].externalRef.webhookUrl: expected no key webhookUrl here, got a text",
      ]
    `);
  });

  test('faults of the graph are told beside those of the rest', () => {
    const plan = { ...aPlan('p', { graph: { nodes: [task('a'), task('a')] } }), metadata: { name: 'p' } };
    expect(faultsOf(plan)).toEqual([
      'metadata: expected metadata to have the key namespace, but it is missing',
      'spec.graph.nodes[1].id: expected ids that are unique within the plan, but a is that of nodes[0] too',
    ]);
  });

  test.each<[string, unknown, string]>([
    ['no object', [], 'the document: expected an object with apiVersion and kind'],
    [
      'no kind',
      { apiVersion: 'planspec.io/v1alpha1' },
      'the document: expected the document to have the key kind, but it is missing',
    ],
    [
      'an unknown kind',
      { apiVersion: 'planspec.io/v1alpha1', kind: 'Gaol' },
      'kind: expected kind to be one of Goal, Plan, Capability, Binding, Execution, Gate (did you mean Goal?), got "Gaol"',
    ],
    [
      'a name with a trailing hyphen',
      { ...aPlan('p'), metadata: { name: 'p-', namespace: 'a' } },
      'metadata.name: expected metadata.name to be a lower-case name that begins with a letter and has letters, digits and inner hyphens, got "p-"',
    ],
    [
      'a name of 64 characters',
      { ...aPlan('p'), metadata: { name: 'a'.repeat(64), namespace: 'a' } },
      'metadata.name: expected metadata.name to be at most 63 characters, got 64',
    ],
    [
      'a timeout in days',
      goal({ timeout: '1d' }),
      'spec.timeout: expected spec.timeout to be a duration such as 500ms, 45s, 1h30m, got "1d"',
    ],
    [
      'In without values',
      goal({ planSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: [] }] } }),
      'spec.planSelector.matchExpressions[0].values: expected spec.planSelector.matchExpressions[0].values to be a list of at least 1, got 0 items',
    ],
    [
      'Exists with values',
      goal({ planSelector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] } }),
      'spec.planSelector.matchExpressions[0].values: expected spec.planSelector.matchExpressions[0].values to be a list of at most 0, got 1 items',
    ],
    [
      'content beside uris',
      goal({ context: [{ format: 'uri-list', uris: [], content: 'a' }] }),
      'spec.context[0].content: expected no key content here, got a text',
    ],
    [
      'a series without a version',
      aPlan('p', { series: 's' }),
      'spec: expected spec to have the key version, but it is missing',
    ],
    [
      'a version without a series',
      aPlan('p', { version: '1' }),
      'spec: expected spec to have the key series, but it is missing',
    ],
    [
      'a number as version',
      aPlan('p', { series: 's', version: 2 }),
      'spec.version: expected spec.version to be a text, got a number; write it in quotes: version: "1.10"',
    ],
    [
      'a plan that supersedes itself',
      aPlan('p', { supersedes: [{ name: 'p' }] }),
      'spec.supersedes[0].name: expected the name of another plan, but p is this plan itself',
    ],
    ['no nodes', nodes(), 'spec.graph.nodes: expected spec.graph.nodes to be a list of at least 1, got 0 items'],
    [
      'an edge to nowhere',
      aPlan('p', { graph: { nodes: [task('a')], edges: [{ from: 'a', to: 'b' }] } }),
      'spec.graph.edges[0].to: expected the id of a node of this plan, got b; did you mean a?',
    ],
    [
      'dependsOn of nowhere',
      nodes(task('build'), task('b', { dependsOn: ['biuld'] })),
      'spec.graph.nodes[1].dependsOn[0]: expected the id of a node of this plan, got biuld; did you mean build?',
    ],
    [
      'a child that is nowhere',
      nodes({ id: 'g', kind: 'Group', children: ['zzz'] }),
      'spec.graph.nodes[0].children[0]: expected the id of a node of this plan, got zzz',
    ],
    [
      'a node that waits for itself',
      nodes(task('a', { dependsOn: ['a'] })),
      'spec.graph: expected a graph without cycles, but a waits for itself',
    ],
    [
      'a cycle of an edge and dependsOn',
      aPlan('p', {
        graph: {
          nodes: [task('a', { dependsOn: ['c'] }), task('b'), task('c')],
          edges: [
            { from: 'a', to: 'b', type: 'soft' },
            { from: 'b', to: 'c' },
          ],
        },
      }),
      'spec.graph: expected a graph without cycles, but a → b → c → a wait for one another',
    ],
    [
      'a task with a gateRef, which nothing would wait for',
      nodes(task('a', { gateRef: { name: 'g' } })),
      'spec.graph.nodes[0].gateRef: expected no key gateRef here, got an object with the keys name',
    ],
    [
      'outputs that are there twice',
      nodes(task('a', { outputs: ['x', 'x'] })),
      'spec.graph.nodes[0].outputs: expected spec.graph.nodes[0].outputs to be a list without repetitions, got item 1 twice',
    ],
    [
      'a nodeId without its plan',
      anObject('Binding', 'b', { rules: [{ selector: { nodeId: 'a' }, target: { provider: 'http' } }] }),
      'spec.rules[0].selector: expected one of planRef+nodeId, capabilityRef, capabilityRef+planRef, planRef, matchLabels, got nodeId',
    ],
    [
      'a selector that says nothing',
      anObject('Binding', 'b', { rules: [{ selector: {}, target: { provider: 'http' } }] }),
      'spec.rules[0].selector: expected one of planRef+nodeId, capabilityRef, capabilityRef+planRef, planRef, matchLabels, got none of them',
    ],
    [
      'a number that JSON rounds',
      goal({ constraints: { a: 2 ** 53 } }),
      'spec.constraints.a: expected spec.constraints.a to be a whole number within ±(2^53 − 1), got 9007199254740992',
    ],
  ])('an object with %s is refused', (_what, value, fault) => {
    expect(faultsOf(value)).toEqual([fault]);
  });

  test('an object of another kind than the path is refused', () => {
    const { faults } = checkObject(goal({}) as JsonValue, { expected: kindNamed('Plan')! });
    expect(faults.map(faultSentence)).toEqual(['kind: expected kind to be Plan, as the path has it, got Goal']);
  });

  test.each<[JsonObject, string[]]>([
    [
      { phase: 'Approved' },
      [
        'status: expected status to have the key resolution, since the phase is Approved',
        'status: expected status to have the key decidedGeneration, since the phase is Approved',
      ],
    ],
    [
      { phase: 'Waiting', decidedGeneration: 1 },
      ['status: expected status to have the key resolution, since the gate is resolved'],
    ],
    [
      { phase: 'Rejected', decidedGeneration: 1, resolution: { outcome: 'approved', timestamp: 'today' } },
      [
        'status.phase: expected status.phase to be Approved, as status.resolution.outcome has it, got Rejected',
        'status.resolution.timestamp: expected an RFC 3339 time such as 2026-11-26T10:00:00Z',
        'status.resolution.actors: expected at least 1 different actors for approved, got 0',
      ],
    ],
  ])('a gate whose status is %j is refused', (status, faults) => {
    const gate = anObject('Gate', 'x', { gateType: 'approval', targetRef: { kind: 'Plan', name: 'p' } });
    expect(faultsOf({ ...gate, status })).toEqual(faults);
  });

  test('unknown fields are found wherever the schema has keys of its own', () => {
    const plan = aPlan('p', { colour: 'red', graph: { nodes: [task('a', { inputs: { free: 1 }, color: 1 })] } });
    const value = { ...plan, extra: 1, metadata: { ...plan.metadata, labels: { any: 'x' }, lables: {} } };
    expect(unknownFields(kindNamed('Plan')!, value as unknown as JsonObject)).toEqual([
      'metadata.lables',
      'spec.graph.nodes[0].color',
      'spec.colour',
      'extra',
    ]);
  });
});

describe('kinds', () => {
  test.each(KINDS.map(({ kind }) => [kind]))(
    'the published schema of %s is a JSON Schema that says what the server says',
    (kind) => {
      const ajv = new Ajv2020({ strict: false, discriminator: true });
      const check = ajv.compile(publishedSchema(kindNamed(kind)!));
      expect(check({ kind })).toBe(false);
      expect(ajv.compile(publishedDocumentSchema())(aPlan('p'))).toBe(true);
    },
  );
});

describe('durations of Go', () => {
  test.each<[string, number | undefined]>([
    ['45s', 45_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['500ms', 500],
    ['1ns', 1],
    ['1500us', 2],
    ['1500µs', 2],
    ['1500μs', 2],
    ['0s', 0],
    ['1d', undefined],
    ['', undefined],
    ['5', undefined],
    ['-5s', undefined],
    [`${'9'.repeat(20)}h`, undefined],
  ])('the duration %j is %j ms', (text, milliseconds) => {
    expect(parseGoDuration(text)).toBe(milliseconds);
  });
});
