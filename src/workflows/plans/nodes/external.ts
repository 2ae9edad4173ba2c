import { isJsonObject } from '../../../kernel/json';
import { MOST_UNKNOWN, pauseAfter, SHOWN_UNKNOWN } from '../../../plans/execution/external-look';
import { NodePhase } from '../../../plans/kinds/phases';
import { rest } from '../../parts/rest';
import { steadyNow } from '../../parts/steady-now';
import type { NodeEnd, NodeRun } from '../node-run';
import { lookAtExternal } from '../plan-activities';

/** Work of somebody else is asked how far it is until it says that it is over. Nothing is started, so no gate is passed. */
export async function runExternal(run: NodeRun): Promise<NodeEnd> {
  const { node, branches, rests, kept, keep } = run;
  const { uri, intervalMs } = node.external!;
  const before = isJsonObject(kept) ? kept : {};
  let unknown = Number(before.unknown ?? 0);
  let wakeAtMs = Number(before.wakeAtMs ?? 0);
  let told = '';
  let state: 'done' | 'failed' | 'aborted' = 'aborted';
  branches.show(node.id, 'waiting');
  try {
    for (;;) {
      if (wakeAtMs > steadyNow()) await rest(() => false, wakeAtMs, rests);
      const look = await lookAtExternal({ uri, outputs: node.outputs ?? [] });
      if (look.state === 'succeeded') {
        state = 'done';
        const { message, outputs } = look;
        return {
          phase: NodePhase.Succeeded,
          ...(message === undefined ? {} : { message }),
          ...(outputs === undefined ? {} : { outputs }),
        };
      }
      unknown = look.state === 'unknown' ? unknown + 1 : 0;
      if (look.state === 'failed' || unknown >= MOST_UNKNOWN) {
        state = 'failed';
        const times = look.state === 'failed' ? '' : `, ${unknown} times in a row`;
        return { phase: NodePhase.Failed, message: `${look.message}${times}` };
      }
      const message = look.message ?? '';
      const phase = unknown >= SHOWN_UNKNOWN ? 'Blocked' : 'Running';
      if (`${phase} ${message}` !== told && (look.state === 'running' || phase === 'Blocked')) {
        run.tell(phase, message === '' ? undefined : message);
        told = `${phase} ${message}`;
      }
      wakeAtMs = steadyNow() + pauseAfter(intervalMs, unknown);
      keep({ unknown, wakeAtMs });
    }
  } finally {
    branches.show(node.id, state);
  }
}
