import { describe, expect, it } from '@jest/globals';
import { judgeAnswer, readCriteria } from '../../../src/plans/execution/criteria';
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
