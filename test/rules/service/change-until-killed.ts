import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import { openAuditDatabase } from '../../../src/audit/stores/postgres/open-audit-database';
import { createRuleService } from '../../../src/rules/service/create-rule-service';
import { createRuleMetrics } from '../../../src/rules/service/rule-metrics';
import { rulesWithin } from '../../../src/rules/store/postgres/open-rule-database';
import { createPostgresPolicyStore } from '../../../src/rules/store/postgres/store';

// A server's stand-in: makes a change, and says so when it is to bring its record; the audit log never answers.
async function main(folder: string): Promise<void> {
  const database = await openAuditDatabase({ folder });
  const checked = { type: 'loading', version: '1.0', priority: 0, enabled: true };
  const notAsked = () => Promise.reject(new Error('not asked'));
  const service = createRuleService({
    store: createPostgresPolicyStore(await rulesWithin(database)),
    log: {
      record: ({ decisionID }) => {
        process.stdout.write(`${decisionID}\n`);
        return new Promise(() => setInterval(() => undefined, 1_000));
      },
      close: () => Promise.resolve(),
    },
    evaluator: {
      check: () => Promise.resolve(checked),
      evaluate: notAsked,
      simulate: notAsked,
      close: () => Promise.resolve(),
    },
    quotas: { policies: 9, documentBytes: 9_999 },
    maxStateAgeMs: 1,
    metrics: createRuleMetrics(new Registry()),
    logger: { info: () => undefined, warn: () => undefined },
    now: Date.now,
    newId: randomUUID,
  });
  await service.create({ actor: 'ann' }, { document: { name: 'killed', type: 'loading' }, reason: 'to be killed' });
}

void main(process.argv[2]!);
