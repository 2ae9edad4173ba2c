import { openAuditInPassing } from '../audit/stores/open-audit';
import type { AuditReader } from '../audit/audit-reader';
import type { DeploymentSpec } from '../gate/deployments/deployment-spec';
import { pastResult, type PastResult } from '../gate/deployments/past-result';
import { within } from '../kernel/timers';
import { systemTimers } from '../platform/timers/system-timers';
import type { LoadedSettings } from '../settings/load-settings';

const ANSWER_WITHIN_MS = 5_000;
const CLOSED_WITHIN_MS = 1_000;
const MOST_RECORDS = 10_000;

/**
 * How a deployment ended that Temporal no longer knows: the audit store keeps it longer, so that a deployment that ran is not
 * run again by accident.
 *
 * @returns undefined when there is no record of it, or no store that can be read beside a worker
 * @throws Error when the store cannot be read, or gives no answer in 5 s
 */
export async function findPastDeployment(
  loaded: LoadedSettings,
  env: NodeJS.ProcessEnv,
  spec: Pick<DeploymentSpec, 'id' | 'stages'>,
): Promise<PastResult | undefined> {
  let reader: AuditReader | undefined;
  try {
    reader = await openAuditInPassing(loaded, env);
    if (!reader) return undefined;
    const records = await inTime(ANSWER_WITHIN_MS, reader.list({ deploymentID: spec.id, limit: MOST_RECORDS }));
    return pastResult(spec, records);
  } finally {
    // A store that hangs would hang here too.
    if (reader) await inTime(CLOSED_WITHIN_MS, reader.close()).catch(() => undefined);
  }
}

function inTime<T>(ms: number, answer: Promise<T>): Promise<T> {
  return within(systemTimers, ms, answer, () => new Error(`the audit store gave no answer within ${ms / 1000} s`));
}
