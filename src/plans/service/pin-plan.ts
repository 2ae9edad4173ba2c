import { canonicalJson } from '../../kernel/canonical-json';
import { sha256 } from '../../kernel/digest';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { toTimestamp } from '../../kernel/time';
import type { SchemaFault } from '../../platform/documents/validate';
import { compileExecution, type CompiledExecution, type PinnedPlan } from '../execution/compile-execution';
import { hasEnded } from '../execution/follow-run';
import { GATE_RUNTIME, isRunByGate, type PlanRuntime } from '../execution/plan-run';
import type { Binding } from '../kinds/binding';
import type { Execution } from '../kinds/execution';
import type { Plan } from '../kinds/plan';
import type { PlanObject } from '../object';
import type { WriteSession } from '../store/plan-store';

/** The plan that an execution was created for, as it was then; undefined for one that the gate does not run. */
export function pinnedPlanOf({ status }: PlanObject): PinnedPlan | undefined {
  const extensions = status?.extensions;
  const plan = isJsonObject(extensions) ? extensions.plan : undefined;
  return isJsonObject(plan) ? (plan as unknown as PinnedPlan) : undefined;
}

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

/** The name of the goal that an execution which the gate runs is for. */
export function goalNameOf(execution: PlanObject): string | undefined {
  return (execution as unknown as Execution).spec.goalRef?.name ?? pinnedPlanOf(execution)?.spec.goalRef?.name;
}

/** Why a goal is not executed once more: its phase can follow one execution only. */
export async function underWay(
  session: Pick<WriteSession, 'list'>,
  namespace: string,
  goal: string,
): Promise<string | undefined> {
  const executions = await session.list({ kind: 'Execution', namespace });
  const other = executions.find((each) => {
    return isRunByGate(each) && goalNameOf(each) === goal && !hasEnded(each as unknown as Execution);
  });
  if (other === undefined) return undefined;
  const { name } = other.metadata;
  const phase = String(other.status?.phase ?? 'Pending');
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
