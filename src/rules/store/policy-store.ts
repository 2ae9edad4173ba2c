import type { DomainRecord } from '../../audit/audit-record';
import type { SchedulePause } from '../schedules/schedule-pause';
import type { ExecutionFilter, StoredExecution } from './stored-execution';
import type { PolicyFilter, PolicyRef, PolicyVersion, StoredPolicy } from './stored-policy';

/** A change of one policy: what it is afterwards, the revision that tells of it, and the record that goes to the audit log. */
export interface PolicyWrite {
  policy: StoredPolicy;
  version: PolicyVersion;
  record: DomainRecord;
}

/**
 * What became of a write. `set-changed`: another change was faster, whatever policy it was of; what was checked must be
 * checked again. `taken`: a living policy has the name.
 */
export type WriteOutcome = { setRevision: number } | 'set-changed' | 'taken';

export interface ExecutionChange {
  execution: StoredExecution;
  records: readonly DomainRecord[];
}

/**
 * Rule policies, their revisions and executions. Every change of a policy takes the revision of the whole set as its lock: a
 * policy depends on others, so what was checked beside them must be stored beside the same ones.
 *
 * A change and its audit record are stored in one transaction; the record waits in the store until the audit log has taken
 * it (`waitingRecords`). All methods throw GateError StoreUnavailable when the store cannot be reached or refuses.
 */
export interface PolicyStore {
  /** for people, without secrets */
  readonly where: string;
  /** of all policies together; 0 before the first change */
  setRevision(): Promise<number>;
  /** every policy that changed after that revision of the set, deleted ones too; 0 gives all */
  changedSince(setRevision: number): Promise<{ setRevision: number; policies: StoredPolicy[] }>;
  /** by its id a deleted one too */
  find(ref: PolicyRef): Promise<StoredPolicy | undefined>;
  /** the living, ordered by name in byte order */
  list(filter: PolicyFilter, page: { afterName?: string; limit: number }): Promise<StoredPolicy[]>;
  /** how many live */
  count(): Promise<number>;
  write(basedOn: number, write: PolicyWrite): Promise<WriteOutcome>;
  /** newest first */
  versions(policyId: string, page: { beforeRevision?: number; limit: number }): Promise<PolicyVersion[]>;
  version(policyId: string, revision: number): Promise<PolicyVersion | undefined>;
  /** The execution that is there afterwards: the earlier one where the id was taken. */
  beginExecution(execution: StoredExecution, records: readonly DomainRecord[]): Promise<StoredExecution>;
  /**
   * Changes a running execution under a lock of its row.
   *
   * @param change gives what it becomes and the record of it, or undefined to leave it as it is
   * @returns as it is afterwards; undefined when there is none with this id
   */
  changeExecution(
    id: string,
    change: (found: StoredExecution) => ExecutionChange | undefined,
  ): Promise<StoredExecution | undefined>;
  execution(id: string): Promise<StoredExecution | undefined>;
  /** newest first, within a millisecond by id */
  executions(
    filter: ExecutionFilter,
    page: { after?: { startedAt: string; id: string }; limit: number },
  ): Promise<StoredExecution[]>;
  /** that of all first, then by policy */
  pauses(): Promise<SchedulePause[]>;
  /** Keeps a policy, or all, from running by their triggers; the record is stored with it. False where it was paused already. */
  pause(pause: SchedulePause, record: DomainRecord): Promise<boolean>;
  /**
   * @param policyId absent: the pause of all, not those of single policies
   * @returns false where it was not paused
   */
  unpause(policyId: string | undefined, record: DomainRecord): Promise<boolean>;
  /** Keeps a record that goes with no change until the audit log has taken it. */
  leaveRecord(record: DomainRecord): Promise<void>;
  /** records that the audit log has not confirmed yet, in the order of their writing */
  waitingRecords(limit: number): Promise<DomainRecord[]>;
  /** The audit log has these. */
  delivered(decisionIDs: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
