import { describe, expect, it } from '@jest/globals';
import type { GateRecord } from '../../../src/audit/audit-record';
import { toMaskRules } from '../../../src/gate/masking/bundle-mask';
import { MASK_ALL, resolveMask } from '../../../src/gate/masking/mask';
import { maskPathFault, type MaskRule } from '../../../src/kernel/mask-rule';
import { maskRecord } from '../../../src/gate/masking/mask-record';

const SECRET = 'SECRET-4711';
const times = { observedAt: '2026-01-01T00:00:00.000Z', collectedAt: '2026-01-01T00:00:00.000Z' };
const record = (changes: Partial<GateRecord> = {}): GateRecord => ({
  schemaVersion: 1,
  decisionID: 'd1',
  kind: 'decision',
  deploymentID: 'dep',
  stage: 'prod',
  timestamp: '2026-01-01T00:00:00.000Z',
  outcome: 'deny',
  reasons: [`serial blocked: ${SECRET}`, `${SECRET}: blocked`, `no code ${SECRET}`],
  errorDetails: [],
  usedFacts: [
    { id: 'fleet', value: { serial: SECRET, size: 3 }, source: `http://host/${SECRET}`, ...times },
    { id: 'delta', value: 7, source: 'http://host/delta', ...times },
  ],
  actor: 'gate',
  deployment: { id: 'dep', stage: 'prod', stage_index: 0, attributes: { owner: SECRET }, stage_attributes: {} },
  ...changes,
});
const RULES: MaskRule[] = ['/input/fleet/serial', '/input/deployment/attributes/owner'];

describe('a masked record', () => {
  it('a masked record holds the value nowhere, and of reasons the codes', () => {
    const masked = maskRecord(record(), RULES);
    expect(JSON.stringify(masked)).not.toContain('4711');
    expect(masked.reasons).toEqual(['other', 'serial_blocked']);
    expect(masked.masked).toEqual(['/input/deployment/attributes/owner', '/input/fleet/serial']);
    expect(masked.usedFacts.map(({ value }) => value)).toEqual([{ serial: null, size: 3 }, 7]);
    expect(maskRecord(masked, RULES)).toBe(masked);
  });

  it.each([
    ['a value in capitals', 'SN-77', 'blocked sn 77: x', 'other'],
    ['a value with a colon', 'ab:cd', 'blocked ab:cd', 'other'],
    ['a key of the value', { 'eu-west': { status: 'red' } }, 'eu-west unhealthy: red', 'other'],
    ['a key in a list', [{ eu: 1 }], 'region eu: red', 'other'],
    ['a key within a word', { eu: 'x9' }, 'queue_long: 7', 'queue_long'],
    ['nothing of it', { eu: true, none: null, '': '' }, 'queue long: 7', 'queue_long'],
  ])('a masked record shows no code that holds %s', (_what, value, reason, code) => {
    const usedFacts = [{ id: 'fleet', value, source: 'config', ...times }];
    expect(maskRecord(record({ reasons: [reason], usedFacts }), ['/input/fleet']).reasons).toEqual([code]);
  });

  it.each([
    ['http://h/a%20B%2Fc?q', 'a B/c', 'masked'],
    ['http://tenant-x.example/', 'Tenant-X', 'masked'],
    ['http://h/%', 'x', 'http://h/%'],
    ['http://h/100%/abc', 'abc', 'masked'],
  ])('a masked record shows of the source %s, where %s is masked, %s', (source, value, shown) => {
    const usedFacts = [{ id: 'fleet', value, source, ...times }];
    expect(maskRecord(record({ usedFacts }), ['/input/fleet']).usedFacts).toMatchObject([{ source: shown }]);
  });

  it('a masked record is the record itself where nothing is found', () => {
    const plain = record();
    for (const rules of [undefined, [], ['/input/other'], ['/input/deployment/id'], ['/input/decision_time']]) {
      expect(maskRecord(plain, rules)).toBe(plain);
    }
  });

  it('a masked record shows what an upsert puts there, and everything masked under /input', () => {
    const [fleet] = maskRecord(record(), [{ path: '/input/fleet/serial', value: 'x' }]).usedFacts;
    expect(fleet!.value).toEqual({ serial: 'x', size: 3 });
    const all = maskRecord(record(), MASK_ALL);
    expect(all.usedFacts.map(({ value }) => value)).toEqual([null, null]);
    expect(all.deployment).toMatchObject({ id: 'dep', attributes: null });
  });

  it('a masked record says of faults their type and fact, also where the fact itself could not be collected', () => {
    const fault = {
      type: 'FactInvalid' as const,
      message: `found ${SECRET}`,
      factId: 'gone',
      where: SECRET,
      status: 500,
    };
    const masked = maskRecord(record({ reasons: [], usedFacts: [], deployment: {}, errorDetails: [fault] }), [
      '/input/gone/a',
    ]);
    expect(masked.errorDetails).toEqual([
      { type: 'FactInvalid', message: expect.stringContaining('masked'), factId: 'gone', status: 500 },
    ]);
    expect(masked.masked).toEqual(['/input/gone/a']);
  });
});

describe('masks', () => {
  it.each([
    ['input', true],
    ['/input/', false],
    ['/result/x', true],
    ['/input/deployment/id', true],
    ['/input/decision_time', true],
    ['/input/deployment/attributes/owner', false],
    ['/input/deployment', false],
    ['/input/a~2', true],
  ])('masks of the settings: %s is wrong: %s', (pointer, isWrong) => {
    expect(maskPathFault(pointer) !== undefined).toBe(isWrong);
  });

  it('masks find list items and escaped keys', () => {
    const input = { 'a/b': { 'c~d': [1, 2] } };
    expect(resolveMask(['/input/a~1b/c~0d/1', '/input/a~1b/c~0d/2'], input)).toEqual(['/input/a~1b/c~0d/1']);
  });

  it.each([
    [undefined, [], true],
    [['/input/a', { op: 'remove', path: '/input/b' }], ['/input/a', '/input/b'], true],
    [[{ op: 'upsert', path: '/input/b', value: 1 }], [{ path: '/input/b', value: 1 }], true],
    [['/nd_builtin_cache/x', '/result'], ['/nd_builtin_cache/x', '/result'], true],
    [['input/a'], MASK_ALL, false],
    [{ '/input/a': true }, MASK_ALL, false],
    [[{ op: 'other', path: '/input/a' }], MASK_ALL, false],
    [[7], MASK_ALL, false],
  ])('masks that the bundle gives as %j', (response, rules, isFit) => {
    expect(toMaskRules(response)).toEqual({ rules, isFit });
  });
});
