import { ApplicationFailure, CancellationScope, continueAsNew, isCancellation } from '@temporalio/workflow';
import type { DeploymentSpec } from '../gate/deployments/deployment-spec';
import { CARRIED_VERSION, type CarriedGate, type DeploymentStatus } from '../gate/deployments/deployment-state';
import { summarise } from '../gate/deployments/explain';
import { PATCHES, type Patch } from '../gate/deployments/patches';
import { FailureType } from '../kernel/failures';
import type { JsonObject } from '../kernel/json';
import { jsonBytes, LIMITS } from '../kernel/limits';
import type { OperatorCall } from '../kernel/operator-call';
import { shortText } from '../kernel/short-text';
import type { ExecutionRef, RunGraph } from '../plans/execution/plan-run';
import { MOST_CARRIED_BYTES } from '../plans/execution/run-size';
import { ExecutionPhase } from '../plans/kinds/phases';
import { runManyAtOnce } from './gate/activity-proxies';
import { Branches } from './gate/branches';
import { Gate, type GateCall } from './gate/gate';
import { passPatches } from './parts/patches';
import { readableCarried } from './parts/readable-carried';
import { compensateNodes } from './plans/compensate-nodes';
import { Nudges } from './plans/nudges';
import { NodeRunner, type CarriedNode, type NodesEnd } from './plans/run-nodes';
import { RunReporter } from './plans/run-reporter';
import { RunRequests } from './plans/run-requests';

export interface PlanExecutionInput {
  /** the plan as it was pinned: a stage a node */
  spec: DeploymentSpec;
  /** what the nodes wait for */
  graph: RunGraph;
  execution: ExecutionRef;
  carried?: CarriedExecution;
  /** continue as new beyond this many events, earlier than the server suggests */
  historyLimit?: number;
}

/** The patches that there were when this workflow was first released: every run of it passes them. A later one is none of them. */
const BORN_WITH: readonly Patch[] = [
  'accepted-calls',
  'acted-and-ended',
  'lost-workers',
  'recheck',
  'shown-overrides',
  'shown-owners',
  'sizes',
];

/** What continue-as-new carries, or a run that was started to continue one that had ended. */
export interface CarriedExecution {
  /** absent where the run before had ended */
  gate?: CarriedGate;
  nodes: Record<string, CarriedNode>;
  /** how many reports were sent */
  reports: number;
  /** the nodes have ended, and those that succeeded are being compensated */
  ending?: Ending;
  /** the request for which the run was started */
  request?: string;
}

/** How the nodes ended. */
type Ending = { by: 'nodes' } | { by: 'cancel'; call: OperatorCall };

/**
 * One execution of a plan: a deployment whose stages are the plan's nodes, as many at once as its graph allows, and whose
 * progress is in the status of its Execution. The gate's commands find it as the deployment `<namespace>.<execution>`.
 *
 * @throws as `deployment`
 */
export async function planExecutionWorkflow(input: PlanExecutionInput): Promise<DeploymentStatus> {
  runManyAtOnce();
  passPatches(BORN_WITH, PATCHES);
  const { spec, graph, execution, carried, historyLimit } = input;
  const names = spec.stages.map(({ name }) => name);
  const branches = new Branches(names, carried?.nodes);
  const nudges = new Nudges();
  const requests = new RunRequests(execution);
  let ending = carried?.ending;
  const trunk = new Gate({
    deploymentId: spec.id,
    attributes: spec.attributes as JsonObject | undefined,
    stages: names,
    carried: readableCarried(carried?.gate, CARRIED_VERSION),
    ownsMessages: true,
    leavesAlerts: true,
    historyLimit,
    branches,
    continueAsNew: async (gate): Promise<void> => {
      if (ending === undefined ? !runner.isCarriable : !runner.isCarriableAtEnd) return;
      const ended = ending === undefined ? {} : { ending };
      const state: CarriedExecution = { gate, nodes: runner.carried(), reports: reporter.order, ...ended };
      const next: PlanExecutionInput = { ...input, carried: state };
      // Temporal would end the run.
      if (jsonBytes(next) > MOST_CARRIED_BYTES) runner.stay();
      else await continueAsNew<typeof planExecutionWorkflow>(next);
    },
  });
  const reporter = new RunReporter(execution, carried?.reports ?? 0, carried?.request);
  const runner: NodeRunner = new NodeRunner({
    ...{ spec, graph, execution, trunk, branches, reporter, nudges, requests, historyLimit },
    ...(carried === undefined ? {} : { carried: carried.nodes }),
  });
  await beginTrunk(trunk, spec, reporter);
  let end: NodesEnd | undefined;
  try {
    if (ending === undefined) end = await runner.run();
    if (end?.by === 'deletion') return await endDeleted(trunk);
    if (end?.by === 'abort') return await endAborted(trunk, end.call, 'aborted', runner, reporter);
  } catch (error) {
    if (isCancellation(error)) await endCancelled(trunk, spec, reporter);
    throw error;
  }
  ending ??= end?.by === 'cancel' ? { by: 'cancel', call: end.call.call } : { by: 'nodes' };
  // Nobody could take back any more what a cancellation would leave.
  return await CancellationScope.nonCancellable(async () => {
    const isDue = ending!.by === 'cancel' || (graph.compensates === true && runner.failures().length > 0);
    if (isDue) await compensateNodes({ spec, runner, trunk, branches, reporter });
    if (ending!.by === 'nodes') return endByNodes(trunk, runner, reporter);
    return endAborted(trunk, { kind: 'abort', call: ending!.call }, 'cancelled', runner, reporter);
  });
}

