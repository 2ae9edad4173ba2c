import { describe, expect, it } from '@jest/globals';
import { parseAuditQuery, toAuditQueryOptions, type AuditQueryOptions } from '../../src/audit/query';
import type { GateError } from '../../src/kernel/failures';

const now = Date.parse('2026-11-30T12:00:00Z');
const parse = (options: AuditQueryOptions) => parseAuditQuery(options, now);
function faultsOf(options: object): string[] {
  try {
    parse(options);
  } catch (error) {
    expect(error).toMatchObject({ type: 'ConfigInvalid' });
    return (error as GateError).faults.map((fault) => fault.message);
  }
  return [];
}

describe('parseAuditQuery', () => {
  it('parseAuditQuery leaves out what is not given', () => {
    expect(parse({})).toEqual({});
    expect(parse({ stage: undefined })).toEqual({});
  });

  it.each<[AuditQueryOptions, object]>([
    [{ deploymentID: 'firmware-1.4.0' }, { deploymentID: 'firmware-1.4.0' }],
    [{ outcome: 'deny' }, { outcome: 'deny' }],
    [{ kind: 'override' }, { kind: 'override' }],
    [
      { domain: 'rules', subject: 'Zürich/#1', part: '' },
      { domain: 'rules', subject: 'Zürich/#1', part: '' },
    ],
    [
      { domain: 'gate', stage: 'canary' },
      { domain: 'gate', stage: 'canary' },
    ],
    [{ policySHA: 'A'.repeat(64) }, { policySHA: 'a'.repeat(64) }],
    [{ reasonCode: 'other' }, { reasonCode: 'other' }],
    [{ limit: '1' }, { limit: 1 }],
    [{ limit: '10000' }, { limit: 10_000 }],
    [{ newestFirst: 'false' }, { newestFirst: false }],
    [{ since: '30d' }, { since: '2026-10-31T12:00:00.000Z' }],
    [{ since: '0001-01-01T00:00:00Z' }, { since: '0001-01-01T00:00:00.000Z' }],
    [{ until: '9999-12-31T23:59:59Z' }, { until: '9999-12-31T23:59:59.000Z' }],
    [{ since: '1.5h' }, { since: '2026-11-30T10:30:00.000Z' }],
    [{ since: '2026-11-01T00:00:00Z' }, { since: '2026-11-01T00:00:00.000Z' }],
    [{ until: '2026-11-01t02:00:00.5+02:00' }, { until: '2026-11-01T00:00:00.500Z' }],
    [{ until: '2028-02-29T00:00:00Z' }, { until: '2028-02-29T00:00:00.000Z' }],
  ])('parseAuditQuery reads %j', (options, query) => {
    expect(parse(options)).toEqual(query);
  });

  it.each([
    [{ deploymentID: '' }, 'Expected deploymentID to match'],
    [{ stage: 'a b' }, 'Expected stage to match'],
    [{ outcome: 'Deny' }, 'Expected outcome to be one of allow, deny, error, got "Deny"'],
    [
      { kind: 'none' },
      'Expected kind to be one of decision, override, resume, abort, pause, resolved, recheck, acted, ended, created, updated, deleted, rollback, refused, evaluated, started, got "none"',
    ],
    [{ domain: 'gates' }, 'Expected domain to be one of gate, rules, plans, images, got "gates"'],
    [{ subject: 'x'.repeat(513) }, 'Expected subject to be of at most 512 characters'],
    [{ domain: 'plans', stage: 'b' }, 'Expected stage with the domain gate alone, got "b" and "plans"'],
    [{ deploymentID: 'a', subject: 'a' }, 'Expected deploymentID or subject, got both'],
    [{ stage: 'a', part: 'a' }, 'Expected stage or part, got both'],
    [{ policySHA: 'a'.repeat(63) }, 'Expected policySHA to be 64 hexadecimal digits'],
    [{ reasonCode: '' }, 'Expected reasonCode not to be empty, got ""'],
    [{ limit: '0' }, 'Expected limit to be a whole number from 1 to 10000, got "0"'],
    [{ limit: '10001' }, 'Expected limit to be a whole number from 1 to 10000, got "10001"'],
    [{ limit: '1.5' }, 'Expected limit to be a whole number'],
    [{ newestFirst: 'yes' }, 'Expected newestFirst to be true or false'],
    [{ since: 'yesterday' }, 'Expected since to be a time such as 2026-11-01T00:00:00Z or a duration back from now'],
    [{ since: '2026-11-01' }, 'Expected since to be a time'],
    [{ since: '2026-11-01T00:00:00' }, 'Expected since to be a time'],
    [{ until: '2026-11-01 00:00:00z' }, 'Expected until to be a time'],
    [{ since: '2026-02-30T00:00:00Z' }, 'Expected since to be a time'],
    [{ since: '2026-13-01T00:00:00Z' }, 'Expected since to be a time'],
    [{ since: '2026-11-01T25:00:00Z' }, 'Expected since to be a time'],
    [{ since: '999999999999999d' }, 'Expected since to be a time'],
    // Stores know the years 1 to 9999.
    [{ since: '9999999d' }, 'Expected since to be a time'],
    [{ since: '0000-12-31T23:59:59Z' }, 'Expected since to be a time'],
    [{ since: '0001-01-01T00:00:00+00:01' }, 'Expected since to be a time'],
    [{ until: '9999-12-31T23:59:59-00:01' }, 'Expected until to be a time'],
    [{ after: '0000-12-31T23:59:59Z,a' }, 'Expected after to be the time and the id of a record'],
    [{ since: '1h', until: '2h' }, 'Expected since to lie before until'],
    [{ since: '1h', until: '1h' }, 'Expected since to lie before until'],
    [{ stage: ['a', 'b'] }, 'Expected stage to be given at most once, got ["a","b"]'],
    [{ actor: 'ada' }, 'got an option called "actor"'],
    [{ toString: 'x' }, 'got an option called "toString"'],
  ])('parseAuditQuery refuses %j', (options, message) => {
    expect(faultsOf(options)).toEqual([expect.stringContaining(message)]);
  });

  it('parseAuditQuery reports every fault at once', () => {
    expect(faultsOf({ outcome: 'maybe', limit: '-1', since: 'soon' })).toHaveLength(3);
  });

  it('parseAuditQuery reads again what toAuditQueryOptions wrote', () => {
    const query = parse({ stage: 'canary', limit: '5', newestFirst: 'false', since: '1h', until: '1m' });
    expect(parse(toAuditQueryOptions({ ...query, kind: undefined }))).toEqual(query);
  });
});
