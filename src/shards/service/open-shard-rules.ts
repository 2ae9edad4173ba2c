import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Audit } from '../../audit/service/open-audit';
import { FailureType, faultsToError } from '../../kernel/failures';
import { repeat } from '../../kernel/repeat';
import { systemTimers } from '../../platform/timers/system-timers';
import type { PolicySource } from '../../rules/execution/policy-source';
import { reconcileSchedules } from '../../rules/schedules/reconcile-schedules';
import { createRuleService } from '../../rules/service/create-rule-service';
import { keepSchedules, type SchedulesKept } from '../../rules/service/keep-schedules';
import { openSchedulesLate } from '../../rules/service/late-schedules';
import type { RuleMetrics } from '../../rules/service/rule-metrics';
import type { RuleLogger, RuleQuotas } from '../../rules/service/rule-parts';
import type { RuleService } from '../../rules/service/rule-service';
import { policiesOfStore } from '../../rules/service/stored-executions';
import { tellingOfChanges } from '../../rules/service/telling-of-changes';
import type { PolicyStore } from '../../rules/store/policy-store';
import { rulesWithin } from '../../rules/store/postgres/open-rule-database';
import { createPostgresPolicyStore } from '../../rules/store/postgres/store';
import { createRuleThreads } from '../../rules/threads/rule-threads';
import type { LoadedSettings } from '../../settings/load-settings';
import { shardDomain } from '../domain';

export interface ShardRulesOptions {
  audit: Pick<Audit, 'log' | 'store' | 'database'>;
  quotas: RuleQuotas;
  /** an older state is an error */
  maxStateAgeMs: number;
  /** of one evaluation, from its start */
  deadlineMs: number;
  /** of one thread's heap */
  memoryMiB: number;
  metrics: RuleMetrics;
  logger: RuleLogger;
  /** keeps the schedules of policies on the Temporal server that the settings name; absent: policies run by no trigger */
  schedules?: { loaded: LoadedSettings; env: Readonly<Record<string, string | undefined>> };
}

const DELIVER_EVERY_MS = 30_000;

/**
 * The use cases of shards' rule policies in the store of the audit log: an embedded store has one owner, and one handle.
 *
 * @throws GateError ConfigInvalid where the audit log is not in PostgreSQL or the embedded store; StoreUnavailable
 */
export async function openShardRules(options: ShardRulesOptions): Promise<RuleService> {
  const { audit, quotas, maxStateAgeMs, deadlineMs, memoryMiB, metrics, logger } = options;
  if (audit.database === undefined) {
    const message = 'Expected audit.store.type to be postgres: rule policies are stored beside the audit log';
    throw faultsToError([{ type: FailureType.ConfigInvalid, message, where: 'audit.store.type' }]);
  }
  const store = createPostgresPolicyStore(await rulesWithin(audit.database));
  const rules = createRuleService({
    store,
    log: audit.log,
    ...(audit.store === undefined ? {} : { records: audit.store }),
    evaluator: createRuleThreads({ entry: join(__dirname, 'thread-entry'), deadlineMs, memoryMiB }),
    quotas,
    maxStateAgeMs,
    metrics,
    logger,
    now: Date.now,
    newId: randomUUID,
  });
  const delivery = repeat({
    timers: systemTimers,
    everyMs: DELIVER_EVERY_MS,
    act: () => rules.deliverRecords(),
    onFailure: (error) => logger.warn({ error }, 'Audit records of rule policies wait in their store'),
  });
  const kept = options.schedules === undefined ? undefined : keepSchedulesOf(store, options.schedules, logger);
  return {
    ...(kept === undefined ? rules : tellingOfChanges(rules, () => kept.soon())),
    close: async () => {
      await kept?.stop();
      await delivery.stop();
      await rules.close();
    },
  };
}

/** If the settings name a folder of policies, executions read it, and triggers in the store are ignored. */
function keepSchedulesOf(
  store: PolicyStore,
  { loaded, env }: NonNullable<ShardRulesOptions['schedules']>,
  logger: RuleLogger,
): SchedulesKept {
  const late = openSchedulesLate(loaded, env);
  const policies: PolicySource =
    loaded.settings.rules.policies === undefined ? policiesOfStore({ store, domain: shardDomain }) : NO_POLICIES;
  const kept = keepSchedules({
    reconcile: async (pass) =>
      reconcileSchedules({ policies, pauses: () => store.pauses(), book: await late.book(), pass }),
    timers: systemTimers,
    logger,
  });
  return {
    soon: () => kept.soon(),
    stop: async () => {
      // What a pass has not done, that of the next server does.
      const stopping = kept.stop();
      await late.close();
      await stopping;
    },
  };
}

const NO_POLICIES: PolicySource = { current: async () => ({ policies: [], setRevision: 0, pins: new Map() }) };
