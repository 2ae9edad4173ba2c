import type { Insertable, Selectable } from 'kysely';
import type { JsonObject } from '../../../kernel/json';
import { toJsonb, toText } from '../../../platform/database/stored-text';
import type { SchedulePause } from '../../schedules/schedule-pause';
import type { StoredExecution } from '../stored-execution';
import type { PolicyChange, PolicyVersion, StoredPolicy } from '../stored-policy';
import type { PolicyExecutionRow, PolicyRow, PolicyVersionRow, SchedulePauseRow } from './schema';

export function toPolicyRow(policy: StoredPolicy, setRevision: number): Insertable<PolicyRow> {
  return {
    id: policy.id,
    name: policy.name,
    type: policy.type,
    version: toText(policy.version),
    revision: policy.revision,
    priority: policy.priority,
    enabled: policy.enabled,
    definition: toJsonb(policy.document),
    document: JSON.stringify(policy.document),
    set_revision: setRevision,
    created_at: policy.createdAt,
    updated_at: policy.updatedAt,
    deleted_at: policy.deletedAt ?? null,
  };
}

export function toPolicy(row: Omit<Selectable<PolicyRow>, 'definition'>): StoredPolicy {
  return {
    id: row.id,
    name: row.name,
    type: row.type,
    version: row.version,
    revision: row.revision,
    priority: Number(row.priority),
    enabled: row.enabled,
    document: toDocument(row.document),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    ...(row.deleted_at === null ? {} : { deletedAt: row.deleted_at.toISOString() }),
  };
}

export function toVersionRow(version: PolicyVersion): Insertable<PolicyVersionRow> {
  return {
    policy_id: version.policyId,
    revision: version.revision,
    version: toText(version.version),
    change: version.change,
    name: version.name,
    type: version.type,
    definition: toJsonb(version.document),
    document: JSON.stringify(version.document),
    restores: version.restores ?? null,
    actor: toText(version.actor),
    reason: toText(version.reason),
    created_at: version.createdAt,
  };
}

export function toVersion(row: Omit<Selectable<PolicyVersionRow>, 'definition'>): PolicyVersion {
  return {
    policyId: row.policy_id,
    revision: row.revision,
    change: row.change as PolicyChange,
    name: row.name,
    type: row.type,
    version: row.version,
    document: toDocument(row.document),
    ...(row.restores === null ? {} : { restores: row.restores }),
    actor: row.actor,
    reason: row.reason,
    createdAt: row.created_at.toISOString(),
  };
}

export function toExecutionRow(execution: StoredExecution): Insertable<PolicyExecutionRow> {
  const [asked] = execution.policies;
  if (asked === undefined) throw new TypeError('an execution is for one policy at least');
  return {
    id: execution.id,
    policy_id: asked.policyId,
    policy_revision: asked.revision,
    operation: execution.operation === undefined ? null : toText(execution.operation),
    status: execution.status,
    state_digest: execution.stateDigest,
    state_version: execution.stateVersion === undefined ? null : toText(execution.stateVersion),
    actor: toText(execution.actor),
    workflow_id: execution.workflowId === undefined ? null : toText(execution.workflowId),
    result: execution.result === undefined ? null : toJsonb(execution.result),
    started_at: execution.startedAt,
    completed_at: execution.completedAt ?? null,
    execution: JSON.stringify(execution),
  };
}

export function toExecution({ execution }: Pick<Selectable<PolicyExecutionRow>, 'execution'>): StoredExecution {
  return JSON.parse(execution) as StoredExecution;
}

function toDocument(text: string): JsonObject {
  return JSON.parse(text) as JsonObject;
}

const ALL = 'all';

/** The key of a pause: a policy's id, or that of the pause of all. */
export function scopeOf(policyId: string | undefined): string {
  return policyId ?? ALL;
}

export function toPauseRow({ policyId, actor, reason, since }: SchedulePause): Insertable<SchedulePauseRow> {
  return { scope: scopeOf(policyId), actor: toText(actor), reason: toText(reason), paused_at: since };
}

export function toPause({ scope, actor, reason, paused_at }: Selectable<SchedulePauseRow>): SchedulePause {
  return { ...(scope === ALL ? {} : { policyId: scope }), actor, reason, since: paused_at.toISOString() };
}
