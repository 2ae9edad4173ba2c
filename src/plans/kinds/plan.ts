import { Type, type Static } from '../../platform/documents/typebox';
import type { PlanObject } from '../object';
import {
  Anything,
  Conditions,
  Context,
  Free,
  GoDuration,
  Label,
  LooseReference,
  objectSchema,
  oneOf,
  Reference,
  Texts,
  when,
} from './common-schemas';

/** More than these no plan has: the specification's own bounds. */
const MOST_NODES = 1_000;
const MOST_EDGES = 10_000;

const AcceptanceCriterion = Type.Object(
  {
    type: oneOf(['artifact_exists', 'test_passes', 'endpoint_responds', 'command_succeeds', 'custom']),
    name: Type.String({ minLength: 1 }),
    description: Type.Optional(Type.String()),
    required: Type.Optional(Type.Boolean()),
    path: Type.Optional(Type.String({ minLength: 1 })),
    contentMatch: Type.Optional(Type.String()),
    command: Type.Optional(Type.String({ minLength: 1 })),
    args: Type.Optional(Texts),
    expectedExitCode: Type.Optional(Type.Integer()),
    outputMatch: Type.Optional(Type.String()),
    url: Type.Optional(Type.String({ minLength: 1 })),
    method: Type.Optional(Type.String()),
    expectedStatus: Type.Optional(Type.Integer({ minimum: 100, maximum: 599 })),
    bodyMatch: Type.Optional(Type.String()),
    webhook: Type.Optional(Type.String()),
    webhookUrl: Type.Optional(Type.String()),
    payload: Type.Optional(Anything),
    expectedResponse: Type.Optional(Free),
    timeout: Type.Optional(Type.String()),
    // Of this server alone: a fact of the gate.
    fact: Type.Optional(Type.String({ minLength: 1 })),
    pointer: Type.Optional(Type.String()),
    operator: Type.Optional(oneOf(['eq', 'ne', 'lt', 'lte', 'gt', 'gte'])),
    value: Type.Optional(Anything),
  },
  {
    allOf: [
      when({ type: { enum: ['artifact_exists'] } }, { required: ['path'] }),
      when({ type: { enum: ['test_passes', 'command_succeeds'] } }, { required: ['command'] }),
      when({ type: { enum: ['endpoint_responds'] } }, { required: ['url'] }),
    ],
  },
);

/** Work outside of PlanSpec: its type says which of the three addresses it has. */
const ExternalRef = Type.Object(
  {
    type: oneOf(['uri', 'resource', 'webhook']),
    uri: Type.Optional(Type.String({ minLength: 1 })),
    resourceRef: Type.Optional(Reference),
    webhookUrl: Type.Optional(Type.String({ minLength: 1 })),
  },
  {
    allOf: [
      when({ type: { enum: ['uri'] } }, { required: ['uri'], properties: { resourceRef: false, webhookUrl: false } }),
      when(
        { type: { enum: ['resource'] } },
        { required: ['resourceRef'], properties: { uri: false, webhookUrl: false } },
      ),
      when(
        { type: { enum: ['webhook'] } },
        { required: ['webhookUrl'], properties: { uri: false, resourceRef: false } },
      ),
    ],
  },
);

const without = (...keys: string[]) => ({ properties: Object.fromEntries(keys.map((key) => [key, false])) });

const Node = Type.Object(
  {
    id: Label,
    kind: oneOf(['Task', 'Gate', 'Group', 'External']),
    name: Type.Optional(Type.String()),
    description: Type.Optional(Type.String()),
    capabilityRefs: Type.Optional(Type.Array(Reference)),
    inputs: Type.Optional(Free),
    outputs: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { uniqueItems: true })),
    timeout: Type.Optional(GoDuration),
    retries: Type.Optional(Type.Integer({ minimum: 0, maximum: 10 })),
    when: Type.Optional(Type.String({ description: 'CEL over parameters and nodes.ID.{phase,outputs}' })),
    context: Type.Optional(Context),
    dependsOn: Type.Optional(Texts),
    estimatedEffort: Type.Optional(oneOf(['small', 'medium', 'large', 'xlarge'])),
    acceptanceCriteria: Type.Optional(Type.Array(AcceptanceCriterion)),
    gateRef: Type.Optional(Reference),
    children: Type.Optional(Type.Array(Type.String(), { minItems: 1, uniqueItems: true })),
    mode: Type.Optional(oneOf(['parallel', 'sequence'])),
    externalRef: Type.Optional(ExternalRef),
    pollInterval: Type.Optional(GoDuration),
  },
  {
    allOf: [
      when(
        { kind: { enum: ['Gate'] } },
        {
          required: ['gateRef'],
          ...without('capabilityRefs', 'inputs', 'outputs', 'retries', 'children', 'externalRef'),
        },
      ),
      when({ kind: { enum: ['Group'] } }, { required: ['children'], ...without('gateRef', 'externalRef') }),
      when({ kind: { enum: ['External'] } }, { required: ['externalRef'], ...without('gateRef', 'children') }),
      when({ kind: { enum: ['Task'] } }, without('gateRef', 'children', 'externalRef')),
    ],
  },
);
export type PlanNode = Static<typeof Node>;

const Edge = Type.Object({
  from: Type.String(),
  to: Type.String(),
  type: Type.Optional(oneOf(['hard', 'soft'])),
});

const Graph = Type.Object({
  nodes: Type.Array(Node, { minItems: 1, maxItems: MOST_NODES }),
  edges: Type.Optional(Type.Array(Edge, { maxItems: MOST_EDGES })),
});
export type Graph = Static<typeof Graph>;

const PlanSpec = Type.Object(
  {
    description: Type.String({ minLength: 1 }),
    goalRef: Type.Optional(LooseReference),
    series: Type.Optional(Type.String()),
    version: Type.Optional(Type.String()),
    supersedes: Type.Optional(Type.Array(LooseReference)),
    graphDigest: Type.Optional(Type.String()),
    context: Type.Optional(Context),
    graph: Graph,
  },
  {
    allOf: [
      { if: { required: ['series'] }, then: { required: ['version'] } },
      { if: { required: ['version'] }, then: { required: ['series'] } },
    ],
  },
);

const PlanStatus = Type.Object({
  phase: Type.Optional(oneOf(['Ready', 'Invalid'])),
  nodeCount: Type.Optional(Type.Integer()),
  conditions: Type.Optional(Conditions),
  observedGeneration: Type.Optional(Type.Integer()),
});

export const PlanSchema = objectSchema('Plan', 'A way to reach a goal: a graph of nodes', PlanSpec, PlanStatus);
export type Plan = PlanObject<Static<typeof PlanSpec>, Static<typeof PlanStatus>>;
