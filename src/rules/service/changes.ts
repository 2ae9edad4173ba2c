import { canonicalJson } from '../../kernel/canonical-json';
import { FailureType, faultsToError, GateError, type Fault } from '../../kernel/failures';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { jsonBytes } from '../../kernel/limits';
import { argumentFaults, fillIn, type Parameters } from '../composition/parameters';
import { faultAt } from '../../platform/documents/validate';
import { isFragments } from '../document/read-policies';
import {
  PolicyChange,
  StoredKind,
  type PolicyRef,
  type PolicyVersion,
  type StoredPolicy,
} from '../store/stored-policy';
import type { RecordDelivery } from '../../audit/service/deliver-records';
import { GIVEN_DOCUMENT } from './fault-field';
import type { PolicyDocuments } from './policy-documents';
import { isUuid, requireReason, requireType, taken, versionNotFound } from './requests';
import { changeRecord } from './rule-records';
import type { RuleParts } from './rule-parts';
import type {
  CreatePolicyRequest,
  DeletePolicyRequest,
  RollbackPolicyRequest,
  RuleCaller,
  UpdatePolicyRequest,
} from './rule-service';

/** Other processes may change the set meanwhile; each turn of the loop is another's success. */
const ATTEMPTS = 50;

/** What a change needs beside the parts of the service. */
export interface ChangeContext extends RuleParts {
  documents: { current(): Promise<PolicyDocuments> };
  delivery: RecordDelivery;
  find(ref: PolicyRef): Promise<StoredPolicy>;
}

export async function createPolicy(
  context: ChangeContext,
  caller: RuleCaller,
  request: CreatePolicyRequest,
): Promise<StoredPolicy> {
  requireReason(request.reason);
  const { store, newId } = context;
  const document = filledIn(request.document, request.arguments);
  const name = nameOf(document, request.name);
  requireSize(context, document);
  if (request.id !== undefined && !isUuid(request.id)) {
    throw faultsToError([invalid('id', `expected a UUID, got ${JSON.stringify(request.id)}`)]);
  }
  const id = request.id ?? newId();
  return changing(context, caller, request.reason, async () => {
    const earlier = request.id === undefined ? undefined : await store.find({ id });
    if (earlier !== undefined) {
      const first = await store.version(id, 1);
      if (first !== undefined && isSame(first.document, document) && first.name === name) return { already: earlier };
      throw conflict(`the id ${id} belongs to the policy ${earlier.name}`);
    }
    return { write: { policyId: id, revision: 1, change: PolicyChange.created, name, document } };
  });
}

export async function updatePolicy(
  context: ChangeContext,
  caller: RuleCaller,
  request: UpdatePolicyRequest,
): Promise<StoredPolicy> {
  requireReason(request.reason);
  const { document, revision } = request;
  requireSize(context, document);
  return changing(context, caller, request.reason, async () => {
    const before = await context.find(request.policy);
    const name = nameOf(document, isFragments(document) ? before.name : undefined);
    const isThere = before.deletedAt === undefined && isSame(before.document, document);
    // The second: this very change was made, and its answer was lost.
    if (isThere && (before.revision === revision || before.revision === revision + 1)) return { already: before };
    requireLiving(before, request.policy);
    requireRevision(before, revision);
    return {
      before,
      write: { policyId: before.id, revision: revision + 1, change: PolicyChange.updated, name, document },
    };
  });
}

export async function deletePolicy(
  context: ChangeContext,
  caller: RuleCaller,
  request: DeletePolicyRequest,
): Promise<StoredPolicy> {
  requireReason(request.reason);
  const { revision } = request;
  return changing(context, caller, request.reason, async () => {
    const before = await context.find(request.policy);
    if (before.deletedAt !== undefined && before.revision === revision + 1) return { already: before };
    requireLiving(before, request.policy);
    requireRevision(before, revision);
    const { id, name, document } = before;
    return { before, write: { policyId: id, revision: revision + 1, change: PolicyChange.deleted, name, document } };
  });
}

export async function rollbackPolicy(
  context: ChangeContext,
  caller: RuleCaller,
  request: RollbackPolicyRequest,
): Promise<StoredPolicy> {
  requireReason(request.reason);
  const { to, revision } = request;
  return changing(context, caller, request.reason, async () => {
    const before = await context.find(request.policy);
    if (before.revision === revision + 1) {
      const current = await context.store.version(before.id, before.revision);
      if (current?.restores === to) return { already: before };
    }
    requireRevision(before, revision);
    const old = await context.store.version(before.id, to);
    if (old === undefined) throw versionNotFound(before.name, to);
    if (old.change === PolicyChange.deleted) {
      throw faultsToError([invalid('to', `expected a revision that has a policy, got ${to}, which deleted it`)]);
    }
    const { name, document } = old;
    requireSize(context, document);
    return {
      before,
      write: {
        policyId: before.id,
        revision: revision + 1,
        change: PolicyChange.rollback,
        name,
        document,
        restores: to,
      },
    };
  });
}

type Write = Pick<PolicyVersion, 'policyId' | 'revision' | 'change' | 'name' | 'document' | 'restores'>;
/** What is to be written, or a policy that needs no change. */
type Plan = { write: Write; before?: StoredPolicy } | { already: StoredPolicy };

/**
 * Plans the change, checks it beside all other policies and writes it, until no other change comes in between.
 *
 * @param plan is asked again each time
 */
