import { Script } from 'node:vm';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { shortText } from '../../kernel/short-text';
import type { ExecutionRef } from '../execution/plan-run';
import { evaluateWhen, type WhenAnswer, type WhenContext, type WhenLook } from '../execution/when';
import { pinnedPlanOf } from '../execution/pinned-plan';
import type { Execution } from '../kinds/execution';
import { NodePhase } from '../kinds/phases';
import type { PlanStore } from '../store/plan-store';
import { ofRun } from './of-run';

/** Of one expression: a thousand times what one needs that goes through no long lists. */
const MOST_MS = 500;
const MOST_CHARS = 200;

/**
 * Whether a node is to run. What it reads is in the status of its Execution, where the run told it before; whoever asks twice
 * gets one answer.
 *
 * @throws GateError StoreUnavailable
 */
export async function lookAtWhen(store: PlanStore, ref: ExecutionRef, node: string): Promise<WhenLook> {
  const stored = await ofRun(store, ref);
  const plan = stored && pinnedPlanOf(stored);
  if (stored === undefined || plan === undefined) return { state: 'fail', message: 'its Execution was deleted' };
  const { when } = plan.spec.graph.nodes.find(({ id }) => id === node) ?? {};
  if (when === undefined) return { state: 'begin' };
  const { holds, fault } = evaluateInTime(when, contextOf(stored as unknown as Execution));
  if (holds === true) return { state: 'begin' };
  const text = shortText(when, MOST_CHARS);
  if (holds === false) return { state: 'skip', message: `when is false: ${text}` };
  return { state: 'fail', message: `when has no answer: ${fault}, in ${text}` };
}

/** Stopped by the engine itself: what an expression goes through may be long, and it holds up the whole process meanwhile. */
export function evaluateInTime(when: string, context: WhenContext, mostMs = MOST_MS): WhenAnswer {
  try {
    const run = (): WhenAnswer => evaluateWhen(when, context);
    return new Script('run()').runInNewContext({ run }, { timeout: mostMs }) as WhenAnswer;
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    return { fault: `it took longer than ${mostMs} ms` };
  }
}

function contextOf({ spec, status }: Execution): WhenContext {
  const nodes = Object.entries(status?.nodeStatuses ?? {}).map(([id, { phase = NodePhase.Pending, outputs }]) => {
    const known = isJsonObject(outputs as JsonValue) ? (outputs as JsonObject) : {};
    return [id, { phase, outputs: known }] as const;
  });
  return { parameters: (spec.parameters ?? {}) as JsonObject, nodes: Object.fromEntries(nodes) };
}
