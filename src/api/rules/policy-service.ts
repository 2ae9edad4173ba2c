import type { JsonObject as ProtoJson } from '@bufbuild/protobuf';
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import { FailureType, GateError } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import { PolicyService } from '../../proto/planning_engine/rules/v1/policy_service_pb';
import type { RuleCaller, RuleService } from '../../rules/service/rule-service';
import type { ExecutionFilter, StoredStatus } from '../../rules/store/stored-execution';
import { CallRefused, callerOf, type ServedService } from '../rpc/guard';
import { isAdmitted, Role, type Principal } from '../rpc/role';
import { toConnectError } from './errors';
import {
  objectsOf,
  toChangeMessage,
  toDocument,
  toEventMessage,
  toExecutionMessage,
  toPage,
  toPauseRequest,
  toPolicyMessage,
  toRef,
  toTime,
  toTimestamp,
  toVersionMessage,
} from './messages';

/** What is to be executed; the state is collected by whoever executes. */
export interface ExecutionRequest {
  policies?: readonly string[];
  operation?: string;
  subject?: string;
  dryRun: boolean;
  /** a UUID; a repeated request gives the execution that the first one started */
  id?: string;
  reason: string;
}

/** The execution, the plan of a dry run, or why there is neither: Temporal or its workers are out of reach. */
export type StartedExecution =
  { executionId: string; workflowId: string } | { plan: JsonObject } | { impossible: string };

/**
 * Starts executions. Absent where the server has nothing to execute with.
 *
 * @throws GateError for a request that cannot be executed, or may not by this caller
 */
export type StartExecution = (caller: RuleCaller, request: ExecutionRequest) => Promise<StartedExecution>;

const READERS: readonly Role[] = [Role.viewer, Role.author, Role.operator, Role.approver, Role.controller];
const WRITERS: readonly Role[] = [Role.author];
/** Who may have an evaluation put into the audit log: reading leaves nothing behind. */
const RECORDERS: readonly Role[] = [Role.author, Role.operator];

/** Which roles each method admits, beside admin. */
export const METHOD_ROLES: Readonly<Record<keyof ServiceImpl<typeof PolicyService>, readonly Role[]>> = {
  createPolicy: WRITERS,
  updatePolicy: WRITERS,
  deletePolicy: WRITERS,
  rollbackPolicy: WRITERS,
  getPolicy: READERS,
  listPolicies: READERS,
  evaluatePolicy: READERS,
  getPolicyExecutionHistory: READERS,
  listPolicyVersions: READERS,
  diffPolicyVersions: READERS,
  simulatePolicies: READERS,
  executePolicy: [Role.operator],
  pausePolicy: [Role.operator],
  unpausePolicy: [Role.operator],
  getExecution: READERS,
  listExecutions: READERS,
};

