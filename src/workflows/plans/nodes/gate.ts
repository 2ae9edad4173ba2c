import { NodePhase } from '../../../plans/kinds/phases';
import { rest } from '../../parts/rest';
import type { NodeEnd, NodeRun } from '../node-run';
import { lookAtGate } from '../plan-activities';

/**
 * A gate waits for the decision of the Gate that it refers to. It looks when the server says that something happened to that;
 * in between a wait costs nothing.
 */
export async function runGate(run: NodeRun): Promise<NodeEnd> {
  const { node, execution, attempt, branches, nudges, rests } = run;
  branches.show(node.id, 'waiting');
  let state: 'done' | 'failed' | 'aborted' = 'aborted';
  try {
    for (let told = ''; ;) {
      const seen = nudges.count;
      const verdict = await lookAtGate(execution, { node: node.id, gate: node.gate!, attempt });
      const { message } = verdict;
      if (verdict.state === 'approved') {
        state = 'done';
        return { phase: NodePhase.Succeeded, message, outputs: { approvers: verdict.actors } };
      }
      if (verdict.state === 'rejected') {
        state = 'failed';
        return { phase: NodePhase.Failed, message };
      }
      if (message !== told) run.tell('Blocked', message);
      told = message;
      await rest(() => nudges.count !== seen, Infinity, rests);
    }
  } finally {
    branches.show(node.id, state);
  }
}