async function changing(
  context: ChangeContext,
  caller: RuleCaller,
  reason: string,
  plan: () => Promise<Plan>,
): Promise<StoredPolicy> {
  const { store, evaluator, delivery, metrics, now } = context;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const documents = await context.documents.current();
    const planned = await plan();
    if ('already' in planned) return planned.already;
    const { write, before } = planned;
    const isDeletion = write.change === PolicyChange.deleted;
    requireRoom(context, documents, write, before);
    const text = isDeletion ? {} : { text: JSON.stringify(write.document) };
    const { policyId: id, revision, name } = write;
    const found = await evaluator.check(documents, { id, name, revision, ...text });
    const checked = isDeletion ? before! : found;
    if (before !== undefined) requireType(caller, before.type);
    requireType(caller, checked.type);
    const at = new Date(now()).toISOString();
    const { type, version: label, priority, enabled } = checked;
    const version: PolicyVersion = { ...write, type, version: label, actor: caller.actor, reason, createdAt: at };
    const policy: StoredPolicy = {
      id,
      name,
      type,
      version: label,
      revision,
      priority,
      enabled,
      document: write.document,
      createdAt: before?.createdAt ?? at,
      updatedAt: at,
      ...(isDeletion ? { deletedAt: at } : {}),
    };
    const record = changeRecord(version, before);
    const outcome = await store.write(documents.key, { policy, version, record });
    if (outcome === 'taken') throw taken(name);
    if (outcome === 'set-changed') continue;
    metrics.changed(type, write.change);
    await delivery.soon([record]);
    return policy;
  }
  throw conflict(`${ATTEMPTS} other changes came first; try again`);
}

function requireRoom(
  { quotas, metrics }: ChangeContext,
  documents: PolicyDocuments,
  { change, name, policyId }: Write,
  before: StoredPolicy | undefined,
): void {
  if (change === PolicyChange.deleted) return;
  const holder = documents.byName(name);
  if (holder !== undefined && holder.id !== policyId) throw taken(name);
  const isOneMore = before === undefined || before.deletedAt !== undefined;
  if (!isOneMore || documents.living < quotas.policies) return;
  metrics.quotaRefused('policies');
  const message = `There are ${documents.living} policies already, ${quotas.policies} are allowed (server.quotas.policies)`;
  throw new GateError(FailureType.QuotaExceeded, message);
}

function requireSize({ quotas, metrics }: ChangeContext, document: JsonObject): void {
  const bytes = jsonBytes(document);
  if (bytes <= quotas.documentBytes) return;
  metrics.quotaRefused('document_bytes');
  const message = `The document has ${bytes} bytes, ${quotas.documentBytes} are allowed (server.quotas.documentBytes)`;
  throw new GateError(FailureType.QuotaExceeded, message);
}

function requireRevision({ name, revision }: StoredPolicy, given: number): void {
  if (revision !== given) {
    throw conflict(`the policy ${name} is at revision ${revision}, and the call was made for revision ${given}`);
  }
}

function requireLiving({ name, deletedAt }: StoredPolicy, ref: PolicyRef): void {
  if (deletedAt === undefined) return;
  const called = 'id' in ref ? ref.id : ref.name;
  throw new GateError(FailureType.RuleNotFound, `The policy ${called} (${name}) was deleted at ${deletedAt}`);
}

/** The name that a document is stored under. */
function nameOf(document: JsonObject, given: string | undefined): string {
  const isShared = isFragments(document);
  const name = isShared ? given : document.name;
  if (typeof name !== 'string' || name === '') {
    const sentence = isShared
      ? `expected a name for the ${StoredKind.fragments} beside the document`
      : 'expected the key name, but it is missing or no text';
    throw faultsToError([isShared ? invalid('name', sentence) : faultAt({ file: GIVEN_DOCUMENT }, '/name', sentence)]);
  }
  if (name.length > 255 || /[\p{Cc}\p{Cs}]/u.test(name)) {
    const sentence = 'expected a name of at most 255 characters, without control characters';
    throw faultsToError([faultAt({ file: GIVEN_DOCUMENT }, '/name', sentence)]);
  }
  if (!isShared && given !== undefined && given !== name) {
    throw faultsToError([invalid('name', `expected the name of the document, ${name}, got ${given}`)]);
  }
  return name;
}

/** A document with arguments for its own parameters: they are filled in, and it declares none any more. */
function filledIn(document: JsonObject, given: JsonObject | undefined): JsonObject {
  if (given === undefined) return document;
  const { parameters = {}, ...rest } = document;
  const faults = [...argumentFaults(parameters as unknown as Parameters, given, '/arguments')];
  if (faults.length > 0) {
    throw faultsToError(faults.map(({ pointer, sentence }) => faultAt({ file: 'request' }, pointer, sentence)));
  }
  const filled = fillIn(rest as JsonValue, '', parameters as unknown as Parameters, given);
  if (filled.faults.length > 0) {
    throw faultsToError(
      filled.faults.map(({ pointer, sentence }) => faultAt({ file: GIVEN_DOCUMENT }, pointer, sentence)),
    );
  }
  return filled.value as JsonObject;
}

function isSame(one: JsonObject, other: JsonObject): boolean {
  return canonicalJson(one) === canonicalJson(other);
}

function conflict(message: string): GateError {
  return new GateError(FailureType.RevisionConflict, message);
}

function invalid(where: string, sentence: string): Fault {
  return { type: FailureType.ConfigInvalid, message: `${where}: ${sentence}`, where };
}
