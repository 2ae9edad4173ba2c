import { describe, expect, it } from '@jest/globals';
import type { AuditQuery } from '../../../../src/audit/audit-record';
import {
  daysOf,
  filterExpression,
  isEmptyRange,
  partitionOf,
  sortKeyRange,
} from '../../../../src/audit/stores/dynamodb/query';

const DAY_MS = 86_400_000;
const nowMs = Date.parse('2026-11-02T12:00:00Z');
const after = { timestamp: '2026-11-01T12:00:00.000Z', decisionID: 'd' };

describe('partitionOf', () => {
  it.each<[AuditQuery, object | undefined]>([
    [
      { deploymentID: 'a', stage: 'b' },
      { attribute: 'pk', value: 'a#b' },
    ],
    [{ deploymentID: 'a' }, { index: 'byDeployment', attribute: 'deploymentID', value: 'a' }],
    [{ stage: 'b' }, undefined],
    [{ domain: 'rules' }, undefined],
    [
      { domain: 'rules', subject: 'a', part: 'b' },
      { attribute: 'pk', value: 'rules:a#b' },
    ],
    [
      { domain: 'images', subject: 'a#%', part: '' },
      { attribute: 'pk', value: 'images:a%23%25#' },
    ],
    [
      { domain: 'plans', subject: 'a' },
      { index: 'byDeployment', attribute: 'deploymentID', value: 'plans:a' },
    ],
    [{}, undefined],
  ])('partitionOf is the narrowest for %j', (query, partition) => {
    expect(partitionOf(query)).toEqual(partition);
  });
});

describe('sortKeyRange', () => {
  const place = '2026-11-01T12:00:00.000Z#d';
  it.each<[AuditQuery, object]>([
    [{}, {}],
    [{ since: '2026-11-01T00:00:00Z' }, { from: '2026-11-01T00:00:00.000Z' }],
    [{ since: '2026-11-01T00:00:00.0001Z' }, { from: '2026-11-01T00:00:00.001Z' }],
    [{ since: '2026-11-01T00:00:00.0000Z' }, { from: '2026-11-01T00:00:00.000Z' }],
    [{ until: '2026-11-01T01:00:00+01:00' }, { to: '2026-11-01T00:00:00.000Z' }],
    [{ after }, { to: place, except: place }],
    [
      { after, newestFirst: false },
      { from: place, except: place },
    ],
    [
      { after, until: '2026-11-01T00:00:00Z' },
      { to: '2026-11-01T00:00:00.000Z', except: place },
    ],
    [
      { after, until: '2026-11-02T00:00:00Z' },
      { to: place, except: place },
    ],
    [
      { after, since: '2026-11-02T00:00:00Z', newestFirst: false },
      { from: '2026-11-02T00:00:00.000Z', except: place },
    ],
    [
      { after, since: '2026-11-01T00:00:00Z', newestFirst: false },
      { from: place, except: place },
    ],
  ])('sortKeyRange of %j', (query, range) => {
    expect(sortKeyRange(query)).toEqual(range);
  });

  it('sortKeyRange is empty when it ends before it begins', () => {
    expect(isEmptyRange({ from: 'b', to: 'a' })).toBe(true);
    expect(isEmptyRange({ from: 'a', to: 'a' })).toBe(false);
    expect(isEmptyRange({ from: 'a' })).toBe(false);
  });
});

describe('daysOf', () => {
  const days = (query: AuditQuery, retentionMs = 30 * DAY_MS) => daysOf(query, sortKeyRange(query), retentionMs, nowMs);

  it('daysOf goes from tomorrow, since clocks differ, to 400 days and a week ago', () => {
    const found = days({});
    expect(found[0]).toBe('2026-11-03');
    expect(found.at(-1)).toBe('2025-09-21');
    expect(found).toHaveLength(409);
  });

  it('daysOf goes back as far as records are kept, and not beyond ten years', () => {
    expect(days({}, 500 * DAY_MS)).toHaveLength(509);
    expect(days({}, 9_000 * DAY_MS)).toHaveLength(3660 + 9);
  });

  it.each<[AuditQuery, string[]]>([
    [{ since: '2026-11-01T23:59:59.999Z' }, ['2026-11-03', '2026-11-02', '2026-11-01']],
    [{ since: '2026-11-02T00:00:00Z', newestFirst: false }, ['2026-11-02', '2026-11-03']],
    [{ since: '2024-02-28T12:00:00Z', until: '2024-03-01T00:00:00Z' }, ['2024-03-01', '2024-02-29', '2024-02-28']],
    [{ since: '2026-11-02T00:00:00Z', until: '2030-01-01T00:00:00Z' }, ['2026-11-03', '2026-11-02']],
    [{ since: '2026-10-31T00:00:00Z', after }, ['2026-11-01', '2026-10-31']],
    [{ since: '2027-01-01T00:00:00Z' }, []],
  ])('daysOf of %j are %j', (query, expected) => {
    expect(days(query)).toEqual(expected);
  });

  it('daysOf with since goes back ten years at most', () => {
    expect(days({ since: '1970-01-01T00:00:00Z' }).at(-1)).toBe('2016-10-25');
  });
});

describe('filterExpression', () => {
  it('filterExpression is none where the place says it all', () => {
    expect(filterExpression({ deploymentID: 'a', stage: 'b', limit: 5 })).toBeUndefined();
  });

  it('filterExpression joins what is asked', () => {
    expect(filterExpression({ stage: 'b', outcome: 'deny', reasonCode: 'c' })).toEqual({
      text: '#stage = :stage AND #outcome = :outcome AND NOT contains(#pk, :domain) AND contains(#reasonCodes, :reasonCode)',
      names: { '#stage': 'stage', '#outcome': 'outcome', '#pk': 'pk', '#reasonCodes': 'reasonCodes' },
      values: { ':domain': { S: ':' }, ':stage': { S: 'b' }, ':outcome': { S: 'deny' }, ':reasonCode': { S: 'c' } },
    });
  });
});
