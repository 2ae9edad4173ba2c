import { describe, expect, it } from '@jest/globals';
import type { AuditRecord } from '../../src/audit/audit-record';
import { toAuditRows, toAuditText } from '../../src/audit/format';
import { CSV_HEAD, toCsvLine } from '../../src/audit/to-csv';
import { toOpaEvent } from '../../src/audit/to-opa-event';
import { maskRecord } from '../../src/gate/masking/mask-record';
import { aRecord } from './a-record';

const SERIAL = 'SECRET-4711';
const OWNER = 'SECRET-0815';
const RULES = ['/input/fleet/serial', '/input/deployment/attributes/owner'];
const times = { observedAt: '2026-11-01T11:59:58.000Z', collectedAt: '2026-11-01T11:59:59.500Z' };
/** Of the reasons one quotes a masked value, one a value that is not masked, one has no code. */
const UNMASKED = aRecord({
  reasons: [`serial blocked: ${SERIAL}`, 'max_pending limit exceeded: current 3100 > configured 2000', `no ${OWNER}`],
  usedFacts: [
    { id: 'fleet', value: { serial: SERIAL, size: 3 }, source: `http://levels.example/${SERIAL}`, ...times },
    { id: 'max_pending', value: 3100, source: 'http://levels.example/max', ...times },
  ],
  deployment: { id: 'd', stage: 'canary', stage_index: 0, attributes: { owner: OWNER }, stage_attributes: {} },
});
const FAILED = aRecord({
  ...UNMASKED,
  outcome: 'error',
  reasons: [],
  errorDetails: [{ type: 'FactInvalid', factId: 'fleet', message: `expected a number, got ${SERIAL}`, where: OWNER }],
});
const CODES = ['max_pending_limit_exceeded', 'other', 'serial_blocked'];
const SENTENCE = 'The fact is not as described; more is masked';

const FORMS: [string, (record: AuditRecord) => string][] = [
  ['a JSON line', (record) => JSON.stringify(record)],
  ['CSV', toCsvLine],
  ['an OPA event', (record) => JSON.stringify(toOpaEvent(record))],
  ['a row of the list', (record) => toAuditRows([record])[0]!.join('  ')],
  ['the whole text', toAuditText],
];

describe('a decision that used a masked fact', () => {
  const denied = maskRecord(UNMASKED, RULES);
  const failed = maskRecord(FAILED, RULES);

  it.each(FORMS)(
    'a decision that used a masked fact as %s shows of its reasons the codes alone, and nothing that is masked',
    (_form, write) => {
      expect(write(UNMASKED)).toContain('current 3100');
      const shown = write(denied);
      for (const code of CODES) expect(shown).toContain(code);
      expect(shown).not.toMatch(/SECRET|4711|0815|blocked:|current 3100|configured 2000/);
    },
  );

  it.each(FORMS)(
    'a decision that used a masked fact and failed, as %s says of its fault the type and a fixed sentence',
    (_form, write) => {
      const shown = write(failed);
      expect(shown).toContain(SENTENCE);
      expect(shown).not.toMatch(/SECRET|4711|0815|expected a number/);
    },
  );

  it('a decision that used a masked fact is an OPA event that keeps the keys of what it hides, and names the pointers', () => {
    expect(toOpaEvent(denied)).toMatchObject({
      result: { allow: false, deny_reasons: CODES },
      input: { fleet: { serial: null, size: 3 }, max_pending: 3100, deployment: { attributes: { owner: null } } },
      erased: ['/input/deployment/attributes/owner', '/input/fleet/serial'],
    });
    expect(toOpaEvent(failed)).toMatchObject({ error: { code: 'FactInvalid', message: SENTENCE } });
    expect(toOpaEvent(failed)).not.toHaveProperty('result');
  });

  it('a decision that used a masked fact is a CSV line whose cells for reasons and errors hold nothing else', () => {
    const columns = CSV_HEAD.trimEnd().split(',');
    expect(columns.slice(6, 8)).toEqual(['reasons', 'errors']);
    expect(toCsvLine(denied)).toContain(`,deny,"${CODES.join('\n')}",,gate,`);
    expect(toCsvLine(failed)).toContain(`,error,,FactInvalid: ${SENTENCE},gate,`);
    expect(toCsvLine(denied)).toContain(
      ',"/input/deployment/attributes/owner\n/input/fleet/serial",gate,firmware-1.4.0,canary,,,\r\n',
    );
  });

  it('a decision that used a masked fact says in the whole text what was masked, so that it is not taken for a fact without a value', () => {
    expect(toAuditText(denied)).toMatch(
      /^ {2}masked +\/input\/deployment\/attributes\/owner, \/input\/fleet\/serial$/m,
    );
    expect(toAuditText(UNMASKED)).not.toContain('masked');
  });
});
