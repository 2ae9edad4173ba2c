import { canonicalJson } from '../../kernel/canonical-json';
import { sha256 } from '../../kernel/digest';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { toTimestamp } from '../../kernel/time';
import type { SchemaFault } from '../../platform/documents/validate';
import { compileExecution, type CompiledExecution, type PinnedPlan } from '../execution/compile-execution';
import { createExecutionIndex } from '../execution/execution-index';
import { GATE_RUNTIME, type PlanRuntime } from '../execution/plan-run';
import type { Binding } from '../kinds/binding';
import type { Execution } from '../kinds/execution';
import type { Plan } from '../kinds/plan';
import type { PlanObject } from '../object';
import type { WriteSession } from '../store/plan-store';

/**
 * What a new execution that the gate is to run has in its status, or why it is refused: every fault, so that nothing of a plan
 * that cannot be carried out whole is ever begun.
 *
 * @param runtime absent where the server runs no executions
 */
export async function pinPlan(
  session: WriteSession,
  execution: PlanObject,
  { runtime, nowMs }: { runtime?: PlanRuntime; nowMs: number },
): Promise<{ status: JsonObject; faults?: undefined } | { status?: undefined; faults: SchemaFault[] }> {
  const { namespace } = execution.metadata;
  const { planRef } = execution.spec as Execution['spec'];
  const refuse = (pointer: string, sentences: readonly string[]) => ({
    faults: sentences.map((sentence) => ({ pointer, sentence })),
  });
  if (runtime === undefined) {
    const sentence = `expected another runtime than ${GATE_RUNTIME}: this server runs no executions`;
    return refuse('/spec/runtimeRef/name', [sentence]);
  }
  const plan = await session.get({ kind: 'Plan', namespace, name: planRef.name });
  if (plan === undefined)
    return refuse('/spec/planRef/name', [`expected a plan of namespace ${namespace}, got ${planRef.name}`]);
  const goal = (execution.spec as Execution['spec']).goalRef?.name ?? goalOf(plan);
  const other = goal === undefined ? undefined : await underWay(session, namespace, goal);
  if (other !== undefined) return refuse('/spec/goalRef', [other]);
  const { labels, annotations } = plan.metadata;
  const pinned: PinnedPlan = {
    name: plan.metadata.name,
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    spec: plan.spec as unknown as PinnedPlan['spec'],
  };
  const { run, faults } = await compileStored(session, execution, pinned, runtime);
  const found = faults ?? runtime.check(run);
  if (found.length > 0)
    return refuse(
      '/spec/planRef',
      found.map((each) => `plan ${planRef.name}: ${each}`),
    );
  return {
    status: {
      specHash: sha256(canonicalJson(plan.spec as JsonValue)),
      queuedTime: toTimestamp(nowMs),
      extensions: { plan: pinned as unknown as JsonObject },
    },
  };
}

function goalOf({ spec }: PlanObject): string | undefined {
  return (spec as unknown as Plan['spec']).goalRef?.name;
}

/** Why a goal is not executed once more: its phase can follow one execution only. */
export async function underWay(
  session: Pick<WriteSession, 'list'>,
  namespace: string,
  goal: string,
): Promise<string | undefined> {
  const executions = await session.list({ kind: 'Execution', namespace });
  const other = createExecutionIndex(executions).of({ namespace, name: goal });
  if (other === undefined) return undefined;
  const { name, phase } = other;
  return `goal ${goal} is executed by ${name}, which is ${phase}: wait for its end, or end it with gate plans cancel ${name}`;
}

/** The run of an execution with the bindings as they are now. */
export async function compileStored(
  session: Pick<WriteSession, 'list'>,
  execution: PlanObject,
  plan: PinnedPlan,
  runtime: Pick<PlanRuntime, 'callbackUrl'>,
): Promise<CompiledExecution> {
  const bindings = await session.list({ kind: 'Binding', namespace: execution.metadata.namespace });
  return compileExecution({
    execution: execution as unknown as Execution,
    plan,
    bindings: bindings as unknown as Binding[],
    callbackUrl: runtime.callbackUrl(),
  });
}