/** Its records have the first stage until another one is open. */
async function beginTrunk(trunk: Gate, spec: DeploymentSpec, reporter: RunReporter): Promise<void> {
  try {
    await trunk.begin(spec.stages[0]!);
  } catch (error) {
    if (isCancellation(error)) await endCancelled(trunk, spec, reporter);
    else if (error instanceof ApplicationFailure) await reporter.end(ExecutionPhase.Failed, error.message);
    throw error;
  }
}

async function endByNodes(trunk: Gate, runner: NodeRunner, reporter: RunReporter): Promise<DeploymentStatus> {
  const failures = runner.failures();
  const [first] = failures;
  if (first === undefined) {
    await trunk.end('done');
    await reporter.end(ExecutionPhase.Succeeded);
    await trunk.settle();
    return trunk.shownStatus();
  }
  const reasons = failures.map(({ id, end }) => `node ${id}: ${end.message ?? 'failed'}`);
  const reason = shortText(`${reasons.join('; ')}${runner.compensationRemark()}`, LIMITS.failureChars);
  const isDenied = first.end.state === 'denied';
  await trunk.end(isDenied ? 'denied' : 'failed', reason);
  await reporter.end(ExecutionPhase.Failed, reason);
  await trunk.settle();
  return fail(isDenied ? FailureType.DeploymentDenied : FailureType.ActionFailed, trunk);
}

async function endAborted(
  trunk: Gate,
  queued: GateCall,
  verb: 'aborted' | 'cancelled',
  runner: NodeRunner,
  reporter: RunReporter,
): Promise<DeploymentStatus> {
  const { actor, reason } = queued.call;
  const by = `by ${actor}: ${reason}`;
  const said = `aborted ${by}`;
  // What a node says beyond that is how its action was taken back.
  const remarks = runner
    .messages()
    .flatMap(({ id, message }) =>
      message.startsWith(said) && message !== said ? [`; node ${id}${message.slice(said.length)}`] : [],
    )
    .join('');
  const why = shortText(`${verb} ${by}${remarks}${runner.compensationRemark()}`, LIMITS.failureChars);
  await trunk.end('aborted', why, actor);
  await reporter.end(ExecutionPhase.Cancelled, why);
  trunk.inbox.answer(queued, true, `Aborted at stage ${trunk.status().stage}${remarks}`);
  await trunk.settle();
  return fail(FailureType.DeploymentAborted, trunk);
}

/** Nobody could see any more what it does. */
async function endDeleted(trunk: Gate): Promise<DeploymentStatus> {
  await trunk.end('aborted', 'its Execution was deleted, or had ended before');
  await trunk.settle();
  return fail(FailureType.DeploymentAborted, trunk);
}

async function endCancelled(trunk: Gate, spec: DeploymentSpec, reporter: RunReporter): Promise<void> {
  await trunk.endCancelled(spec.stages[0]);
  const { endReason } = trunk.status();
  await CancellationScope.nonCancellable(() => reporter.end(ExecutionPhase.Cancelled, endReason));
}

function fail(type: FailureType, trunk: Gate): never {
  const status = trunk.shownStatus();
  throw ApplicationFailure.create({ type, message: summarise(status), nonRetryable: true, details: [status] });
}
