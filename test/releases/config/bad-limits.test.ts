import { describe, expect, it } from '@jest/globals';
import type { JsonValue } from '../../../src/kernel/json';
import { parseReleaseConfig } from '../../../src/releases/config/parse-release-config';
import { messagesOf } from '../../support/in-folder';

const parse = (limits: JsonValue) => parseReleaseConfig({ limits }, { file: 'release.json' });

describe('limits', () => {
  it.each<[JsonValue]>([
    [{ maxDelta: 0, maxPending: 0 }],
    [{ maxDelta: -1.5 }],
    [{ maxDelta: Number.MAX_SAFE_INTEGER }],
    [{ minimumVersion: '1.2.3', regions: ['eu', 'us'], strict: true, nested: { share: 0.5, name: '' } }],
    [{}],
  ])('a limit may be %j', (limits) => {
    expect(parse(limits).limits).toMatchObject(limits as object);
  });

  it.each<[JsonValue, string]>([
    [{ maxPending: '2000' }, 'expected limits.maxPending to be a number, got a text'],
    [{ maxDelta: null }, 'expected limits.maxDelta to be a number, got null'],
    [{ maxDelta: true }, 'expected limits.maxDelta to be a number, got a boolean'],
    [{ maxDelta: [500] }, 'expected limits.maxDelta to be a number, got an array'],
    [{ other: '2000' }, 'expected a number without quotes, got "2000"'],
    [{ other: ' 1e3 ' }, 'expected a number without quotes, got " 1e3 "'],
    [{ byRegion: { eu: { max: '0x10' } } }, 'expected a number without quotes, got "0x10"'],
    [{ steps: [1, '2'] }, 'expected a number without quotes, got "2"'],
  ])('limits that would never bind are refused: %j', (limits, sentence) => {
    expect(() => parse(limits)).toThrow(expect.objectContaining({ type: 'ConfigInvalid' }));
    expect(() => parse(limits)).toThrow(sentence);
  });

  it('bad limits are all told at once, each once', async () => {
    const found = await messagesOf(() => parse({ maxDelta: '1', maxPending: '2', byRegion: { eu: '3' } }));
    expect(found).toEqual([
      'release.json: expected limits.maxDelta to be a number, got a text',
      'release.json: expected limits.maxPending to be a number, got a text',
      'release.json: expected a number without quotes, got "3"',
    ]);
  });
});