/** `PolicyService` over the use cases: each method reads its request, makes one call and shows the answer. */
export function servePolicies(rules: RuleService, startExecution?: StartExecution): ServedService {
  const implementation: ServiceImpl<typeof PolicyService> = {
    async createPolicy(request, context) {
      const { name, id, reason } = request;
      const policy = await rules.create(toCaller(callerOf(context, request)), {
        document: toDocument('definition', request.definition),
        ...(name === '' ? {} : { name }),
        ...(request.arguments === undefined ? {} : { arguments: toDocument('arguments', request.arguments) }),
        ...(id === '' ? {} : { id }),
        reason,
      });
      return { policy: toPolicyMessage(policy) };
    },
    async updatePolicy(request, context) {
      const { revision, reason } = request;
      const document = toDocument('definition', request.definition);
      const change = { policy: toRef(request), document, revision, reason };
      return { policy: toPolicyMessage(await rules.update(toCaller(callerOf(context, request)), change)) };
    },
    async deletePolicy(request, context) {
      const { revision, reason } = request;
      const change = { policy: toRef(request), revision, reason };
      return { policy: toPolicyMessage(await rules.delete(toCaller(callerOf(context, request)), change)) };
    },
    async rollbackPolicy(request, context) {
      const { toRevision: to, revision, reason } = request;
      const change = { policy: toRef(request), to, revision, reason };
      return { policy: toPolicyMessage(await rules.rollback(toCaller(callerOf(context, request)), change)) };
    },
    async getPolicy(request) {
      const [policy, pauses] = await Promise.all([rules.get(toRef(request)), rules.pauses.list()]);
      return { policy: toPolicyMessage(policy, pauses) };
    },
    async listPolicies(request) {
      const { type, enabled, namePrefix, operation } = request;
      const filter = {
        ...given({ type, namePrefix, operation }),
        ...(enabled === undefined ? {} : { enabled }),
      };
      const [page, pauses] = await Promise.all([rules.list(filter, toPage(request)), rules.pauses.list()]);
      const { items, nextPageToken } = page;
      return { policies: items.map((policy) => toPolicyMessage(policy, pauses)), nextPageToken };
    },
    async listPolicyVersions(request) {
      const { items, nextPageToken } = await rules.versions(toRef(request), toPage(request));
      return { versions: items.map(toVersionMessage), nextPageToken };
    },
    async diffPolicyVersions(request) {
      const changes = await rules.diff(toRef(request), request.fromRevision, request.toRevision);
      return { changes: changes.map(toChangeMessage) };
    },
    async getPolicyExecutionHistory(request) {
      const { items, nextPageToken } = await rules.events(toRef(request), toPage(request));
      return { events: items.map(toEventMessage), nextPageToken };
    },
    async evaluatePolicy(request, context) {
      const caller = callerOf(context, request);
      if (request.record && !isAdmitted(caller, RECORDERS)) {
        const text = `Expected one of the roles ${[...RECORDERS, 'admin'].join(', ')} for record: true`;
        throw new CallRefused(text);
      }
      const evaluated = await rules.evaluate(toCaller(caller), {
        ...questionOf(request),
        ...(request.record ? { record: true } : {}),
        ...given({ reason: request.reason }),
      });
      const { answer, policies, setRevision, stateDigest, decidedAt, evalDurationMs } = evaluated;
      return {
        results: objectsOf(answer.results),
        conflicts: objectsOf(answer.conflicts),
        actions: objectsOf(answer.actions),
        ...{ policies, setRevision, stateDigest },
        decideTime: toTimestamp(decidedAt),
        evaluationMs: evalDurationMs,
      };
    },
    async simulatePolicies(request) {
      const documents = request.definitions.map((document, index) => toDocument(`definitions[${index}]`, document));
      const report = await rules.simulate({
        ...questionOf(request),
        ...(documents.length === 0 ? {} : { documents }),
        ...(request.options === undefined ? {} : { options: toDocument('options', request.options) }),
      });
      return { report: report as ProtoJson };
    },
    async executePolicy(request, context) {
      if (startExecution === undefined) {
        throw new ConnectError('This server has nothing to execute with', Code.FailedPrecondition);
      }
      const { policies, operation, subject, dryRun, id, reason } = request;
      const started = await startExecution(toCaller(callerOf(context, request)), {
        ...(policies.length === 0 ? {} : { policies }),
        ...given({ operation, subject, id }),
        ...{ dryRun, reason },
      }).catch((error: unknown) => {
        const isRefused = error instanceof GateError && error.type === FailureType.AccessDenied;
        throw isRefused ? new CallRefused(error.message) : error;
      });
      if ('impossible' in started) throw new ConnectError(started.impossible, Code.FailedPrecondition);
      return 'plan' in started ? { plan: started.plan as ProtoJson } : started;
    },
    async pausePolicy(request, context) {
      return rules.pauses.pause(toCaller(callerOf(context, request)), toPauseRequest(request));
    },
    async unpausePolicy(request, context) {
      return rules.pauses.unpause(toCaller(callerOf(context, request)), toPauseRequest(request));
    },
    async getExecution({ id }) {
      return { execution: toExecutionMessage(await rules.executions.get(id)) };
    },
    async listExecutions(request) {
      const { policyId, status, since, until } = request;
      const filter: ExecutionFilter = {
        ...given({ policyId }),
        ...(status === '' ? {} : { status: status as StoredStatus }),
        ...(since === undefined ? {} : { since: toTime(since) }),
        ...(until === undefined ? {} : { until: toTime(until) }),
      };
      const { items, nextPageToken } = await rules.executions.list(filter, toPage(request));
      return { executions: items.map(toExecutionMessage), nextPageToken };
    },
  };
  return {
    service: PolicyService,
    roles: Object.fromEntries(
      PolicyService.methods.map(({ name, localName }) => [name, METHOD_ROLES[localName as keyof typeof METHOD_ROLES]]),
    ),
    route: (router) => void router.service(PolicyService, implementation),
    toConnectError,
  };
}

function questionOf(request: { policies: string[]; operation: string; subject: string; state?: ProtoJson }) {
  const { policies, operation, subject, state } = request;
  return {
    ...(policies.length === 0 ? {} : { policies }),
    ...given({ operation, subject }),
    state: toDocument('state', state),
  };
}

function toCaller({ actor, policyTypes }: Principal): RuleCaller {
  return { actor, ...(policyTypes === undefined ? {} : { policyTypes }) };
}

/** The texts that a request gives: in proto3 an empty one is one that is absent. */
function given<Key extends string>(texts: Record<Key, string>): Partial<Record<Key, string>> {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== '')) as Partial<Record<Key, string>>;
}
