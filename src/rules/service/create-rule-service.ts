import { AuditDomain, type DomainRecord } from '../../audit/audit-record';
import { FailureType, GateError } from '../../kernel/failures';
import { diffJson } from '../../kernel/json-diff';
import type { JsonObject } from '../../kernel/json';
import { parseTime } from '../../kernel/time';
import type { PolicyRef, PolicyVersion, StoredPolicy } from '../store/stored-policy';
import { createPolicy, deletePolicy, rollbackPolicy, updatePolicy, type ChangeContext } from './changes';
import { createRecordDelivery } from '../../audit/service/deliver-records';
import { evaluatePolicies, simulatePolicies } from './evaluations';
import { createExecutions } from './executions';
import { readPage } from './page-token';
import { createPauses } from './pauses';
import { createPolicyDocuments } from './policy-documents';
import { isUuid, notFound, requireActor, versionNotFound } from './requests';
import { refusedRecord, toPolicyEvent } from './rule-records';
import type { RuleParts } from './rule-parts';
import type { PolicyEvent, RefusedCall, RuleCaller, RuleService } from './rule-service';

/** What a call is refused for; anything else is a failure of ours. */
const REFUSALS: readonly FailureType[] = [
  FailureType.ConfigInvalid,
  FailureType.RuleNotFound,
  FailureType.RuleNameTaken,
  FailureType.RuleInUse,
  FailureType.RevisionConflict,
  FailureType.QuotaExceeded,
  FailureType.AccessDenied,
];

/** The use cases over a store, an audit log and an evaluator; closing it closes the evaluator alone. */
export function createRuleService(parts: RuleParts): RuleService {
  const { store, records, logger, now, newId } = parts;
  const delivery = createRecordDelivery({ ...parts, about: 'rule policies' });
  const context: ChangeContext = { ...parts, delivery, documents: createPolicyDocuments(store), find };

  async function find(ref: PolicyRef): Promise<StoredPolicy> {
    const found = 'id' in ref && !isUuid(ref.id) ? undefined : await store.find(ref);
    if (found === undefined) throw notFound(ref);
    return found;
  }

  /** By its id where there is one of this name: records of a policy are found by its id. */
  async function known(ref: PolicyRef): Promise<PolicyRef> {
    if ('id' in ref) return ref;
    const found = await store.find(ref);
    return found === undefined ? ref : { id: found.id };
  }

  async function refused(caller: RuleCaller, call: RefusedCall, faults = [call.fault]): Promise<void> {
    const act = { actor: caller.actor, timestamp: new Date(now()).toISOString() };
    const { policy, ...rest } = call;
    const about = policy === undefined ? rest : { ...rest, policy: await known(policy) };
    const record = refusedRecord(newId(), act, about, faults);
    await store.leaveRecord(record);
    await delivery.soon([record]);
  }

  /** A refused call is recorded; where that fails too, the refusal is what the caller must know. */
  async function recordingRefusals<T>(
    caller: RuleCaller,
    call: string,
    policy: PolicyRef | undefined,
    run: () => Promise<T>,
  ): Promise<T> {
    try {
      requireActor(caller);
      return await run();
    } catch (error) {
      if (error instanceof GateError && REFUSALS.includes(error.type)) {
        const { type, message, faults } = error;
        await refused(caller, { call, fault: { type, message }, ...(policy === undefined ? {} : { policy }) }, [
          ...faults,
        ]).catch((failure: unknown) =>
          logger.warn({ call, error: String(failure) }, 'A refused call could not be recorded'),
        );
      }
      throw error;
    }
  }

  async function version(ref: PolicyRef, revision: number): Promise<PolicyVersion> {
    const policy = await find(ref);
    const found = await store.version(policy.id, revision);
    if (found === undefined) throw versionNotFound(policy.name, revision);
    return found;
  }

  const executions = createExecutions(context);
  const pauses = createPauses(context);

  return {
    create: (caller, request) =>
      recordingRefusals(caller, 'CreatePolicy', subjectOf(request.document, request.name), () =>
        createPolicy(context, caller, request),
      ),
    update: (caller, request) =>
      recordingRefusals(caller, 'UpdatePolicy', request.policy, () => updatePolicy(context, caller, request)),
    delete: (caller, request) =>
      recordingRefusals(caller, 'DeletePolicy', request.policy, () => deletePolicy(context, caller, request)),
    rollback: (caller, request) =>
      recordingRefusals(caller, 'RollbackPolicy', request.policy, () => rollbackPolicy(context, caller, request)),
    get: find,
    list: (filter, page = {}) =>
      readPage<StoredPolicy, { afterName: string }>(
        page,
        { list: 'policies', ...filter },
        (after, limit) => store.list(filter, { ...after, limit }),
        ({ name }) => ({ afterName: name }),
        ({ afterName }) => typeof afterName === 'string',
      ),
    async versions(ref, page = {}) {
      const { id } = await find(ref);
      return readPage<PolicyVersion, { beforeRevision: number }>(
        page,
        { list: 'versions', id },
        (after, limit) => store.versions(id, { ...after, limit }),
        ({ revision }) => ({ beforeRevision: revision }),
        ({ beforeRevision }) => Number.isInteger(beforeRevision),
      );
    },
    version,
    async diff(ref, from, to) {
      const [before, after] = await Promise.all([version(ref, from), version(ref, to)]);
      return diffJson(before.document, after.document, { lists: 'elements' });
    },
    evaluate: (caller, request) => evaluatePolicies(context, caller, request),
    simulate: (request) => simulatePolicies(context, request),
    async events(ref, page = {}) {
      const { id } = await find(ref);
      const { items, nextPageToken } = await readPage<DomainRecord, { timestamp: string; decisionID: string }>(
        page,
        { list: 'events', id },
        async (after, limit) => {
          if (records === undefined) throw noRecords();
          const query = { domain: AuditDomain.rules, subject: id, limit, ...(after === undefined ? {} : { after }) };
          return (await records.list(query)) as DomainRecord[];
        },
        ({ timestamp, decisionID }) => ({ timestamp, decisionID }),
        ({ timestamp, decisionID }) => parseTime(timestamp) !== undefined && typeof decisionID === 'string',
      );
      const events: PolicyEvent[] = items.map(toPolicyEvent);
      return { items: events, ...(nextPageToken === undefined ? {} : { nextPageToken }) };
    },
    executions: {
      ...executions,
      begin: (caller, request) =>
        recordingRefusals(caller, 'ExecutePolicy', { id: request.policies[0].policyId }, () =>
          executions.begin(caller, request),
        ),
    },
    pauses: {
      list: () => store.pauses(),
      pause: (caller, request) =>
        recordingRefusals(caller, 'PausePolicy', request.policy, () => pauses.pause(caller, request)),
      unpause: (caller, request) =>
        recordingRefusals(caller, 'UnpausePolicy', request.policy, () => pauses.unpause(caller, request)),
    },
    refused: (caller, call) => refused(caller, call),
    deliverRecords: () => delivery.sweep(),
    close: () => parts.evaluator.close(),
  };
}

function subjectOf({ name }: JsonObject, given: string | undefined): PolicyRef | undefined {
  const found = typeof name === 'string' ? name : given;
  return found === undefined ? undefined : { name: found };
}

function noRecords(): GateError {
  const message = 'Expected a store of audit records (audit.store), got none: copies on stdout cannot be asked';
  return new GateError(FailureType.ConfigInvalid, message);
}
