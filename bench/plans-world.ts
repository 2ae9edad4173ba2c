import { API_VERSION } from '../src/plans/object';

/** The goal `goal-N`. */
export function goalOf(goal: number): object {
  return object('Goal', `goal-${goal}`, { description: 'To be reached' });
}

/**
 * One of ten plans of a goal, `plan-GOAL-AT`: three series of three versions, the last of which supersedes the first's head, and a
 * plan without one.
 *
 * @param more of its spec, in place of what it has
 */
export function planOf(goal: number, at: number, more: object = {}, name = `plan-${goal}-${at}`): object {
  const series = Math.floor(at / 3);
  const version = { series: `s${series}`, version: `1.${at % 3}.0` };
  return object('Plan', name, {
    description: 'A way to reach it',
    goalRef: { name: `goal-${goal}` },
    ...(series === 3 ? {} : version),
    ...(at === 8 ? { supersedes: [{ name: `plan-${goal}-2` }] } : {}),
    graph: {
      nodes: [
        { id: 'build', kind: 'Task', capabilityRefs: [{ name: 'build' }] },
        { id: 'deploy', kind: 'Task', dependsOn: ['build'], capabilityRefs: [{ name: 'deploy' }] },
      ],
    },
    ...more,
  });
}

function object(kind: string, name: string, spec: object): object {
  return { apiVersion: API_VERSION, kind, metadata: { name, namespace: 'default', generation: 1 }, spec };
}
