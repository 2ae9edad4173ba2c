import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import type { PlanObject } from '../object';
import type { Plan } from '../kinds/plan';
import { withCondition } from '../resolver/conditions';

interface Initial {
  phase: string;
  condition: { type: string; isTrue: boolean; reason: string; message: string };
}

const INITIAL: Readonly<Record<string, Initial>> = {
  Goal: initial('Pending', 'Accepted', true, 'GoalCreated', 'Goal has been accepted'),
  Plan: initial('Ready', 'Valid', true, 'SchemaValid', 'Plan passed schema validation'),
  Capability: initial('Available', 'Available', true, 'CapabilityRegistered', 'Capability is registered'),
  Binding: initial('Unresolved', 'Resolved', false, 'BindingCreated', 'Binding has been created'),
  Execution: initial('Pending', 'Accepted', true, 'ExecutionCreated', 'Execution has been accepted'),
  Gate: initial('Pending', 'Ready', false, 'GateCreated', 'Gate has been created'),
};

/** Kinds of which no controller looks at a generation: the server has seen what it stores. */
const SEEN_AT_ONCE = ['Plan', 'Capability', 'Gate'];

/**
 * The status of an object when it is created: the phase and the conditions that the client sent, else the kind's first ones.
 * A plan's are the server's at all times.
 *
 * @param sent what the client sent, without what is the controller's
 */
export function initialStatus(object: PlanObject, sent: JsonObject, nowMs: number): JsonObject {
  const generation = object.metadata.generation ?? 1;
  if (object.kind === 'Plan') return planStatus(object as unknown as Plan, sent, nowMs);
  const { phase, condition } = INITIAL[object.kind]!;
  const { type, isTrue, reason, message } = condition;
  const wanted = { type, status: isTrue ? 'True' : 'False', reason, message, observedGeneration: generation } as const;
  const hasConditions = Array.isArray(sent.conditions) && sent.conditions.length > 0;
  return {
    ...waitsFor(object),
    ...sent,
    phase: sent.phase ?? phase,
    conditions: hasConditions ? sent.conditions! : [...withCondition(undefined, wanted, nowMs)],
    ...(SEEN_AT_ONCE.includes(object.kind) ? { observedGeneration: generation } : {}),
  };
}

/** Why a new execution stays as it is. */
function waitsFor({ kind, spec }: PlanObject): JsonObject {
  if (kind !== 'Execution' || isJsonObject(spec.runtimeRef)) return {};
  const message =
    'spec.runtimeRef names no runtime, so nothing runs this execution; gate server runs those of runtime gate';
  return { reason: 'NoRuntime', message };
}

/** A stored plan is valid: the server says so with each write, whatever a client sends. */
export function planStatus({ spec, metadata }: Plan, before: JsonObject, nowMs: number): JsonObject {
  const { condition, phase } = INITIAL.Plan!;
  const { type, reason, message } = condition;
  const observedGeneration = metadata.generation ?? 1;
  const valid = { type, status: 'True', reason, message, observedGeneration } as const;
  const kept = Array.isArray(before.conditions) ? before.conditions.filter((each) => isValid(each)) : [];
  return {
    ...before,
    phase,
    nodeCount: spec.graph.nodes.length,
    conditions: [...withCondition(kept, valid, nowMs)],
    observedGeneration,
  };
}

/** What the server sees the generation of when it stores an object: kinds without a controller. */
export function seenGeneration({ kind, metadata }: PlanObject): { observedGeneration?: number } {
  return SEEN_AT_ONCE.includes(kind) ? { observedGeneration: metadata.generation ?? 1 } : {};
}

function isValid(condition: JsonValue): boolean {
  return isJsonObject(condition) && condition.type === 'Valid';
}

function initial(phase: string, type: string, isTrue: boolean, reason: string, message: string): Initial {
  return { phase, condition: { type, isTrue, reason, message } };
}
