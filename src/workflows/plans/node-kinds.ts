import type { RunKind } from '../../plans/execution/plan-run';
import type { RunNodeOfKind } from './node-run';
import { runGate } from './nodes/gate';
import { runTask } from './nodes/task';

/** What each kind of node does. One that is absent is refused when an execution is created. */
export const NODE_KINDS: Partial<Record<RunKind, RunNodeOfKind>> = { Task: runTask, Gate: runGate };
