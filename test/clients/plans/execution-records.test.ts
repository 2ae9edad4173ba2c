import { describe, expect, it } from '@jest/globals';
import type { AuditQuery, AuditRecord } from '../../../src/audit/audit-record';
import { placeOf, scopeOf } from '../../../src/audit/place';
import { executionRecords } from '../../../src/clients/plans/execution-records';
import { recordLines } from '../../../src/cli/deployments/status-text';

const bare = { schemaVersion: 2 as const, reasons: [], errorDetails: [], usedFacts: [] };
const at = (second: number) => `2026-11-28T10:00:${String(second).padStart(2, '0')}.000Z`;
const ofPlans = (second: number, more: Partial<AuditRecord>): AuditRecord =>
  ({
    ...bare,
    domain: 'plans',
    subject: 'execution/prod/first',
    part: '',
    timestamp: at(second),
    ...more,
  }) as AuditRecord;
const ofGate = (second: number, more: Partial<AuditRecord>): AuditRecord =>
  ({ ...bare, deploymentID: 'prod.first', stage: 'deploy', timestamp: at(second), ...more }) as AuditRecord;

const RECORDS: AuditRecord[] = [
  ofPlans(1, { kind: 'created', actor: 'ann' }),
  ofGate(2, { kind: 'decision', actor: 'gate' }),
  ofGate(3, { kind: 'pause', actor: 'gate' }),
  ofGate(4, { kind: 'resume', actor: 'bob', reason: 'checked\nby hand' }),
  ofPlans(5, {
    ...{ kind: 'resolved', actor: 'amy, bob', part: 'ask', reason: 'go' },
    details: { outcome: 'approved', gate: 'live' },
  } as Partial<AuditRecord>),
  ofPlans(6, { kind: 'created', actor: 'eve', subject: 'execution/prod/other' } as Partial<AuditRecord>),
  ofGate(7, { kind: 'ended', actor: 'gate' }),
];

/** What a store does with the filters that count here. */
const reader = {
  list: (query: AuditQuery) =>
    Promise.resolve(
      RECORDS.filter((record) => {
        const { domain, subject } = scopeOf(query);
        const place = placeOf(record);
        return place.domain === domain && place.subject === subject;
      }).reverse(),
    ),
};

describe('what the audit log has of an execution', () => {
  it('is who ran it, let its nodes pass and operated it, oldest first', async () => {
    const found = await executionRecords(reader, 'prod.first');
    expect(found.map(({ kind, actor }) => `${kind} ${actor}`)).toEqual([
      ...['created ann', 'resume bob', 'resolved amy, bob'],
    ]);
    expect(recordLines(found)).toEqual([
      '',
      'Who did what:',
      '  2026-11-28 10:00:01Z  ann  created',
      '  2026-11-28 10:00:04Z  bob  resume deploy: checked by hand',
      '  2026-11-28 10:00:05Z  amy, bob  resolved ask approved: go',
    ]);
  });

  it('is nothing of a deployment that is no execution of a plan', async () => {
    for (const id of ['prod.unknown', 'firmware-1.4.0', 'firmware', 'a.b.c', '']) {
      expect(await executionRecords(reader, id)).toEqual([]);
    }
    expect(recordLines([])).toEqual([]);
  });
});
