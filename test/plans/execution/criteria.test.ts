import { describe, expect, it } from '@jest/globals';
import { judgeAnswer, readCriteria } from '../../../src/plans/execution/criteria';
import { judgeFact, type FactCriterion, type FactFound } from '../../../src/plans/execution/fact-criterion';
import type { PlanNode } from '../../../src/plans/kinds/plan';

const read = (criterion: object) =>
  readCriteria({ id: 'a', kind: 'Task', acceptanceCriteria: [{ name: 'up', ...criterion }] } as PlanNode);
const endpoint = (more: object = {}) => ({ type: 'endpoint_responds', url: 'http://127.0.0.1:2/x', ...more });

describe('the acceptance criteria of a node', () => {
  it('that name an endpoint are read with their defaults', () => {
    const plain = { name: 'up', url: 'http://127.0.0.1:2/x', method: 'GET', timeoutMs: 10_000 };
    expect(read(endpoint())).toEqual({ criteria: [plain], faults: [] });
    const all = { method: 'head', expectedStatus: 404, bodyMatch: 'a+', required: false, timeout: '2s' };
    const wanted = { ...plain, method: 'HEAD', status: 404, bodyMatch: 'a+', isOptional: true, timeoutMs: 2_000 };
    expect(read(endpoint(all)).criteria).toEqual([wanted]);
  });

  it.each<[object, string]>([
    [
      { type: 'command_succeeds', command: 'true' },
      'type command_succeeds is not supported: expected endpoint_responds',
    ],
    [{ type: 'test_passes', command: 'true' }, 'type test_passes is not supported'],
    [{ type: 'artifact_exists', path: '/x' }, 'type artifact_exists is not supported'],
    [{ type: 'custom' }, 'type custom is not supported'],
    [endpoint({ url: 'file:///etc/passwd' }), 'expected url to be an http:// or https:// URL'],
    [endpoint({ url: 'http://a:b@x' }), 'expected url to hold no user and no password'],
    [endpoint({ method: 'POST' }), 'expected method to be GET or HEAD, got POST'],
    [endpoint({ timeout: '0s' }), 'expected timeout to be more than 0s and at most 25s, got 0s'],
    [endpoint({ timeout: 'soon' }), 'expected timeout to be more than 0s and at most 25s, got soon'],
    [
      endpoint({ bodyMatch: '(' }),
      'expected bodyMatch to be a regular expression of RE2, got "(": missing closing ), at (',
    ],
  ])('%j is refused by name', (criterion, wanted) => {
    const { faults } = read(criterion);
    expect(faults).toEqual([expect.stringContaining(`acceptanceCriteria[0] (up): ${wanted}`)]);
  });

  it('that name a fact are read with their defaults', () => {
    const plain = { name: 'up', fact: 'pending', operator: 'eq', value: 0, withinMs: 60_000 };
    expect(read({ type: 'custom', fact: 'pending', value: 0 })).toEqual({ criteria: [plain], faults: [] });
    const all = { operator: 'lte', pointer: '/eu/load', required: false, timeout: '5m', value: 0.5 };
    expect(read({ type: 'custom', fact: 'pending', ...all }).criteria).toEqual([
      { ...plain, operator: 'lte', pointer: '/eu/load', value: 0.5, isOptional: true, withinMs: 300_000 },
    ]);
  });

  it.each<[object, string[]]>([
    [{}, ['expected a value to compare the fact with']],
    [{ operator: 'lt', value: '1' }, ['expected value to be a number beside lt']],
    [
      { value: null, pointer: 'eu', timeout: '25h' },
      [
        'expected pointer to be a JSON Pointer such as /eu/status, got "eu"',
        'expected timeout to be more than 0s and at most 24h, got 25h',
      ],
    ],
  ])('the fact of %j is refused with every fault', (more, wanted) => {
    const { faults } = read({ type: 'custom', fact: 'pending', ...more });
    expect(faults).toEqual(wanted.map((each) => `acceptanceCriteria[0] (up): ${each}`));
  });

  it.each<[Partial<FactCriterion>, FactFound, object]>([
    [{ value: 3 }, { value: 3 }, { holds: true }],
    [{ value: '3' }, { value: 3 }, { holds: false, message: 'expected fact pending eq "3"' }],
    [{ value: { b: 1, a: [2] } }, { value: { a: [2], b: 1 } }, { holds: true }],
    [{ operator: 'ne', value: null }, { value: null }, { holds: false, message: 'expected fact pending ne null' }],
    [{ operator: 'lt', value: 3 }, { value: 3 }, { holds: false, message: 'expected fact pending lt 3' }],
    [{ operator: 'lte', value: 3 }, { value: 3 }, { holds: true }],
    [{ operator: 'gte', value: 3 }, { value: 3 }, { holds: true }],
    [{ operator: 'gt', value: 3 }, { value: '4' }, { holds: false, message: 'expected fact pending gt 3' }],
    [{ pointer: '/eu/status', value: 'green' }, { value: { eu: { status: 'green' } } }, { holds: true }],
    [{ pointer: '/us', value: 1 }, { value: { eu: 1 } }, { holds: false, message: 'the fact has no pending/us' }],
    [{ value: 1 }, { fault: 'it is too old' }, { holds: false, message: 'fact pending: it is too old' }],
  ])('the fact of %j with %j', (criterion, found, wanted) => {
    const whole = { fact: 'pending', operator: 'eq' as const, value: 0, ...criterion };
    expect(judgeFact(whole, found)).toEqual(wanted);
  });

  it.each<[object, number, string, object]>([
    [{}, 200, '', { holds: true }],
    [{}, 299, '', { holds: true }],
    [{}, 302, '', { holds: false, message: 'expected status 2xx, got 302' }],
    [{ status: 404 }, 404, '', { holds: true }],
    [{ status: 404 }, 200, '', { holds: false, message: 'expected status 404, got 200' }],
    [{ bodyMatch: 'v[0-9]' }, 200, 'now v2', { holds: true }],
    [{ bodyMatch: '^v[0-9]$' }, 200, 'now v2', { holds: false, message: 'expected a body with ^v[0-9]$' }],
    [{ bodyMatch: '(a+)+$' }, 200, `${'a'.repeat(50_000)}!`, { holds: false, message: 'expected a body with (a+)+$' }],
  ])('%j answered with %i', (criterion, status, body, wanted) => {
    expect(judgeAnswer(criterion, status, Buffer.from(body))).toEqual(wanted);
  });
});
