import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020';
import type { JsonObject } from '../../../src/kernel/json';
import { run } from '../../../src/cli/run';
import { aGoal, anObject, aPlan } from '../../plans/objects';
import { anIo } from '../an-io';
import { runCli } from '../run-cli';

const nodes = [
  { id: 'build', kind: 'Task' },
  { id: 'deploy', kind: 'Task', dependsOn: ['build'] },
];
const plan = (name: string, version: string) => {
  const made = aPlan(name, { version, series: 's', goalRef: { name: 'ship' } });
  return { ...made, spec: { ...made.spec, graph: { nodes } } };
};
const OBJECTS = [
  { ...aGoal(), metadata: { name: 'ship', namespace: 'prod' } },
  ...[plan('one', '1'), plan('two', '2')].map((each) => ({
    ...each,
    metadata: { name: each.metadata.name, namespace: 'prod' },
  })),
  {
    ...anObject('Execution', 'run-1', { planRef: { name: 'two' } }),
    metadata: { name: 'run-1', namespace: 'prod' },
    status: { nodeStatuses: { build: { phase: 'Succeeded' } } },
  },
];

describe('gate plans, without a server', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gate-plans-'));
    writeFileSync(join(folder, 'objects.json'), JSON.stringify(OBJECTS));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const plans = (...args: string[]) => runCli(folder, ['plans', ...args]);
  const FILES = ['-f', 'objects.json', '-n', 'prod'];

  it('resolve prints the active plan of each goal', async () => {
    const { code, stdout } = await plans('resolve', ...FILES);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^NAMESPACE +GOAL +PHASE +ACTIVE PLAN\nprod +ship +Ready +two\n$/);
  });

  it('resolve -o json prints the goals with their resolved status', async () => {
    const { code, stdout } = await plans('resolve', ...FILES, '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'GoalList',
      items: [
        { metadata: { name: 'ship' }, status: { phase: 'Ready', activePlanRef: { name: 'two', namespace: 'prod' } } },
      ],
    });
  });

  it('resolve reads standard input, and says when there are no goals', async () => {
    let stdout = '';
    const stdin = (async function* () {
      yield Buffer.from(JSON.stringify(OBJECTS[1]));
    })();
    const io = { ...anIo(folder), stdin, stdout: { write: (said: string) => (stdout += said) } };
    expect(await run(['plans', 'resolve', '-f', '-'], io)).toBe(0);
    expect(stdout).toBe('no goals\n');
  });

  it('explain shows each plan and the step that dropped or chose it', async () => {
    const text = await plans('explain', 'ship', ...FILES);
    expect(text).toMatchObject({ code: 0, stdout: expect.stringContaining('prod/ship: active plan two\n') });
    const { stdout } = await plans('explain', 'ship', ...FILES, '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      winner: 'two',
      plans: [
        { plan: 'two', step: 'chosen' },
        { plan: 'one', step: 'series' },
      ],
    });
  });

  it('why answers in one sentence', async () => {
    const text = await plans('why', 'ship', 'one', ...FILES);
    expect(text.stdout).toMatch(/^Plan one is not the active plan of goal prod\/ship: it is not the head[^\n]*\.\n$/);
    const { stdout } = await plans('why', 'ship', 'one', ...FILES, '-o', 'json');
    expect(JSON.parse(stdout)).toEqual({ namespace: 'prod', goal: 'ship', plan: 'one', why: text.stdout.trimEnd() });
  });

  it('graph prints the nodes, with their phases when an execution is named', async () => {
    expect(await plans('graph', 'two', ...FILES)).toMatchObject({
      code: 0,
      stdout: 'build   Task\ndeploy  Task      after build\n',
    });
    expect((await plans('graph', 'two', ...FILES, '--execution', 'run-1')).stdout).toBe(
      'build   Task      Succeeded\ndeploy  Task      Pending    after build\n',
    );
    expect((await plans('graph', 'two', ...FILES, '-o', 'mermaid')).stdout).toMatch(/^flowchart TD\n/);
  });

  it.each([
    [['explain', 'shp', ...FILES], 'no goal in namespace prod of the files is named shp; did you mean ship?'],
    [['why', 'ship', 'one', '-f', 'objects.json'], 'named ship; it is in namespace prod (-n prod)'],
    [['graph', 'three', ...FILES], 'no plan in namespace prod of the files is named three'],
    [['graph', 'one', ...FILES, '--execution', 'run-1'], 'execution run-1 is of plan two, not of one'],
    [['graph', 'one', ...FILES, '--execution', 'none'], 'no execution in namespace prod of the files is named none'],
  ])('an object that the files do not have is named: %j', async (args, message) => {
    expect(await plans(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });

  it('validate counts the objects, and warns of a plan that no execution could complete', async () => {
    const nodes = [
      { id: 'all', kind: 'Group', children: ['a'] },
      { id: 'a', kind: 'Task', dependsOn: ['all'] },
    ];
    const stuck = { ...plan('stuck', '3') };
    writeFileSync(join(folder, 'stuck.json'), JSON.stringify({ ...stuck, spec: { ...stuck.spec, graph: { nodes } } }));
    const { code, stdout } = await plans('validate', '-f', 'objects.json', '-f', 'stuck.json', '-o', 'json');
    expect(code).toBe(0);
    const { objects, warnings } = JSON.parse(stdout) as { objects: JsonObject[]; warnings: string[] };
    expect(objects).toHaveLength(5);
    expect(warnings).toEqual([
      expect.stringMatching(/^Plan default\/stuck: the nodes of all → a → all can never start/),
    ]);
    expect((await plans('validate', '-f', 'objects.json')).stdout).toMatch(
      /Execution prod\/run-1\n4 objects: no faults\n$/,
    );
  });

  it('validate tells every fault with file, line and column', async () => {
    writeFileSync(join(folder, 'bad.yaml'), 'kind: Goal\nmetadata: { name: a }\nspec: { descripton: x }\n');
    const { code, stderr } = await plans('validate', '-f', 'bad.yaml');
    expect(code).toBe(2);
    expect(stderr).toMatch(/bad\.yaml:1:1: .*apiVersion/);
    expect(stderr).toMatch(/bad\.yaml:3:\d+: .*description/);
  });

  it('the commands of docs/plans.md print what it shows', async () => {
    const guide = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'plans.md'), 'utf8');
    const block = (language: string): string => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(guide)?.[1] ?? '';
    writeFileSync(join(folder, 'ship.yaml'), block('yaml'));
    const printed: Record<string, string> = {};
    for (const line of block('sh').trim().split('\n')) {
      const [, , name = '', ...args] = line.split(' ');
      const { code, stdout } = await plans(name, ...args);
      expect({ line, code }).toEqual({ line, code: 0 });
      printed[name] = stdout;
    }
    expect(Object.keys(printed)).toEqual(['validate', 'resolve', 'explain', 'why', 'graph']);
    expect(printed).toMatchObject({
      resolve: expect.stringMatching(/default +ship +Ready +canary-first/),
      why: block('text'),
      graph: expect.stringMatching(/canary +Task\nrest +Task +after canary/),
    });
  });

  it('schema prints a JSON Schema that checks each kind', async () => {
    const check = new Ajv2020({ strict: false, discriminator: true }).compile(
      JSON.parse((await plans('schema')).stdout) as JsonObject,
    );
    for (const object of OBJECTS) expect(check(object)).toBe(true);
    expect(check({ ...OBJECTS[0], spec: {} })).toBe(false);
  });
});
