import { describe, expect, it } from '@jest/globals';
import { earlierReply, shapeFaults } from '../../src/kernel/operator-call';

const call = { actor: 'ann', reason: 'checked', for: 'x' };

describe('a call', () => {
  it.each<[string, unknown]>([
    ['resume', call],
    ['override', call],
    ['abort', call],
    ['abort', { actor: 'ann', reason: 'checked' }],
    ['resume', { ...call, reason: 'x'.repeat(1000) }],
  ])('a call to %s is well-formed as %j', (kind, given) => {
    expect(shapeFaults(kind, given, kind !== 'abort')).toEqual([]);
  });

  it.each<[string, unknown, string[]]>([
    ['resume', undefined, ['got nothing']],
    ['resume', null, ['got null']],
    ['resume', 'ann', ['got "ann"']],
    ['resume', [call], ['Expected resume to carry an object']],
    ['resume', {}, ['actor to be a text', 'reason to be a text', 'for to be a text']],
    ['abort', {}, ['actor to be a text', 'reason to be a text']],
    ['override', { actor: 'ann', reason: 'r' }, ['for to be a text, got nothing']],
    ['abort', { ...call, for: 1 }, ['for to be a text, got 1']],
    ['resume', { ...call, actor: '  ' }, ['actor to be a text, got "  "']],
    ['resume', { ...call, reason: 'x'.repeat(1001) }, ['at most 1000 characters, got 1001']],
    ['resume', { ...call, actor: ['x'.repeat(200)] }, ['…']],
    ['resume', { ...call, force: true }, ['got the key force']],
  ])('a call to %s is at fault as %j', (kind, given, expected) => {
    expect(shapeFaults(kind, given, kind !== 'abort')).toEqual(expected.map((part) => expect.stringContaining(part)));
  });
});

describe('earlierReply', () => {
  it('earlierReply gives the reply to the same call, and none to another', () => {
    const reply = { kind: 'abort', accepted: true, message: 'm', state: 'aborted', stage: 's' } as const;
    expect(earlierReply({ handled: [{ id: 'a', reply }] }, 'a')).toBe(reply);
    expect(earlierReply({ handled: [{ id: 'a', reply }] }, 'b')).toBeUndefined();
  });
});
