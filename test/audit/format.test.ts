import { describe, expect, it } from '@jest/globals';
import { AUDIT_COLUMNS, toAuditRows, toAuditText } from '../../src/audit/format';
import { aRecord } from './a-record';

describe('toAuditRows', () => {
  it('gives a cell for each column', () => {
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

  it("gives an operator's reason, deny reasons and errors as the why, on one line", () => {
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

  it('leaves out the address of a source and a reason that its fault says better', () => {
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
  ])('shows a why of %i characters in at most 80', (length, shown) => {
    const [row] = toAuditRows([aRecord({ reasons: ['x'.repeat(length)] })]);
    expect(row?.[AUDIT_COLUMNS.indexOf('WHY')]).toBe(shown);
  });

  it('shows control characters instead of sending them to the terminal', () => {
    const [row] = toAuditRows([aRecord({ actor: '\u001b[31mada\u202e' })]);
    expect(row?.[AUDIT_COLUMNS.indexOf('ACTOR')]).toBe('\\u001b[31mada\\u202e');
  });
});

describe('toAuditText', () => {
  it('tells the whole story of a denial', () => {
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

  it('leaves out what a record does not have', () => {
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
