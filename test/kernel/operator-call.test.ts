import { describe, expect, it } from '@jest/globals';
import { earlierReply, shapeFaults } from '../../src/kernel/operator-call';

const call = { actor: 'ann', reason: 'checked', for: 'x' };

describe('shapeFaults of a call with a time', () => {
  it.each<[unknown, string[]]>([
    [undefined, []],
    ['2h', []],
    ['366d', []],
    [7200, ['such as 45s or 2h, got 7200']],
    ['soon', ['such as 45s or 2h, got "soon"']],
    ['0s', ['more than 0s and at most 366d, got 0s']],
    ['367d', ['at most 366d, got 367d']],
    [`${'9'.repeat(400)}d`, ['at most 366d']],
  ])('shapeFaults of a call for %s', (duration, expected) => {
    const call = { actor: 'ann', reason: 'r', ...(duration === undefined ? {} : { duration }) };
    const faults = shapeFaults('pause', call, { needsFor: false, takesDuration: true });
    expect(faults).toEqual(expected.map((part) => expect.stringContaining(part)));
  });

  it('shapeFaults refuses a time where the call takes none', () => {
    const call = { actor: 'ann', reason: 'r', for: 'p', duration: '2h' };
    expect(shapeFaults('resume', call, { needsFor: true })).toEqual([expect.stringContaining('the key duration')]);
  });
});

describe('a call', () => {
  it.each<[string, unknown]>([
    ['resume', call],
    ['override', call],
    ['abort', call],
    ['abort', { actor: 'ann', reason: 'checked' }],
    ['resume', { ...call, reason: 'x'.repeat(1000) }],
  ])('a call to %s is well-formed as %j', (kind, given) => {
    expect(shapeFaults(kind, given, { needsFor: kind !== 'abort' })).toEqual([]);
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
    expect(shapeFaults(kind, given, { needsFor: kind !== 'abort' })).toEqual(
      expected.map((part) => expect.stringContaining(part)),
    );
  });
});

describe('earlierReply', () => {
  it('earlierReply gives the reply to the same call, and none to another', () => {
    const reply = { kind: 'abort', accepted: true, message: 'm', state: 'aborted', stage: 's' } as const;
    expect(earlierReply({ handled: [{ id: 'a', reply }] }, 'a')).toBe(reply);
    expect(earlierReply({ handled: [{ id: 'a', reply }] }, 'b')).toBeUndefined();
  });
});
