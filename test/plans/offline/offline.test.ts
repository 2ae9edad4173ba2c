import { describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GateError } from '../../../src/kernel/failures';
import { readObjects, type ReadOptions } from '../../../src/plans/offline/read-objects';
import { explainIn, explanationText, resolveObjects, whyIn } from '../../../src/plans/resolver/resolve-objects';

const AT = Date.parse('2026-11-27T10:00:00Z');
const GOAL = `apiVersion: planspec.io/v1alpha1
kind: Goal
metadata: { name: ship, namespace: prod }
spec: { description: Ship it }
`;
const plan = (name: string, spec: string, namespace = 'prod'): string => `apiVersion: planspec.io/v1alpha1
kind: Plan
metadata: { name: ${name}, namespace: ${namespace} }
spec: { description: A way, goalRef: { name: ship }, ${spec} graph: { nodes: [{ id: a, kind: Task }] } }
`;
const FILE = `---
# Nothing but a comment
---
${GOAL}---
${plan('one', 'series: s, version: "1",')}---
${plan('two', 'series: s, version: "2",')}...
`;

async function read(files: Record<string, string>, paths = Object.keys(files), options: ReadOptions = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'plans-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const at = paths.map((path) => (path === '-' ? path : join(folder, path)));
    return await readObjects(at, options);
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    return { faults: error.faults.map(({ message }) => message.replaceAll(`${folder}/`, '')) };
  } finally {
    await rm(folder, { recursive: true });
  }
}
const namesOf = (found: Awaited<ReturnType<typeof read>>): string[] =>
  'objects' in found ? found.objects.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`) : found.faults;

describe('files of objects', () => {
  test('a YAML file has any number of documents, and empty ones do not count', async () => {
    expect(namesOf(await read({ 'a.yaml': FILE }))).toEqual(['prod/ship', 'prod/one', 'prod/two']);
  });

  test('JSON, lists, and objects that are lists count as their items', async () => {
    const object = (name: string) => ({
      apiVersion: 'planspec.io/v1alpha1',
      kind: 'Goal',
      metadata: { name },
      spec: { description: 'a' },
    });
    const files = {
      'a.json': JSON.stringify({ kind: 'GoalList', items: [object('a'), object('b')] }),
      'b.yaml': `- ${JSON.stringify(object('c'))}\n- { kind: List, items: [${JSON.stringify(object('d'))}] }\n`,
    };
    expect(namesOf(await read(files))).toEqual(['default/a', 'default/b', 'default/c', 'default/d']);
    expect(namesOf(await read(files, ['.'], { namespace: 'dev' }))).toEqual(['dev/a', 'dev/b', 'dev/c', 'dev/d']);
  });

  test('standard input is read as YAML', async () => {
    const standardInput = () => Promise.resolve(new TextEncoder().encode(GOAL));
    expect(namesOf(await read({}, ['-'], { standardInput }))).toEqual(['prod/ship']);
  });

  test('every fault of every file is told with its line', async () => {
    const files = {
      'a.yaml': `${GOAL}---\n${plan('one', 'series: s, version: 1.10,')}---\n${GOAL}`,
      'b.yaml': 'kind: Goal\nkind: Plan\n---\na: [\n',
      'c.json': '{"kind": "Goal"',
      'd.txt': 'kind: Gaol',
    };
    expect(await read(files, [...Object.keys(files), 'e.yaml'])).toMatchInlineSnapshot(`
      {
        "faults": [
          "b.yaml:2:1: the same key is twice in one object",
          "b.yaml:5:1: Flow sequence in block collection must be sufficiently indented and end with a ]",
          "c.json:1:16: expected JSON, but it cannot be parsed: Quoted object key or end of object '}' expected but reached end of input",
          "e.yaml: expected a file, but there is none",
          "a.yaml:9:65: expected spec.version to be a text, got a number; write it in quotes: version: "1.10"",
          "a.yaml:13:13: Goal prod/ship is there twice, in a.yaml:3:13 too",
          "d.txt:1:1: expected kind to be one of Goal, Plan, Capability, Binding, Execution, Gate (did you mean Goal?), got "Gaol"",
          "d.txt:1:1: expected apiVersion to be "planspec.io/v1alpha1"",
        ],
      }
    `);
  });

  test('a key that nothing reads is kept, with a warning', async () => {
    expect(await read({ 'a.yaml': GOAL.replace('Ship it', 'Ship it, timeOut: 5s') })).toMatchObject({
      objects: [{ spec: { timeOut: '5s' } }],
      warnings: [expect.stringMatching(/a\.yaml:1:1: unknown field spec\.timeOut of Goal prod\/ship is kept/)],
    });
  });

  test('a folder without such files is refused', async () => {
    expect(namesOf(await read({}, ['.']))).toEqual([
      expect.stringMatching(/expected files that end in \.yaml, \.yml, \.json/),
    ]);
  });
});

describe('resolving without a server', () => {
  test('the goals come back as a list with their status, and their plans can be explained', async () => {
    const found = await read({
      'a.yaml': `${FILE}---\n${plan('away', 'series: t, version: "9",', 'dev')}---\n${plan('other', '').replace('name: ship', 'name: sail')}`,
    });
    if (!('objects' in found)) throw new TypeError(found.faults.join());
    const { objects } = found;
    expect(resolveObjects(objects, AT)).toMatchObject({
      kind: 'GoalList',
      items: [
        { metadata: { name: 'ship' }, status: { phase: 'Ready', activePlanRef: { name: 'two', namespace: 'prod' } } },
      ],
    });
    const ship = { name: 'ship', namespace: 'prod' };
    expect(explanationText(explainIn(objects, ship, AT)!)).toBe(
      [
        'Goal prod/ship: active plan two',
        '  two (series s, version 2) is the greatest version of those that are left',
        '  one (series s, version 1) is not the head of series "s": two has the greater version, 2 against 1',
        '',
      ].join('\n'),
    );
    expect(whyIn(objects, ship, 'one', AT)).toMatch(
      /^Plan one is not the active plan of goal prod\/ship: it is not the head/,
    );
    expect(whyIn(objects, ship, 'away', AT)).toBe('Plan away is not a plan of goal prod/ship: it is in namespace dev.');
    expect(whyIn(objects, ship, 'other', AT)).toBe(
      'Plan other is not a plan of goal prod/ship: it names the goal sail in spec.goalRef.',
    );
    expect(whyIn(objects, ship, 'none', AT)).toBe('Plan none is not a plan of goal prod/ship: there is no such plan.');
    expect(whyIn(objects, { name: 'none', namespace: 'prod' }, 'one', AT)).toBeUndefined();
  });
});
