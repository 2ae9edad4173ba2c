import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../run-cli';

const POLICIES = `name: region-open
type: placement
priority: 20
conditions: { metric: cluster.maintenance, operator: eq, value: false }
actions: { placement: { strategy: least_loaded } }
---
name: cool-nodes-first
type: placement
priority: 10
scope: { operation: place_shard, labels: { tier: gold } }
dependsOn: [region-open]
conditions:
  all:
    - { include: cool }
    - { metric: shard.qps, operator: lt, value: 1000 }
actions: { placement: { strategy: least_loaded } }
---
fragments:
  cool: { metric: node.cpu_usage, operator: lt, value: 80 }
enumerations:
  shard.labels.tier: [gold, silver]
`;
const STATE = {
  observed_at: '2026-11-26T10:00:00Z',
  nodes: [
    { id: 'n1', region: 'eu', cpu_usage: 40, capacity: { shards: 10 } },
    { id: 'n2', region: 'eu', cpu_usage: 90, capacity: { shards: 10 } },
    { id: 'n3', region: 'us', status: 'draining', cpu_usage: 1 },
  ],
  shards: [
    { id: 's1', qps: 10, replicas: [], labels: { tier: 'gold' } },
    { id: 's2', qps: 10, replicas: ['n1'], labels: { tier: 'iron' } },
  ],
  cluster: { maintenance: false },
};

