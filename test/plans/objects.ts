import type { JsonObject } from '../../src/kernel/json';
import type { Gate } from '../../src/plans/kinds/gate';
import type { Goal } from '../../src/plans/kinds/goal';
import type { Graph, Plan } from '../../src/plans/kinds/plan';
import { API_VERSION, type ObjectMeta, type PlanObject } from '../../src/plans/object';

type Meta = Partial<ObjectMeta>;

export function anObject(kind: string, name: string, spec: JsonObject, metadata: Meta = {}): PlanObject {
  return { apiVersion: API_VERSION, kind, metadata: { name, namespace: 'default', ...metadata }, spec };
}

export function aGoal(spec: JsonObject = {}, metadata: Meta = {}, status?: JsonObject): Goal {
  const goal = anObject('Goal', 'g', { description: 'a goal', ...spec }, { generation: 1, ...metadata });
  return { ...goal, ...(status === undefined ? {} : { status }) } as unknown as Goal;
}

export const A_GRAPH: Graph = { nodes: [{ id: 'a', kind: 'Task' }] };

export function aPlan(name: string, spec: JsonObject = {}, metadata: Meta = {}): Plan {
  const graph = A_GRAPH as unknown as JsonObject;
  const whole = { description: 'a plan', goalRef: { name: 'g' }, graph, ...spec };
  return anObject('Plan', name, whole, metadata) as unknown as Plan;
}

export function aGate(spec: JsonObject = {}, status?: JsonObject): Gate {
  const whole = { gateType: 'approval', targetRef: { kind: 'Plan', name: 'p' }, ...spec };
  const gate = anObject('Gate', 'gate', whole, { generation: 1 });
  return { ...gate, ...(status === undefined ? {} : { status }) } as unknown as Gate;
}
