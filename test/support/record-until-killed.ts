import { createPostgresAuditStore } from '../../src/audit/stores/postgres/store';
import { openAuditDatabase } from '../../src/audit/stores/postgres/open-audit-database';
import { aRecord } from '../audit/a-record';

// A worker's stand-in: holds the embedded store and records without end, saying each id once it is durable.
async function main(folder: string) {
  const store = createPostgresAuditStore(await openAuditDatabase({ folder }));
  for (let i = 0; ; i += 1) {
    const blob = 'x'.repeat(20_000);
    const facts = [{ id: 'blob', value: blob, observedAt: 'now', collectedAt: 'now', source: 'test' }];
    const { decisionID } = await store.record(aRecord({ decisionID: `r-${i}`, usedFacts: facts }));
    process.stdout.write(`${decisionID}\n`);
  }
}

void main(process.argv[2]!);