let folder: string;
const gate = (...argv: string[]) => runCli(folder, ['rules', ...argv]);
const json = async (...argv: string[]) => {
  const { code, stdout } = await gate(...argv, '-o', 'json');
  return { code, document: JSON.parse(stdout) as never };
};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-rules-'));
  const put = (name: string, content: string | object) =>
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  for (const name of ['rules', 'bad', 'odd', 'none']) mkdirSync(join(folder, name));
  put('rules/all.yaml', POLICIES);
  put('state.json', STATE);
  put('rules/few.state.json', { nodes: [{ id: 'n1' }], shards: [{ id: 's1', labels: { tier: 'gold' } }] });
  put(
    'rules/all.test.yaml',
    `tests:
  - name: a gold shard goes to the cool node
    state: ../state.json
    operation: place_shard
    subject: s1
    expect:
      matched: [region-open, cool-nodes-first]
      kept: { cool-nodes-first: [n1] }
  - name: without metrics nothing is known
    state: few.state.json
    expect: { matched: [], unknown: [region-open], not_matched: [cool-nodes-first] }
`,
  );
  put(
    'bad/a.yaml',
    `name: a
type: placement
priority: high
conditions: { metric: node.cpu, operator: less, value: 1 }
actions: { placement: { strategie: spread } }
`,
  );
  put('bad/b.json', '{"name": "b", "type": "placment"}');
  put('twice.yaml', 'name: a\nname: b\n');
  put(
    'odd/odd.yaml',
    `name: never
type: placement
conditions:
  all: [{ metric: node.cpu_usage, operator: lt, value: 1 }, { metric: node.cpu_usage, operator: gt, value: 2 }]
actions: { placement: { strategy: spread } }
---
name: misspelt
type: placement
conditions: { metric: node.cpu_usge, operator: lt, value: 1 }
actions: { placement: { strategy: spread } }
---
name: text
type: placement
dependsOn: [never]
conditions: { metric: node.region, operator: gt, value: 1 }
actions: { placement: { strategy: spread } }
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('gate rules', () => {
  it('validate lists the policies of a folder, several documents of a file included', async () => {
    expect(await gate('validate', 'rules')).toEqual({
      code: 0,
      stdout: 'region-open (placement)\ncool-nodes-first (placement)\n2 policies, 1 fragment: no faults\n',
      stderr: '',
    });
  });

  it('a fault names its place once, and as the user would, for programs too', async () => {
    const { stderr, stdout } = await gate('validate', 'twice.yaml', '-o', 'json');
    const message = 'twice.yaml:2:1: the same key is twice in one object';
    expect(stderr).toBe(`gate: ConfigInvalid: ${message}\n`);
    expect(JSON.parse(stdout)).toEqual({
      error: { type: 'ConfigInvalid', message, faults: [{ type: 'ConfigInvalid', message, where: 'twice.yaml:2:1' }] },
    });
  });

  it('validate tells every fault of every file with line and JSON path, for programs too', async () => {
    const { code, stderr, stdout } = await gate('validate', 'bad', '-o', 'json');
    expect(code).toBe(2);
    expect(stderr.split('\n').map((line) => line.trim())).toEqual([
      'gate: 5 faults:',
      'ConfigInvalid: bad/a.yaml:3:1: expected priority to be a whole number, got a text',
      expect.stringMatching(
        /^ConfigInvalid: bad\/a\.yaml:5:12: unknown key strategie in placement; did you mean strategy\?$/,
      ),
      ...Array.from({ length: 3 }, () => expect.stringContaining('ConfigInvalid: bad/')),
      '',
    ]);
    const { error } = JSON.parse(stdout) as { error: { type: string; faults: { where: string }[] } };
    expect(error.type).toBe('ConfigInvalid');
    expect(error.faults.map(({ where }) => where)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^bad\/a\.yaml:4:[0-9]+ conditions\.operator$/),
        expect.stringMatching(/^bad\/b\.json:1:[0-9]+ type$/),
      ]),
    );
  });

  it('a folder without policies and one that does not exist are faults', async () => {
    expect((await gate('validate', 'none')).stderr).toContain('expected a folder with policies');
    expect((await gate('validate', 'gone')).stderr).toContain(
      'gone: expected a file or folder of policies, but there is none',
    );
  });

  it('evaluate tells results, candidates and actions', async () => {
    const { code, document } = await json('evaluate', '--policies', 'rules', '--state', 'state.json', '--shard', 's1');
    expect(code).toBe(0);
    expect(document).toMatchObject({
      results: [
        { policy: 'region-open', shard: 's1', matched: true, outcome: 'true', missing: [] },
        {
          policy: 'cool-nodes-first',
          matched: true,
          conditions: { outcome: 'true', kind: 'all', parts: [{ outcome: 'true' }, { outcome: 'true' }] },
          candidates: [
            { node: 'n1', kept: true, score: expect.any(Number), score_parts: expect.any(Object) },
            { node: 'n2', kept: false, reason: 'node.cpu_usage < 80 does not hold: it is 90' },
            { node: 'n3', kept: false },
          ],
          actions: [{ placement: { strategy: 'least_loaded' } }],
        },
      ],
      conflicts: [],
      duration_ms: expect.any(Number),
    });
  });

  it('evaluate tells each term of the objective before and after', async () => {
    const argv = ['evaluate', '--policies', 'rules', '--state', 'state.json', '--shard', 's1'];
    const { document } = await json(...argv);
    const { actions } = document as { actions: { terms: object[] }[] };
    expect(actions[0]!.terms).toContainEqual({
      ...{ name: 'evenness', weight: 1 },
      ...{ before: expect.any(Number), after: expect.any(Number) },
    });
    expect((await gate(...argv)).stdout).toMatch(/^ {2}evenness, weight 1: [0-9.]+( → [0-9.]+)?$/m);
  });

  it('evaluate --matched, by the index, has the results of those that match', async () => {
    const argv = ['evaluate', '--policies', 'rules', '--state', 'state.json'];
    const { document: all } = await json(...argv);
    const { document: matched } = await json(...argv, '--matched');
    const { results, actions } = all as { results: { matched: boolean }[]; actions: unknown };
    expect(matched).toMatchObject({ results: results.filter((result) => result.matched), actions });
  });

  it('what the flags name must exist', async () => {
    const argv = ['evaluate', '--policies', 'rules', '--state', 'state.json'];
    for (const [flags, message] of [
      [['--operation', 'place'], 'expected --operation to be one of place_shard'],
      [['--shard', 's9'], 'did you mean s'],
      [['--policy', 'cool-node-first'], 'did you mean cool-nodes-first?'],
      [['--conflicts', 'placement=all', '--conflicts', 'x=merge'], '2 faults'],
      [['--at', 'noon'], 'RFC 3339'],
    ] as const) {
      expect({ flags, ...(await gate(...argv, ...flags)) }).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining(message),
      });
    }
  });

  it('explain ends with 0 when a policy matches, 1 when it does not, 2 when that is unknown', async () => {
    const explain = (name: string, state: string, ...more: string[]) =>
      gate('explain', name, '--policies', 'rules', '--state', state, ...more);
    const { code, stdout } = await explain('cool-nodes-first', 'state.json');
    expect(code).toBe(0);
    expect(stdout).toContain('[true] node.cpu_usage < 80 holds: it is 40');
    expect(await explain('cool-nodes-first', 'state.json', '--shard', 's2')).toMatchObject({
      code: 1,
      stdout: 'cool-nodes-first is not evaluated: nothing in the state has the labels of its scope\n',
    });
    expect((await explain('region-open', 'rules/few.state.json')).code).toBe(2);
  });

  it('lint finds what policies can hardly mean, with its place', async () => {
    const { code, stdout } = await gate('lint', 'odd');
    expect({ code, lines: stdout.split('\n') }).toEqual({
      code: 1,
      lines: [
        'warning unknown_metric odd/odd.yaml:9: misspelt: node.cpu_usge is not in the schema of a state; did you mean node.cpu_usage?',
        'error contradiction odd/odd.yaml:3: never: no value of node.cpu_usage meets all of its conditions: never true',
        'error type odd/odd.yaml:15: text: node.region is a text, and gt compares it with a number: always unknown',
        'error unreachable odd/odd.yaml:14: text: it depends on never, whose conditions no state can meet',
        '3 errors, 1 warning',
        '',
      ],
    });
    const { code: ok, stdout: good } = await gate('lint', 'rules');
    expect({ ok, good }).toEqual({
      ok: 0,
      good: 'warning uncovered no policy can match where shard.labels.tier is "silver"\n0 errors, 1 warning\n',
    });
    expect((await gate('lint', 'rules', '--strict')).code).toBe(1);
  });

  it('test runs the fixtures beside the policies', async () => {
    const { code, stdout } = await gate('test', 'rules');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: [
        'passed rules/all.test.yaml: a gold shard goes to the cool node',
        'passed rules/all.test.yaml: without metrics nothing is known',
        '2 cases passed, 0 failed',
        '',
      ].join('\n'),
    });
    expect((await gate('test', 'odd')).code).toBe(1);
  });

  it('show prints the effective document, graph what needs what, diff what differs', async () => {
    expect((await gate('show', 'rules', '--resolved', '--policy', 'cool-nodes-first')).stdout).toContain(
      '"metric": "node.cpu_usage"',
    );
    expect((await gate('graph', 'rules')).stdout).toBe(
      'cool-nodes-first (placement)\n  depends on region-open\n  includes cool\nregion-open (placement)\ncool (fragment)\n',
    );
    expect((await gate('graph', 'rules', '-o', 'mermaid')).stdout).toContain('n0 -.->|includes| n2');
    expect((await gate('diff', 'rules', 'rules/all.yaml')).code).toBe(0);
    const { code, document } = await json('diff', 'rules', 'odd');
    expect(code).toBe(1);
    expect(document).toMatchObject({ policies: [{ policy: 'cool-nodes-first', change: 'removed' }, {}, {}, {}, {}] });
  });

  it('explain says why a shard is not put on a node', async () => {
    const asked = [
      'explain',
      'cool-nodes-first',
      '--policies',
      'rules',
      '--state',
      'state.json',
      '--at',
      '2026-11-26T10:00:00Z',
    ];
    const { code, stdout } = await gate(...asked, '--shard', 's1', '--why-not', 'n3');
    expect(code).toBe(0);
    expect(stdout).toContain('s1: one more replica would go to n1\nwhy not n3: n3 is draining\n');
    expect((await gate(...asked, '--shard', 's1', '--why-not', 'n9')).code).toBe(2);
  });

  it('explain of a shard says for each of its replicas why it is not put on a node, and what to do', async () => {
    const explain = (shard: string, node: string, ...more: string[]) =>
      gate('explain', shard, '--why-not', node, '--policies', 'rules', '--state', 'state.json', ...more);
    const dropped = await explain('s1', 'n2');
    expect(dropped.code).toBe(0);
    expect(dropped.stdout).toContain('placement (region-open, cool-nodes-first): put a replica of s1 on n1');
    expect(dropped.stdout).toMatch(
      / {2}why not n2: n2 .*node\.cpu_usage < 80 does not hold: it is 90\n {2}what to do: n2 /,
    );
    expect((await explain('s1', 'n1')).stdout).toContain('why not n1: n1 is the one that is chosen');
    const { stdout } = await explain('s1', 'n3', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      shard: 's1',
      node: 'n3',
      replicas: [
        {
          ...{ action: 'placement', placed: true, outcome: 'dropped', sentence: 'n3 is draining' },
          asked: { node: 'n3', kept: false },
          chosen: { node: 'n1', kept: true, score: expect.any(Number), score_parts: expect.any(Object) },
        },
      ],
      not_matched: [],
      refusals: [],
    });
    expect((await explain('s1', 'n1', '--operation', 'balance')).code).toBe(1);
  });

  it.each([
    ['s11', 'n1', 'named s11; did you mean s1?'],
    ['s1', 'n11', 'no node of the state is named n11; did you mean n1?'],
    ['cool-nodes-first', 'n1', 'cool-nodes-first is a policy: --why-not needs a shard'],
  ])('explain %s --why-not %s names what is wrong', async (shard, node, message) => {
    const asked = await gate('explain', shard, '--why-not', node, '--policies', 'rules', '--state', 'state.json');
    expect(asked).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });

  it('simulate shows what policies would do, side by side and over a sweep', async () => {
    const at = ['--policies', 'rules', '--at', '2026-11-26T10:00:00Z'];
    const { code, document } = await json('simulate', ...at, '--state', 'state.json');
    expect({ code, document }).toMatchObject({
      code: 0,
      document: { runs: [{ name: 'simulation', additions: 1, steps: [{ kind: 'add', shard: 's1', to: 'n1' }] }] },
    });
    const changed = await gate(
      'simulate',
      ...at,
      '--state',
      'state.json',
      '--without',
      'n1',
      '--add',
      'region=eu,count=2',
    );
    expect(changed.stdout).toContain('added-2');
    const sweep = 'region-open:/actions/placement/seed=1..3';
    const { stdout } = await gate('simulate', ...at, '--state', 'state.json', '--set', sweep, '-o', 'markdown');
    expect(stdout).toMatch(/^\| {2}\| 1 \| 2 \| 3 \|\n/);
    for (const wrong of [
      ['--without', 'n9'],
      ['--add', 'region'],
      ['--set', 'other:/a=1..2'],
      ['--operation', 'move'],
    ]) {
      expect((await gate('simulate', ...at, '--state', 'state.json', ...wrong)).code).toBe(2);
    }
  });
});
