import { describe, expect, it } from '@jest/globals';
import type { JsonValue } from '../../src/kernel/json';
import type { GateError } from '../../src/kernel/failures';
import { readState } from '../../src/shards/state/read-state';

describe("reading a cluster's state", () => {
  it.each<[string, JsonValue, string[]]>([
    ['nothing', null, ['to be an object, got null']],
    ['a list', [], ['to be an object, got an array']],
    ['lists that are none', { nodes: {}, shards: [{ id: 's', replicas: ['n'] }] }, ['nodes to be an array']],
    [
      'faults of shape beside names given twice and unknown ones',
      {
        observed_at: 'yesterday',
        nodes: [{ id: 'n1', cpu_usage: 'x' }, { id: 'n1' }, { id: 7 }, null],
        shards: [
          { id: 's1', replicas: ['n1', 'n1', 'gone', 'gone', 3] },
          { id: 's1', replicas: 'n1' },
        ],
        moves: [{ shard: 's9', from: 'n1', to: 'n9' }, 'x'],
      },
      [
        'nodes[0].cpu_usage to be a number',
        'nodes[2].id to be a text',
        'nodes[3] to be an object',
        'shards[0].replicas[4] to be a text',
        'shards[1].replicas to be an array',
        'moves[1] to be an object',
        'the id "n1" is given twice',
        'the id "s1" is given twice',
        'RFC 3339',
        'the shard s1 has two replicas on the node n1',
        'the id of a node, got "gone"',
        'the id of a node, got "gone"',
        'the id of a shard, got "s9"',
        'the id of a node, got "n9"',
      ],
    ],
  ])('refuses %s, with every fault at once', (_what, document, sentences) => {
    let found: readonly string[] = [];
    try {
      readState(document, { file: 'state.json' });
    } catch (error) {
      found = (error as GateError).faults.map(({ message }) => message);
    }
    for (const sentence of sentences) expect(found.join('\n')).toContain(sentence);
    expect(found).toHaveLength(sentences.length);
  });
});
