import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuditLog } from '../../../src/audit/copies/create-audit-log';
import { openAuditDatabase } from '../../../src/audit/stores/postgres/open-audit-database';
import { createPostgresAuditStore } from '../../../src/audit/stores/postgres/store';
import { createRecordDelivery } from '../../../src/audit/service/deliver-records';
import { rulesWithin } from '../../../src/rules/store/postgres/open-rule-database';
import { createPostgresPolicyStore } from '../../../src/rules/store/postgres/store';

describe('a server that is killed', () => {
  it('a change whose process was killed before its record was brought has its record all the same, once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gate-rules-killed-'));
    const hook = join(__dirname, '../../support/ts-require.cjs');
    const child = spawn(process.execPath, ['-r', hook, join(__dirname, 'change-until-killed.ts'), folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const [said] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer];
    child.kill('SIGKILL');
    await ended;

    const database = await openAuditDatabase({ folder });
    const audit = createPostgresAuditStore(database);
    const store = createPostgresPolicyStore(await rulesWithin(database));
    const policy = await store.find({ name: 'killed' });
    expect(policy).toMatchObject({ revision: 1 });
    const about = { domain: 'rules', subject: policy!.id } as const;
    expect(await audit.list(about)).toEqual([]);

    const quiet = { warn: () => undefined, error: () => undefined, info: () => undefined };
    const counts = { written: () => undefined, failed: () => undefined, dropped: () => undefined };
    const log = createAuditLog({ store: audit, sinks: [], metrics: counts, logger: quiet });
    const waiting: number[] = [];
    const metrics = { waiting: (records: number) => void waiting.push(records) } as never;
    const delivery = createRecordDelivery({ store, log, metrics, logger: quiet, about: 'rule policies' });
    await delivery.sweep();
    await delivery.sweep();
    const records = await audit.list(about);
    expect(records).toMatchObject([{ kind: 'created', actor: 'ann', reason: 'to be killed' }]);
    expect(said.toString().trim()).toBe(records[0]!.decisionID);
    expect(waiting).toEqual([1, 0, 0]);
    await log.close();
    await rm(folder, { recursive: true });
  });
});
