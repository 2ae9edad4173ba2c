import type { AuditReader } from '../../audit/audit-reader';
import { AuditDomain, type AuditRecord, type RecordKind } from '../../audit/audit-record';
import { openAuditInPassing } from '../../audit/stores/open-audit';
import { GATE_ACTOR } from '../../gate/deployments/act-record';
import { within } from '../../kernel/timers';
import { subjectOf } from '../../plans/service/change-record';
import { systemTimers } from '../../platform/timers/system-timers';
import type { LoadedSettings } from '../../settings/load-settings';

/** So many of each domain are read, the newest. */
const MOST_READ = 200;
/** So many are told, the newest. */
const MOST_TOLD = 30;
const ANSWER_WITHIN_MS = 5_000;
const CLOSED_WITHIN_MS = 1_000;

/** What people do to a deployment; its other records are the gate's own. */
const OPERATED: readonly RecordKind[] = ['pause', 'resume', 'override', 'abort', 'refused'];

/** The execution of a plan that a deployment's id names: `<namespace>.<execution>`, of which neither has a dot. */
const EXECUTION_ID = /^([a-z][a-z0-9-]*)\.([a-z][a-z0-9-]*)$/;

/**
 * Who did what about an execution of a plan: ran it, decided its gates, and operated it. Oldest first, the newest 30.
 *
 * @param id of a deployment
 * @returns none for a deployment that is no execution of a plan, and where no store can be read beside a worker
 * @throws Error when the store cannot be read, or gives no answer in 5 s
 */
export async function findExecutionRecords(
  loaded: LoadedSettings,
  env: NodeJS.ProcessEnv,
  id: string,
): Promise<readonly AuditRecord[]> {
  if (!EXECUTION_ID.test(id)) return [];
  let reader: AuditReader | undefined;
  try {
    reader = await openAuditInPassing(loaded, env);
    return reader === undefined ? [] : await inTime(ANSWER_WITHIN_MS, executionRecords(reader, id));
  } finally {
    // A store that hangs would hang here too.
    if (reader !== undefined) await inTime(CLOSED_WITHIN_MS, reader.close()).catch(() => undefined);
  }
}

/** The same from a store that is open. */
export async function executionRecords(reader: Pick<AuditReader, 'list'>, id: string): Promise<readonly AuditRecord[]> {
  const [, namespace, name] = EXECUTION_ID.exec(id) ?? [];
  if (namespace === undefined || name === undefined) return [];
  const subject = subjectOf({ kind: 'Execution', metadata: { namespace, name } });
  const newest = { newestFirst: true, limit: MOST_READ };
  const ofPlans = await reader.list({ domain: AuditDomain.plans, subject, ...newest });
  if (ofPlans.length === 0) return [];
  const ofGate = await reader.list({ deploymentID: id, ...newest });
  return [...ofPlans, ...ofGate.filter(({ kind, actor }) => OPERATED.includes(kind) && actor !== GATE_ACTOR)]
    .sort((one, other) => Date.parse(one.timestamp) - Date.parse(other.timestamp))
    .slice(-MOST_TOLD);
}

function inTime<T>(ms: number, answer: Promise<T>): Promise<T> {
  return within(systemTimers, ms, answer, () => new Error(`the audit store gave no answer within ${ms / 1000} s`));
}
