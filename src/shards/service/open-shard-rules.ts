import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Audit } from '../../audit/service/open-audit';
import { FailureType, faultsToError } from '../../kernel/failures';
import { repeat } from '../../kernel/repeat';
import { systemTimers } from '../../platform/timers/system-timers';
import { createRuleService } from '../../rules/service/create-rule-service';
import type { RuleMetrics } from '../../rules/service/rule-metrics';
import type { RuleLogger, RuleQuotas } from '../../rules/service/rule-parts';
import type { RuleService } from '../../rules/service/rule-service';
import { rulesWithin } from '../../rules/store/postgres/open-rule-database';
import { createPostgresPolicyStore } from '../../rules/store/postgres/store';
import { createRuleThreads } from '../../rules/threads/rule-threads';

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
  const rules = createRuleService({
    store: createPostgresPolicyStore(await rulesWithin(audit.database)),
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
  return {
    ...rules,
    close: async () => {
      await delivery.stop();
      await rules.close();
    },
  };
}
