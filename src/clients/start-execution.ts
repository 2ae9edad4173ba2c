import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError } from '@temporalio/client';
import type { ExecutionRequest, StartExecution, StartedExecution } from '../api/rules/policy-service';
import { FailureType, faultsToError, GateError } from '../kernel/failures';
import type { JsonObject } from '../kernel/json';
import { executionWorkflowIdOf } from '../kernel/names';
import { TemporalUnreachable } from '../platform/temporal/connection/reach-temporal';
import type { ExecutionPlan, ExecutionQuestion, ExecutionStatus } from '../rules/execution/execution';
import { isUuid, requireActor, requireReason, requireType } from '../rules/service/requests';
import type { RuleCaller, RuleService } from '../rules/service/rule-service';
import type { OpenedExecutions, RuleExecutionClient } from './rule-execution-client';

export interface ExecutionStarterParts {
  /** opens the connection to Temporal; called again after it failed */
  open(): Promise<OpenedExecutions>;
  /** where the types of policies are looked up, for tokens that are bound to some */
  rules: Pick<RuleService, 'get'>;
  /** how long a dry run may take; @default 30 s */
  planWithinMs?: number;
}

export interface ExecutionStarter {
  start: StartExecution;
  /** closes the connection, if there is one */
  close(): Promise<void>;
}

const PLAN_WITHIN_MS = 30_000;
const POLL_MS = 100;
/** The codes of gRPC for a deadline that passed and for a server that is out of reach. */
const OUT_OF_REACH: readonly unknown[] = [4, 14];

/** Starts executions as workflows. The connection is opened by the first call, so that a server starts without Temporal. */
export function createExecutionStarter(parts: ExecutionStarterParts): ExecutionStarter {
  const { rules, planWithinMs = PLAN_WITHIN_MS } = parts;
  let opening: Promise<OpenedExecutions> | undefined;
  const opened = (): Promise<OpenedExecutions> => {
    const current = (opening ??= parts.open());
    current.catch(() => (opening = undefined));
    return current;
  };

  return {
    async start(caller, request) {
      const question = await checked(rules, caller, request);
      const { dryRun, reason } = request;
      const id = (request.id ?? randomUUID()).toLowerCase();
      const started = { executionId: id, workflowId: executionWorkflowIdOf(id) };
      try {
        const { executions } = await opened();
        await executions.start(id, { question, actor: caller.actor, reason, ...(dryRun ? { dryRun } : {}) });
        return dryRun ? await planOf(executions, id, Date.now() + planWithinMs) : started;
      } catch (error) {
        const why = whyOutOfReach(error);
        if (why === undefined) throw error;
        // The start may have arrived all the same: under its id a repeated one finds it.
        return { impossible: `${why}. Repeat the request with the id ${id}` };
      }
    },
    async close() {
      const connection = await opening?.catch(() => undefined);
      await connection?.close();
    },
  };
}

/** @throws GateError ConfigInvalid, RuleNotFound; AccessDenied where the token is not for what is to be executed */
async function checked(
  rules: ExecutionStarterParts['rules'],
  caller: RuleCaller,
  { policies, operation, subject, id, reason }: ExecutionRequest,
): Promise<ExecutionQuestion> {
  requireActor(caller);
  requireReason(reason);
  if (id !== undefined && !isUuid(id)) throw invalid('id', `id: expected a UUID, got ${JSON.stringify(id)}`);
  if (operation === undefined && policies === undefined) {
    throw invalid('operation', 'Expected an operation, or the names of policies, got neither');
  }
  const { actor, policyTypes } = caller;
  if (policyTypes !== undefined) {
    if (policies === undefined) {
      const message = `${actor} may execute policies of the types ${policyTypes.join(', ')}: expected the names of policies`;
      throw new GateError(FailureType.AccessDenied, message);
    }
    for (const name of policies) requireType(caller, (await rules.get({ name })).type);
  }
  return {
    ...(policies === undefined ? {} : { policies }),
    ...(operation === undefined ? {} : { operation }),
    ...(subject === undefined ? {} : { subject }),
  };
}

/** Waits for the plan of a dry run. The id of an execution that is no dry run gives that execution. */
async function planOf(executions: RuleExecutionClient, id: string, untilMs: number): Promise<StartedExecution> {
  for (;;) {
    const found = await executions.status(id);
    if (found.found === 'status' && found.status.state !== 'planning') return planned(found.status);
    if (Date.now() >= untilMs) {
      const why = found.found === 'status' ? 'the plan is not ready yet' : 'no worker took the execution';
      return { impossible: `The dry run ${id} continues: ${why}. Repeat the request with this id` };
    }
    await sleep(POLL_MS);
  }
}

function planned({ id, state, plan, stopped }: ExecutionStatus): StartedExecution {
  if (state === 'planned' && plan !== undefined) return { plan: toDocument(plan) };
  if (plan === undefined && stopped !== undefined) {
    const { fault } = stopped;
    throw new GateError(fault.type, fault.message, [fault]);
  }
  return { executionId: id, workflowId: executionWorkflowIdOf(id) };
}

/** A plan has come through Temporal, so it is plain data. */
function toDocument({ observedAtMs, decidedAtMs, guardsVersion: _guards, ...plan }: ExecutionPlan): JsonObject {
  const observedAt = new Date(observedAtMs).toISOString();
  return { ...plan, observedAt, decidedAt: new Date(decidedAtMs).toISOString() } as unknown as JsonObject;
}

function whyOutOfReach(error: unknown): string | undefined {
  if (error instanceof TemporalUnreachable) return error.message;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (!isGrpcServiceError(cause)) continue;
    if (OUT_OF_REACH.includes(cause.code)) return `Temporal did not answer: ${cause.details}`;
  }
  return undefined;
}

function invalid(where: string, message: string): GateError {
  return faultsToError([{ type: FailureType.ConfigInvalid, message, where }]);
}
