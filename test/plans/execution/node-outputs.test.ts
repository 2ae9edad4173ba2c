import { describe, expect, it } from '@jest/globals';
import { artifactsOf, MOST_OUTPUT_BYTES, outputsFault } from '../../../src/plans/execution/node-outputs';
import type { JsonValue } from '../../../src/kernel/json';

describe('the outputs of nodes', () => {
  it.each<[string, JsonValue, object[]]>([
    ['a URL', 'https://x.test/report', [{ name: 'out', type: 'url', url: 'https://x.test/report' }]],
    ['an address of a bucket', 's3://bucket/key', [{ name: 'out', type: 'url', url: 's3://bucket/key' }]],
    ['an object with a url', { url: 'x', type: 'image', size: 3 }, [{ name: 'out', type: 'image', url: 'x', size: 3 }]],
    [
      'an object with a path',
      { path: '/x', checksum: 'c' },
      [{ name: 'out', type: 'file', path: '/x', checksum: 'c' }],
    ],
    ['a text', 'v2 at https://x.test', []],
    ['a number', 7, []],
    ['a null', null, []],
    ['a list', ['https://x.test'], []],
    ['an object without a place', { size: 3 }, []],
  ])('%s is an artifact or is none', (_what, value, wanted) => {
    const found = artifactsOf([['node', { outputs: { out: value } }]]);
    expect(found).toEqual(wanted.map((each) => ({ ...each, metadata: { node: 'node' } })));
  });

  it('fit together up to a size, that size included', () => {
    const text = (bytes: number) => ({ a: 'x'.repeat(bytes - 8) });
    expect(outputsFault(text(MOST_OUTPUT_BYTES - 100), [text(100), undefined])).toBeUndefined();
    expect(outputsFault(text(MOST_OUTPUT_BYTES - 100), [text(101)])).toMatch(/at most 262144 .* got 262145/);
  });
});
