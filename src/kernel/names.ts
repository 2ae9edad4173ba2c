/** Deployment ids and stage names (gate rules, section 1). */
export const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$';

/** Names that no fact may have, because the policy's input uses them. */
export const RESERVED_INPUT_KEYS = ['deployment', 'decision_time'] as const;

/** The Temporal workflow id of a deployment. */
export function workflowIdOf(deploymentId: string): string {
  return `deployment/${deploymentId}`;
}

/** The Temporal workflow id of a namespace's sweep. */
export const SWEEP_WORKFLOW_ID = 'gate/sweep';

/** The type of the workflow that executes rule policies. */
export const EXECUTION_WORKFLOW = 'ruleExecution';

const EXECUTION_PREFIX = 'rules/execution/';

/** The Temporal workflow id of an execution of rule policies. */
export function executionWorkflowIdOf(executionId: string): string {
  return `${EXECUTION_PREFIX}${executionId}`;
}

/** The execution that a workflow id names. What a schedule started has the schedule's name and a time as its id. */
export function executionIdOf(workflowId: string): string {
  return workflowId.startsWith(EXECUTION_PREFIX) ? workflowId.slice(EXECUTION_PREFIX.length) : workflowId;
}

/** The type of the workflow that replicates images. */
export const IMAGE_SYNC_WORKFLOW = 'imageSync';

/**
 * The Temporal workflow id of a sync of images: the same policies of one installation are not synced twice at once.
 *
 * @param policies ids; @default all
 */
export function imageSyncWorkflowIdOf(taskQueue: string, policies?: readonly string[]): string {
  const named = policies === undefined ? [] : [[...new Set(policies)].sort().join('+')];
  return ['images/sync', taskQueue, ...named].join('/');
}

/** Where the schedules of the policies begin that workers of one task queue execute: a store has a task queue of its own. */
export function schedulePrefixOf(taskQueue: string): string {
  return `gate/rules/${taskQueue}/`;
}

/** The same of the schedules of image policies. */
export function imageSchedulePrefixOf(taskQueue: string): string {
  return `gate/images/${taskQueue}/`;
}
