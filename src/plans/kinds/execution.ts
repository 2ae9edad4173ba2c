import { Type, type Static } from '../../platform/documents/typebox';
import type { PlanObject } from '../object';
import { ExecutionPhase, NodePhase } from './phases';
import {
  Anything,
  Conditions,
  Context,
  Free,
  LooseReference,
  objectSchema,
  oneOf,
  Reference,
  Time,
} from './common-schemas';

const ExecutionSpec = Type.Object({
  planRef: Reference,
  goalRef: Type.Optional(LooseReference),
  bindingRef: Type.Optional(LooseReference),
  nodeBindings: Type.Optional(
    Type.Unsafe<Record<string, Static<typeof Reference>>>({ type: 'object', additionalProperties: Reference }),
  ),
  runtimeRef: Type.Optional(LooseReference),
  parameters: Type.Optional(Free),
  context: Type.Optional(Context),
});

const NodeStatus = Type.Object({
  phase: Type.Optional(oneOf(Object.values(NodePhase))),
  startTime: Type.Optional(Time),
  completionTime: Type.Optional(Time),
  attempt: Type.Optional(Type.Integer({ minimum: 0 })),
  outputs: Type.Optional(Free),
  message: Type.Optional(Type.String()),
  extensions: Type.Optional(Free),
});

const ExecutionStatus = Type.Object({
  phase: Type.Optional(oneOf(Object.values(ExecutionPhase))),
  runId: Type.Optional(Type.String()),
  reason: Type.Optional(Type.String()),
  message: Type.Optional(Type.String()),
  queuedTime: Type.Optional(Time),
  startTime: Type.Optional(Time),
  completionTime: Type.Optional(Time),
  lastPhaseTransitionTime: Type.Optional(Time),
  specHash: Type.Optional(Type.String()),
  nodeStatuses: Type.Optional(
    Type.Unsafe<Record<string, Static<typeof NodeStatus>>>({ type: 'object', additionalProperties: NodeStatus }),
  ),
  artifacts: Type.Optional(Type.Array(Anything)),
  conditions: Type.Optional(Conditions),
  observedGeneration: Type.Optional(Type.Integer()),
  extensions: Type.Optional(Free),
});

export const ExecutionSchema = objectSchema('Execution', 'One run of a plan', ExecutionSpec, ExecutionStatus);
export type Execution = PlanObject<Static<typeof ExecutionSpec>, Static<typeof ExecutionStatus>>;
