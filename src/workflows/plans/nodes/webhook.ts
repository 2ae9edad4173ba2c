import { isJsonObject, type JsonObject } from '../../../kernel/json';
import { NodePhase } from '../../../plans/kinds/phases';
import { rest } from '../../parts/rest';
import type { NodeEnd, NodeRun } from '../node-run';
import { lookAtCallback, openCallback } from '../plan-activities';
import { runTask } from './task';

/**
 * Work of somebody else is asked for by a request, which passes the gate as a task does, and then waited for until it is called
 * back. The request carries a token; whoever has it may say once how the work ended.
 */
export async function runWebhook(run: NodeRun): Promise<NodeEnd> {
  const { node, execution, attempt, branches, nudges, rests, kept, keep } = run;
  const before = isJsonObject(kept) ? kept : {};
  let sent: NodeEnd | undefined = before.sent as unknown as NodeEnd | undefined;
  if (sent === undefined) {
    // Kept: a request that is repeated in another run is the same one, token and all.
    const token =
      typeof before.token === 'string'
        ? before.token
        : (await openCallback(execution, { node: node.id, attempt }))?.token;
    if (token === undefined) return { phase: NodePhase.Failed, message: 'its Execution was deleted' };
    keep({ token });
    sent = await runTask(withToken(run, token), { isNewEachTime: true });
    if (sent.phase !== NodePhase.Succeeded) return sent;
    keep({ sent: sent as unknown as JsonObject });
  }
  let state: 'done' | 'failed' | 'aborted' = 'aborted';
  branches.show(node.id, 'waiting');
  run.tell('Running', 'waits to be called back');
  try {
    for (;;) {
      const seen = nudges.count;
      const answer = await lookAtCallback(execution, { node: node.id, attempt });
      if (answer !== undefined) {
        const { message } = answer;
        state = answer.state === 'failed' ? 'failed' : 'done';
        if (answer.state === 'failed') return { phase: NodePhase.Failed, message };
        const { decisionId } = sent;
        return {
          phase: NodePhase.Succeeded,
          ...(decisionId === undefined ? {} : { decisionId }),
          ...(message === undefined ? {} : { message }),
          ...(answer.outputs === undefined ? {} : { outputs: answer.outputs }),
        };
      }
      await rest(() => nudges.count !== seen, Infinity, rests);
    }
  } finally {
    branches.show(node.id, state);
  }
}

/** The request says by which token it is answered. Its outputs come with the answer. */
function withToken(run: NodeRun, token: string): NodeRun {
  const { stage, attempt } = run;
  const action = stage.action as unknown as JsonObject & { body: JsonObject & { callback: JsonObject } };
  const body = { ...action.body, attempt, callback: { ...action.body.callback, token } };
  const { outputs: _later, ...node } = run.node;
  return { ...run, node, stage: { ...stage, action: { ...action, body } as never } };
}
