import { describe, expect, it } from '@jest/globals';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import {
  itemBytes,
  moveParts,
  partRefs,
  putBack,
  readRecord,
  toItem,
  toRecord,
} from '../../../../src/audit/stores/dynamodb/item';
import { aDomainRecord, aRecord } from '../../a-record';

const RETENTION_MS = 30 * 86_400_000;

describe('itemBytes', () => {
  it.each<[string, AttributeValue, number]>([
    ['text in UTF-8', { S: 'Zürich' }, 7],
    ['no text', { S: '' }, 0],
    ['a character beyond the basic plane', { S: '🚀' }, 4],
    ['a number as a byte for two digits and one more', { N: '1764504000' }, 6],
    ['an odd count of digits', { N: '123' }, 3],
    ['an empty list', { L: [] }, 3],
    ['a list, with one for each thing in it', { L: [{ S: 'ab' }, { S: 'c' }] }, 8],
    ['a map, with names', { M: { ab: { S: 'c' } } }, 7],
    ['true', { BOOL: true }, 1],
    ['null', { NULL: true }, 1],
  ])('itemBytes counts %s', (_, value, bytes) => {
    expect(itemBytes({ äb: value })).toBe(3 + bytes);
  });
});

describe('toItem', () => {
  it.each([
    ['2026-11-01T12:00:00.000Z', '2026-11-01T12:00:00.000Z#d-1', '2026-11-01', 1793534400 + 30 * 86_400],
    ['2026-11-01T00:30:00.999+01:00', '2026-10-31T23:30:00.999Z#d-1', '2026-10-31', 1793489400 + 30 * 86_400],
  ])('toItem sorts a record of %s by the time in UTC', (timestamp, sk, day, expiresAt) => {
    expect(toItem(aRecord({ decisionID: 'd-1', timestamp }), RETENTION_MS)).toMatchObject({
      sk: { S: sk },
      day: { S: day },
      timestamp: { S: timestamp },
      expiresAt: { N: String(expiresAt) },
    });
  });

  it.each([
    ['of 2048 bytes', 'a'.repeat(2048 - 'rules:#'.length), '', /^rules:a+#$/],
    ['one byte longer', 'a'.repeat(2048 - 'rules:#'.length), 'b', /^#[0-9a-f]{64}$/],
    ['long in UTF-8 alone', '東'.repeat(512), 'ä'.repeat(512), /^#[0-9a-f]{64}$/],
  ])('toItem makes a partition key that DynamoDB takes of a place %s', (_what, subject, part, key) => {
    const item = toItem(aDomainRecord({ subject, part }), RETENTION_MS);
    expect(item.pk!.S).toMatch(key);
    expect(toRecord(item)).toMatchObject({ subject, part });
  });

  it('toItem keeps an item of the gate as it has always been', () => {
    expect(toItem(aRecord({ decisionID: 'd-1' }), RETENTION_MS)).toStrictEqual({
      pk: { S: 'firmware-1.4.0#canary' },
      sk: { S: '2026-11-01T12:00:00.000Z#d-1' },
      day: { S: '2026-11-01' },
      expiresAt: { N: String(1793534400 + 30 * 86_400) },
      reasonCodes: { L: [{ S: 'max_pending_limit_exceeded' }] },
      fields: {
        S: 'schemaVersion,decisionID,kind,deploymentID,stage,timestamp,outcome,reasons,errorDetails,usedFacts,policySHA,configRev,manifestVersion,evalDurationNS,workflowID,runID,actor',
      },
      schemaVersion: { N: '1' },
      decisionID: { S: 'd-1' },
      kind: { S: 'decision' },
      deploymentID: { S: 'firmware-1.4.0' },
      stage: { S: 'canary' },
      timestamp: { S: '2026-11-01T12:00:00.000Z' },
      outcome: { S: 'deny' },
      reasonsJSON: { S: '["max_pending limit exceeded: current 3100 > configured 2000"]' },
      errorDetails: { S: '[]' },
      usedFactsJSON: { S: JSON.stringify(aRecord().usedFacts) },
      policySHA: { S: 'a'.repeat(64) },
      configRev: { S: 'b'.repeat(64) },
      manifestVersion: { S: '7' },
      evalDurationNS: { N: '81000' },
      workflowID: { S: 'deployment/firmware-1.4.0' },
      runID: { S: '0190-run' },
      actor: { S: 'gate' },
    });
  });

  it('toItem gives an item of another domain a key of its own, and the indexes its subject and part', () => {
    const record = aDomainRecord({ subject: 'a#b', part: 'c#d' });
    const item = toItem(record, RETENTION_MS);
    expect(item).toMatchObject({
      pk: { S: 'rules:a%23b#c#d' },
      deploymentID: { S: 'rules:a%23b' },
      stage: { S: 'c#d' },
      domain: { S: 'rules' },
      subject: { S: 'a#b' },
      part: { S: 'c#d' },
    });
    expect(toRecord(item)).toStrictEqual(record);
  });

  it('toItem refuses a record whose time is none', () => {
    expect(() => toItem(aRecord({ timestamp: 'yesterday' }), RETENTION_MS)).toThrow(
      /to have an RFC 3339 timestamp, got "yesterday"/,
    );
  });

  it('toItem keeps beside the shown text the exact one where DynamoDB cannot hold it', () => {
    const item = toItem(aRecord({ actor: 'a\ud800' }), RETENTION_MS);
    expect(item).toMatchObject({ actor: { S: 'a\uFFFD' }, exactJSON: { S: '{"actor":"a\\ud800"}' } });
    expect(toRecord(item).actor).toBe('a\ud800');
  });
});

describe('toRecord', () => {
  const item = toItem(aRecord(), RETENTION_MS);

  it('toRecord reads an item that another program wrote without the order of its fields', () => {
    const { fields: _, ...rest } = item;
    const record = aRecord();
    expect(toRecord(rest)).toEqual({ ...record, decisionID: item.decisionID!.S });
  });

  it('keeps a field of a later version, written by this one or by an attribute of its own', () => {
    const later = { ...aRecord({ decisionID: 'd-1' }), mood: { of: ['a', 1] }, toString: 'x', 'odd,name': null };
    const written = toItem(later as never, RETENTION_MS);
    expect(written).toMatchObject({ moodJSON: { S: '{"of":["a",1]}' } });
    expect(toRecord(written)).toStrictEqual(later);
    const { moodJSON: _, ...rest } = written;
    const mood = { M: { a: { L: [{ N: '1' }, { BOOL: false }, { NULL: true }] }, b: { S: 'x' } } };
    expect(toRecord({ ...rest, mood })).toStrictEqual({ ...later, mood: { a: [1, false, null], b: 'x' } });
  });

  it('leaves out a field of a later version whose attribute it cannot find', () => {
    const { S: fields } = item.fields as { S: string };
    expect(toRecord({ ...item, fields: { S: `${fields},mood,toString` } })).toStrictEqual(toRecord(item));
  });

  it.each([
    ['JSON that is none', { reasonsJSON: { S: '[' } }, /the item firmware-1\.4\.0#canary .* does not hold a record/],
    ['JSON of another type', { reasonsJSON: { N: '1' } }, /does not hold a record/],
    ['an attribute that is gone', { actor: undefined }, /its attribute actor is gone/],
    ['exact values that are none', { exactJSON: { N: '1' } }, /does not hold a record/],
  ])('toRecord says so of %s', (_, change, why) => {
    expect(() => toRecord({ ...item, ...change } as typeof item)).toThrow(why);
  });
});

describe('readRecord', () => {
  const item = toItem(aRecord({ decisionID: 'd-1' }), RETENTION_MS);

  it('gives a sound record as it is', () => {
    expect(readRecord(item)).toStrictEqual(toRecord(item));
  });

  it.each([
    [{ reasonsJSON: { S: '[' } }, { reasons: [] }, /its reasons cannot be read/],
    [{ actor: undefined }, { actor: '' }, /its actor cannot be read: its attribute actor is gone/],
    [{ kind: undefined }, { kind: 'unknown' }, /its kind cannot be read/],
    [{ exactJSON: { N: '1' } }, {}, /its exactJSON cannot be read/],
    [{ fields: { S: '%' } }, { decisionID: 'd-1', stage: 'canary' }, /its fields cannot be read/],
  ])('marks an item with %j and keeps the rest', (change, kept, why) => {
    const record = readRecord({ ...item, ...change } as typeof item);
    expect(record).toMatchObject({ ...kept, damaged: expect.arrayContaining([expect.stringMatching(why)]) });
    expect(record.policySHA).toBe('a'.repeat(64));
  });

  it('knows an item of which the key alone is left', () => {
    const { pk, sk } = toItem(aDomainRecord({ decisionID: 'd-2' }), RETENTION_MS);
    const left = { pk: pk!, sk: sk!, fields: { S: 'decisionID,timestamp' } };
    expect(readRecord(left)).toMatchObject({
      decisionID: 'd-2',
      timestamp: '2026-11-01T12:00:00.000Z',
      domain: 'rules',
      subject: 'balance-shards',
      part: 'move',
    });
  });
});

describe('moveParts', () => {
  const big = 'x'.repeat(5_000);
  const record = aRecord({
    deployment: { id: big },
    reasons: [big],
    errorDetails: [{ type: 'FactStale', message: big }],
  });
  record.usedFacts[0]!.value = big;
  const item = toItem(record, RETENTION_MS);

  it.each([
    [100_000, []],
    [itemBytes(item), []],
    [itemBytes(item) - 1, ['usedFacts']],
    [14_000, ['usedFacts', 'deployment']],
    [9_000, ['usedFacts', 'deployment', 'errorDetails']],
    [4_000, ['usedFacts', 'deployment', 'errorDetails', 'reasons']],
    [1, ['usedFacts', 'deployment', 'errorDetails', 'reasons']],
  ])('moveParts takes out for %i bytes no more than it must: %j', (maxBytes, fields) => {
    const { item: rest, moved } = moveParts(item, maxBytes);
    expect(moved.map(({ field }) => field)).toEqual(fields);
    if (maxBytes > 1) expect(itemBytes(rest)).toBeLessThanOrEqual(maxBytes);
    expect(toRecord(putBack(rest, moved))).toEqual(record);
  });

  it('moveParts passes over what a record does not have', () => {
    const { deployment: _, ...without } = record;
    expect(moveParts(toItem(without, RETENTION_MS), 1).moved.map(({ field }) => field)).not.toContain('deployment');
  });

  it('moveParts leaves no reference in an item that fits', () => {
    expect(partRefs(item)).toEqual([]);
  });
});
