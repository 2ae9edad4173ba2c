import { describe, expect, it } from '@jest/globals';
import { AUDIT_COLUMNS, toAuditRows, toAuditText } from '../../src/audit/format';
import { aDomainRecord, aRecord } from './a-record';

describe('toAuditRows', () => {
  it('toAuditRows gives a cell for each column', () => {
    const [row] = toAuditRows([aRecord({ decisionID: '3f1c9a52-7d0e-4f0b-9a55-0c7d3c1f2a10' })]);
    expect(row).toHaveLength(AUDIT_COLUMNS.length);
    expect(row).toEqual([
      '2026-11-01 12:00:00Z',
      'firmware-1.4.0',
      'canary',
      'decision',
      'deny',
      'gate',
      '3f1c9a52',
      'max_pending limit exceeded: current 3100 > configured 2000',
    ]);
  });

  it("toAuditRows gives an operator's reason, deny reasons and errors as the why, on one line", () => {
    const [row] = toAuditRows([
      aRecord({
        kind: 'pause',
        outcome: undefined,
        reason: 'facts\nare stale',
        reasons: ['a'],
        errorDetails: [{ type: 'FactStale', message: 'too old' }],
      }),
    ]);
    expect(row?.[AUDIT_COLUMNS.indexOf('WHY')]).toBe('facts are stale; a; too old');
    expect(row?.[AUDIT_COLUMNS.indexOf('OUTCOME')]).toBe('');
  });

  it('toAuditRows shows the name of a rule policy beside the id that is its subject', () => {
    const details = { name: 'cool-nodes-first', revision: 2 };
    const [row] = toAuditRows([
      aDomainRecord({ subject: '5e0c', kind: 'updated', reason: 'as agreed', reasons: [], details }),
    ]);
    expect(row?.[AUDIT_COLUMNS.indexOf('DEPLOYMENT')]).toBe('rules:5e0c');
    expect(row?.[AUDIT_COLUMNS.indexOf('WHY')]).toBe('cool-nodes-first; as agreed');
  });

  it('toAuditRows says once what is in several fields', () => {
    const refused = aDomainRecord({ kind: 'decision', outcome: 'deny', reason: 'no scan', reasons: ['no scan'] });
    expect(toAuditRows([refused])[0]?.at(-1)).toBe('no scan');
  });

  it('toAuditRows leaves out the address of a source and a reason that its fault says better', () => {
    const message =
      'Fact max_pending is stale: 90004 ms old, allowed 45000 ms (levelServer http://127.0.0.1:1/api/max_pending)';
    const [row] = toAuditRows([
      aRecord({ kind: 'pause', reason: 'FactStale', reasons: [], errorDetails: [{ type: 'FactStale', message }] }),
    ]);
    expect(row?.[AUDIT_COLUMNS.indexOf('WHY')]).toBe('Fact max_pending is stale: 90004 ms old, allowed 45000 ms');
  });

  it.each([
    [80, 'x'.repeat(80)],
    [81, `${'x'.repeat(79)}…`],
  ])('toAuditRows shows a why of %i characters in at most 80', (length, shown) => {
    const [row] = toAuditRows([aRecord({ reasons: ['x'.repeat(length)] })]);
    expect(row?.[AUDIT_COLUMNS.indexOf('WHY')]).toBe(shown);
  });

  it('toAuditRows shows control characters instead of sending them to the terminal', () => {
    const [row] = toAuditRows([aRecord({ actor: '\u001b[31mada\u202e' })]);
    expect(row?.[AUDIT_COLUMNS.indexOf('ACTOR')]).toBe('\\u001b[31mada\\u202e');
  });
});

