import type { RunKind } from '../../plans/execution/plan-run';
import type { RunNodeOfKind } from './node-run';
import { runExternal } from './nodes/external';
import { runGate } from './nodes/gate';
import { runTask } from './nodes/task';
import { runWebhook } from './nodes/webhook';

/** What each kind of node does. */
export const NODE_KINDS: Record<RunKind, RunNodeOfKind> = {
  Task: (run) => runTask(run),
  Gate: runGate,
  External: (run) => (run.node.callsBack === true ? runWebhook(run) : runExternal(run)),
};
