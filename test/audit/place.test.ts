import { describe, expect, it } from '@jest/globals';
import type { AuditQuery, AuditRecord } from '../../src/audit/audit-record';
import { isGateRecord, placeOf, scopeOf, subjectName } from '../../src/audit/place';
import { aDomainRecord, aRecord } from './a-record';

describe('the place of a record', () => {
  it('the place of a record is deployment and stage for a record of the gate, whether or not it says so', () => {
    const place = { domain: 'gate', subject: 'firmware-1.4.0', part: 'canary' };
    for (const record of [aRecord(), aRecord({ domain: 'gate' })]) {
      expect(placeOf(record)).toEqual(place);
      expect(isGateRecord(record)).toBe(true);
      expect(subjectName(record)).toBe('firmware-1.4.0');
    }
  });

  it('the place of a record is subject and part for a record of another domain, also of one that this version does not know', () => {
    const unknown = { ...aDomainRecord(), domain: 'fleets' } as unknown as AuditRecord;
    expect(placeOf(aDomainRecord())).toEqual({ domain: 'rules', subject: 'balance-shards', part: 'move' });
    expect(placeOf(unknown)).toEqual({ domain: 'fleets', subject: 'balance-shards', part: 'move' });
    expect(subjectName(unknown)).toBe('fleets:balance-shards');
    expect(isGateRecord(unknown)).toBe(false);
  });
});

describe('the place that a query asks for', () => {
  it.each<[AuditQuery, object]>([
    [{}, {}],
    [{ outcome: 'deny' }, {}],
    [{ domain: 'rules' }, { domain: 'rules' }],
    [{ deploymentID: 'a' }, { domain: 'gate', subject: 'a' }],
    [{ stage: 'b' }, { domain: 'gate', part: 'b' }],
    [
      { subject: 'a', part: '' },
      { domain: 'gate', subject: 'a', part: '' },
    ],
    [
      { domain: 'plans', subject: 'a' },
      { domain: 'plans', subject: 'a' },
    ],
  ])('the place that a query asks for of %j is %j', (query, scope) => {
    expect(scopeOf(query)).toEqual(scope);
  });
});