describe('toAuditText', () => {
  it('toAuditText tells the whole story of a denial', () => {
    const record = aRecord({
      decisionID: 'd-1',
      leaseExpiresAt: '2026-11-01T12:00:43.000Z',
      deployment: { id: 'firmware-1.4.0', attributes: { risk: 'low' } },
    });
    expect(toAuditText(record)).toBe(`decision: deny  firmware-1.4.0 / canary

  id                d-1
  time              2026-11-01T12:00:00.000Z
  actor             gate
  lease until       2026-11-01T12:00:43.000Z
  policy SHA        ${'a'.repeat(64)}
  config revision   ${'b'.repeat(64)}
  manifest version  7
  evaluation        81 µs
  workflow          deployment/firmware-1.4.0
  run               0190-run
  attributes        deployment {"risk":"low"}, stage {}

Deny reasons
  - max_pending limit exceeded: current 3100 > configured 2000

Facts
  - max_pending = 3100  observed 2026-11-01T11:59:58.000Z (2.0 s old), from levelServer http://levels.example
`);
  });

  it('toAuditText leaves out what a record does not have', () => {
    const text = toAuditText({
      schemaVersion: 1,
      decisionID: 'p-1',
      kind: 'pause',
      deploymentID: 'd',
      stage: 's',
      timestamp: '2026-11-01T12:00:00.000Z',
      reasons: [],
      errorDetails: [{ type: 'FactMissing', message: 'nobody provides level' }],
      usedFacts: [{ id: 'x', value: null, observedAt: 'unknown', collectedAt: 'unknown', source: 'test' }],
      actor: 'gate',
    });
    expect(text).toBe(`pause  d / s

  id     p-1
  time   2026-11-01T12:00:00.000Z
  actor  gate

Errors
  - FactMissing: nobody provides level

Facts
  - x = null  observed unknown, from test
`);
  });
});

describe('records of kinds with details, and of later versions', () => {
  const details = { count: 12, outcome: 'error', codes: ['FactStale'] };
  const plain = { outcome: undefined, reasons: [], usedFacts: [] };
  const recheck = aRecord({ kind: 'recheck', schemaVersion: 2, ...plain, details });

  it('are listed by the plain values of their details', () => {
    expect(toAuditRows([recheck])[0]?.[AUDIT_COLUMNS.indexOf('WHY')]).toBe('count 12; outcome error');
  });

  it('are shown with every detail', () => {
    expect(toAuditText(recheck)).toContain('Details\n  - count: 12\n  - outcome: error\n  - codes: ["FactStale"]');
  });

  it('are shown with the fields that this version does not know, steering no terminal', () => {
    const later = { ...recheck, kind: 'pondered' as never, mood: ['a', { b: 1 }], note: '\u001b[2J' };
    const text = toAuditText(later);
    expect(text).toContain('pondered  firmware-1.4.0 / canary');
    expect(text).toContain('Fields of a later version\n  - mood: ["a",{"b":1}]\n  - note: ');
    expect(text).not.toContain('\u001b');
    expect(toAuditRows([later])[0]?.[AUDIT_COLUMNS.indexOf('KIND')]).toBe('pondered');
  });

  it('are listed and shown without a list that a later version has left out', () => {
    const { reasons: _, usedFacts: __, errorDetails: ___, actor: ____, ...rest } = recheck;
    expect(toAuditRows([rest as never])).toHaveLength(1);
    expect(toAuditText(rest as never)).toContain('count: 12');
  });

  it('of another domain bear its name', () => {
    expect(toAuditRows([aDomainRecord()])[0]?.slice(1, 3)).toEqual(['rules:balance-shards', 'move']);
    expect(toAuditText(aDomainRecord())).toContain('decision: deny  rules:balance-shards / move');
  });

  it('are marked where they are damaged', () => {
    const damaged = aRecord({ damaged: ['its facts are gone'] });
    expect(toAuditRows([damaged])[0]?.[AUDIT_COLUMNS.indexOf('WHY')]).toMatch(/^DAMAGED; max_pending/);
    expect(toAuditText(damaged)).toContain('DAMAGED, so that some of it is missing\n  - its facts are gone');
  });
});
