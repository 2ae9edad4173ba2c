import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import type { AuditStore, DomainRecord } from '../../../src/audit/audit-record';
import { createAuditLog } from '../../../src/audit/copies/create-audit-log';
import { openAuditDatabase } from '../../../src/audit/stores/postgres/open-audit-database';
import { createPostgresAuditStore } from '../../../src/audit/stores/postgres/store';
import type { JsonObject } from '../../../src/kernel/json';
import { createRuleService } from '../../../src/rules/service/create-rule-service';
import { createRuleMetrics } from '../../../src/rules/service/rule-metrics';
import type { RuleParts } from '../../../src/rules/service/rule-parts';
import type { RuleService } from '../../../src/rules/service/rule-service';
import { rulesWithin } from '../../../src/rules/store/postgres/open-rule-database';
import { createPostgresPolicyStore } from '../../../src/rules/store/postgres/store';
import { createRuleThreads } from '../../../src/rules/threads/rule-threads';

export const NOW = '2026-11-26T10:00:00.000Z';

/** The service over real parts: PGlite, the audit log in it, threads that evaluate rules for parcels. */
export interface ServiceHarness {
  service: RuleService;
  parts: RuleParts;
  audit: AuditStore;
  registry: Registry;
  /** makes the audit log refuse records */
  outage: { isOn: boolean };
  logged: string[];
  /** records of a policy, oldest first */
  recordsOf(subject: string): Promise<DomainRecord[]>;
  close(): Promise<void>;
}

export async function openService(over: Partial<RuleParts> = {}): Promise<ServiceHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'gate-rule-service-'));
  const database = await openAuditDatabase({ folder });
  const audit = createPostgresAuditStore(database);
  const outage = { isOn: false };
  const refusing: AuditStore = {
    ...audit,
    record: (record) => (outage.isOn ? Promise.reject(new Error('the audit store is away')) : audit.record(record)),
  };
  const logged: string[] = [];
  const say = (_details: object, message: string) => void logged.push(message);
  const metrics = { written: () => undefined, failed: () => undefined, dropped: () => undefined };
  const registry = new Registry();
  const parts: RuleParts = {
    store: createPostgresPolicyStore(await rulesWithin(database)),
    log: createAuditLog({ store: refusing, sinks: [], metrics, logger: { warn: say, error: say } }),
    records: audit,
    evaluator: createRuleThreads({
      entry: join(__dirname, '../threads/parcels-thread-entry'),
      deadlineMs: 2_000,
      memoryMiB: 64,
      threads: 1,
    }),
    quotas: { policies: 50, documentBytes: 4_096 },
    maxStateAgeMs: 45_000,
    metrics: createRuleMetrics(registry),
    logger: { info: say, warn: say },
    now: () => Date.parse(NOW),
    newId: randomUUID,
    ...over,
  };
  const service = createRuleService(parts);
  return {
    service,
    parts,
    audit,
    registry,
    outage,
    logged,
    recordsOf: async (subject) =>
      (await audit.list({ domain: 'rules', subject, newestFirst: false })) as DomainRecord[],
    async close() {
      await service.close();
      await parts.log.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** A policy for parcels that loads where the lorry has room. */
export function aDocument(name: string, over: JsonObject = {}): JsonObject {
  return {
    name,
    type: 'loading',
    priority: 10,
    conditions: { metric: 'lorry.free', operator: 'gt', value: 2 },
    actions: { load: { lane: 1 } },
    ...over,
  };
}
