import {
  fromJson,
  type JsonObject as ProtoJson,
  type JsonValue as ProtoValue,
  type MessageInitShape,
} from '@bufbuild/protobuf';
import { timestampDate, timestampFromDate, ValueSchema, type Timestamp, type Value } from '@bufbuild/protobuf/wkt';
import { FailureType, faultsToError } from '../../kernel/failures';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import type { JsonChange } from '../../kernel/json-diff';
import { findUnsafeNumber } from '../../kernel/numbers';
import type {
  ChangeSchema,
  ExecutionSchema,
  PauseSchema,
  PolicyEventSchema,
  PolicySchema,
  PolicyVersionSchema,
} from '../../proto/planning_engine/rules/v1/policy_service_pb';
import { pauseOf, type SchedulePause } from '../../rules/schedules/schedule-pause';
import type { PageRequest, PauseRequest, PolicyEvent } from '../../rules/service/rule-service';
import type { StoredExecution } from '../../rules/store/stored-execution';
import type { PolicyRef, PolicyVersion, StoredPolicy } from '../../rules/store/stored-policy';

// What the use cases take and give, from and to the messages of the proto.

export function toPolicyMessage(
  policy: StoredPolicy,
  pauses: readonly SchedulePause[] = [],
): MessageInitShape<typeof PolicySchema> {
  const pause = pauseOf(pauses, policy.id);
  const { id, name, type, version, revision, priority, enabled, document, createdAt, updatedAt, deletedAt } = policy;
  return {
    ...{ id, name, type, version, revision, priority, enabled },
    definition: document as ProtoJson,
    createTime: toTimestamp(createdAt),
    updateTime: toTimestamp(updatedAt),
    ...(deletedAt === undefined ? {} : { deleteTime: toTimestamp(deletedAt) }),
    ...(pause === undefined ? {} : { pause: toPauseMessage(pause) }),
  };
}

function toPauseMessage({ policyId, actor, reason, since }: SchedulePause): MessageInitShape<typeof PauseSchema> {
  return { actor, reason, startTime: toTimestamp(since), all: policyId === undefined };
}

export function toVersionMessage(found: PolicyVersion): MessageInitShape<typeof PolicyVersionSchema> {
  const { policyId, revision, change, name, type, version, document, restores, actor, reason, createdAt } = found;
  return {
    ...{ policyId, revision, change, name, type, version, actor, reason },
    definition: document as ProtoJson,
    ...(restores === undefined ? {} : { restores }),
    createTime: toTimestamp(createdAt),
  };
}

export function toEventMessage(event: PolicyEvent): MessageInitShape<typeof PolicyEventSchema> {
  const { timestamp, details, ...rest } = event;
  return { ...rest, timestamp: toTimestamp(timestamp), details: details as ProtoJson };
}

export function toChangeMessage({ path, a, b }: JsonChange): MessageInitShape<typeof ChangeSchema> {
  return {
    path,
    ...(a === undefined ? {} : { before: toValue(a) }),
    ...(b === undefined ? {} : { after: toValue(b) }),
  };
}

export function toExecutionMessage(execution: StoredExecution): MessageInitShape<typeof ExecutionSchema> {
  const { policies, steps, result, startedAt, completedAt, ...rest } = execution;
  return {
    ...rest,
    policies: [...policies],
    steps: steps.map(({ policies: names, settings, details, ...step }) => ({
      ...step,
      policies: [...names],
      settings: settings as ProtoJson,
      ...(details === undefined ? {} : { details: details as ProtoJson }),
    })),
    ...(result === undefined ? {} : { result: result as ProtoJson }),
    startTime: toTimestamp(startedAt),
    ...(completedAt === undefined ? {} : { completeTime: toTimestamp(completedAt) }),
  };
}

export function toTimestamp(rfc3339: string): Timestamp {
  return timestampFromDate(new Date(rfc3339));
}

export function toTime(timestamp: Timestamp): string {
  return timestampDate(timestamp).toISOString();
}

/** The policy that a request names. @throws GateError ConfigInvalid when it names none */
export function toRef({ policy }: { policy: NamedPolicy }): PolicyRef {
  const ref = refOf(policy);
  if (ref === undefined) throw missing('policy', 'expected policy_id or policy_name, got neither');
  return ref;
}

/** Whose schedules are paused. @throws GateError ConfigInvalid where neither a policy is named nor all are meant */
export function toPauseRequest({ policy, reason }: { policy: NamedPolicy; reason: string }): PauseRequest {
  if (policy.case === 'all' && policy.value === true) return { reason };
  const ref = refOf(policy);
  if (ref === undefined) throw missing('policy', 'expected policy_id, policy_name or all: true, got none of them');
  return { policy: ref, reason };
}

interface NamedPolicy {
  case?: string;
  value?: string | boolean;
}

function refOf({ case: kind, value = '' }: NamedPolicy): PolicyRef | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  if (kind === 'policyId') return { id: value };
  return kind === 'policyName' ? { name: value } : undefined;
}

/** A document of a request. @throws GateError ConfigInvalid when it is missing, or a number in it has lost digits */
export function toDocument(field: string, document: ProtoJson | undefined): JsonObject {
  if (document === undefined) throw missing(field, `expected ${field}, but it is missing`);
  const unsafe = findUnsafeNumber(document, '');
  if (unsafe !== undefined) {
    throw missing(field, `expected whole numbers within ±(2^53 − 1) in ${field}, got another one at ${unsafe}`);
  }
  return document as JsonObject;
}

export function toPage({ pageSize, pageToken }: { pageSize: number; pageToken: string }): PageRequest {
  return { ...(pageSize === 0 ? {} : { pageSize }), ...(pageToken === '' ? {} : { pageToken }) };
}

/** The objects of a list in an answer. */
export function objectsOf(list: JsonValue | undefined): ProtoJson[] {
  return Array.isArray(list) ? list.filter((item) => isJsonObject(item)) : [];
}

/** Every kind of JSON value is a message on the wire. */
function toValue(value: JsonValue): Value {
  return fromJson(ValueSchema, value as ProtoValue);
}

function missing(where: string, message: string) {
  return faultsToError([{ type: FailureType.ConfigInvalid, where, message }]);
}
