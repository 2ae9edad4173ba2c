import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { RunningServer } from '../../../src/server';
import { canHaveProgram, FIRST_BUILD_MS } from '../../support/cached-program';
import { eventually } from '../../support/eventually';
import { PLANSPEC, runProgram, type Ran } from '../../support/plan-clients';
import { startPlanPeer, type PlanPeer } from '../../support/plan-peer';

const HEAD = 'apiVersion: planspec.io/v1alpha1';
const goal = (name: string, namespace: string, description = 'ship it'): string =>
  `${HEAD}\nkind: Goal\nmetadata: {name: ${name}, namespace: ${namespace}, labels: {team: x}}\nspec: {description: ${description}}\n`;
const plan = (name: string, namespace: string, series: string, version: string): string =>
  `${HEAD}\nkind: Plan\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {description: how, goalRef: {name: ship}, series: ${series}, version: "${version}", graph: {nodes: [{id: build, kind: Task}, {id: deploy, kind: Task}], edges: [{from: build, to: deploy}]}}\n`;

const withPlanspec = canHaveProgram(PLANSPEC) ? describe : describe.skip;

withPlanspec('the command line of PlanSpec’s reference implementation, unchanged', () => {
  let peer: PlanPeer | undefined;
  let folder: string;
  let server: RunningServer;
  let program: string;
  let namespace = '';
  let spaces = 0;

  beforeAll(async () => {
    ({ program, folder, server } = peer = await startPlanPeer(PLANSPEC));
  }, FIRST_BUILD_MS);
  afterAll(() => peer?.stop());

  const planspec = (args: readonly string[], input = '', env: Record<string, string> = {}): Promise<Ran> =>
    runProgram(program, args, { cwd: folder, input, env: { PLANSPEC_SERVER: server.url, ...env } });
  const here = (...args: string[]): Promise<Ran> => planspec([...args, '-n', namespace]);
  /** A namespace of its own, with a goal, and plans of two series in a file of several documents. */
  async function applied(): Promise<string> {
    namespace = `space-${(spaces += 1)}`;
    const file = join(folder, `${namespace}.yaml`);
    const documents = [
      goal('ship', namespace),
      plan('one', namespace, 'a', '1'),
      plan('two', namespace, 'a', '2'),
      plan('other', namespace, 'b', '1.5'),
    ];
    await writeFile(file, documents.join('---\n'));
    const names = ['goal/ship', 'plan/one', 'plan/two', 'plan/other'];
    expect(await planspec(['apply', '-f', file])).toEqual({
      code: 0,
      stderr: '',
      stdout: names.map((name) => `${namespace}/${name} created\n`).join(''),
    });
    await eventually('the goal to have its plan', async () => {
      const { stdout } = await here('get', 'goal', 'ship');
      return /ship +\| Ready +\| two /.test(stdout);
    });
    return file;
  }

  it('get prints tables of a kind, of one object, of a series and of all kinds', async () => {
    await applied();
    const rows = ({ stdout }: Ran): string[] =>
      stdout.split('\n').filter((line) => line.startsWith('|') && !/\| (NAME|NAMESPACE) /.test(line));
    expect((await here('get', 'plans')).stdout).toMatch(/NAME +\| PHASE \| NODES \| SERIES \| VERSION/);
    expect(rows(await here('get', 'plans')).map((line) => line.split(/[ |]+/).slice(1, 6))).toEqual([
      ['two', 'Ready', '2', 'a', '2'],
      ['one', 'Ready', '2', 'a', '1'],
      ['other', 'Ready', '2', 'b', '1.5'],
    ]);
    expect(rows(await here('get', 'plans', '--series', 'b'))).toHaveLength(1);
    expect((await here('get', 'all')).stdout).toMatch(/^GOALS:[^]*\nPLANS:[^]* other /);
    expect((await here('get', 'goals', '--selector', 'team=y')).stdout).toBe('No resources found\n');
    expect(rows(await here('get', 'goals', '--selector', 'team=x'))).toHaveLength(1);
    const all = await planspec(['get', 'goals', '-A']);
    expect(rows(all).filter((line) => line.includes(` ${namespace} `))).toHaveLength(1);
    expect((await here('get', 'goal', 'gone')).code).not.toBe(0);
  });

  it('get prints YAML and JSON that can be read back, and describe tells the active plan', async () => {
    await applied();
    const list = parse((await here('get', 'goals', '-o', 'yaml')).stdout);
    expect(list).toMatchObject({
      kind: 'GoalList',
      items: [{ kind: 'Goal', status: { activePlanRef: { name: 'two', namespace } } }],
    });
    expect(JSON.parse((await here('get', 'all', '-o', 'json')).stdout).items).toHaveLength(4);
    const { stdout } = await here('describe', 'goal', 'ship');
    expect(stdout).toMatch(/Phase: Ready\n +Active Plan: two\n +Observed Generation: 1/);
    expect(stdout).toContain("PlanResolved True (PlanFound)\n    Plan 'two' resolved for goal");
  });

  it('apply takes files and folders, says what it changed, and shows the faults of the server', async () => {
    const file = await applied();
    expect((await planspec(['apply', '-f', file])).stdout).toBe(
      ['goal/ship', 'plan/one', 'plan/two', 'plan/other'].map((name) => `${namespace}/${name} unchanged\n`).join(''),
    );
    const sub = join(folder, namespace, 'deeper');
    await mkdir(sub, { recursive: true });
    await writeFile(join(folder, namespace, 'goal.yaml'), goal('ship', namespace, 'changed'));
    await writeFile(join(sub, 'plan.yaml'), plan('three', namespace, 'a', '3'));
    const all = await planspec(['apply', '-d', join(folder, namespace), '-R']);
    expect(all).toMatchObject({ code: 0, stderr: '' });
    expect(all.stdout).toContain(`${namespace}/goal/ship configured\n`);
    expect(all.stdout).toContain(`${namespace}/plan/three created\n`);
    // Its own check lets this through.
    const twice = plan('four', namespace, 'a', '4').replace('{id: deploy', '{id: build');
    await writeFile(join(folder, 'refused.yaml'), twice.replace(/, edges: \[.*?\]/, ''));
    const refused = await planspec(['apply', '-f', join(folder, 'refused.yaml')]);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/Plan\/four: spec\.graph\.nodes\[1\]\.id: expected/);
    expect((await here('get', 'plan', 'four')).code).not.toBe(0);
  });

  it('validate, graph and diff work', async () => {
    const file = await applied();
    expect((await planspec(['validate', '-f', file])).stdout).toContain('4 resource(s) validated successfully');
    expect((await here('graph', 'two')).stdout).toContain('Summary: 2 nodes, 1 edges');
    expect((await here('graph', 'two', '--format', 'mermaid')).stdout).toMatch(/build *-->.*deploy/);
    // It says "would be updated" of every object that is there; what differs is in the lines after that.
    const same = await planspec(['diff', '-f', file, '-o', 'yaml']);
    expect(same.stdout).toContain('~ Goal/ship (would be updated)');
    expect(same.stdout).not.toMatch(/^[+-] /m);
    await writeFile(file, goal('ship', namespace, 'changed'));
    const changed = await planspec(['diff', '-f', file, '-o', 'yaml']);
    expect(changed.stdout).toMatch(/^- +description: ship it$[^]*^\+ +description: changed$/m);
  });

  it('edit changes an object, and not one that another changed meanwhile', async () => {
    await applied();
    const editor = join(folder, 'editor.sh');
    const edits = async (script: string): Promise<Ran> => {
      await writeFile(editor, `#!/bin/sh\n${script}\n`);
      await chmod(editor, 0o755);
      return planspec(['edit', 'goal', 'ship', '-n', namespace], 'y\ny\n', { EDITOR: editor });
    };
    expect((await edits('true')).stdout).toContain('no changes made');
    const edited = await edits('sed -i s/ship\\ it/edited/ "$1"');
    expect(edited).toMatchObject({ code: 0 });
    const read = async () => JSON.parse((await here('get', 'goal', 'ship', '-o', 'json')).stdout);
    expect(await read()).toMatchObject({ spec: { description: 'edited' }, status: { activePlanRef: { name: 'two' } } });
    const url = `${server.url}/apis/planspec.io/v1alpha1/namespaces/${namespace}/goals/ship`;
    const label = `curl -sS -X PATCH -H 'content-type: application/merge-patch+json' -d '{"metadata":{"labels":{"by":"another"}}}' ${url} >/dev/null`;
    const late = await edits(`${label}\nsed -i s/edited/lost/ "$1"`);
    expect(`${late.stdout}${late.stderr}`).toMatch(/[Cc]onflict/);
    expect(await read()).toMatchObject({ spec: { description: 'edited' }, metadata: { labels: { by: 'another' } } });
  });

  it('delete takes an object or a file, and namespaces come and go', async () => {
    const file = await applied();
    expect((await here('delete', 'plan', 'two')).stdout).toBe('plan "two" deleted\n');
    expect((await here('delete', 'plan', 'two')).code).not.toBe(0);
    await eventually('the goal to have another plan', async () =>
      /\| other /.test((await here('get', 'goal', 'ship')).stdout),
    );
    await planspec(['delete', '-f', file]);
    expect((await here('get', 'all')).stdout).toBe('No resources found\n');
    const extra = `${namespace}-extra`;
    expect((await planspec(['create', 'namespace', extra])).stdout).toBe(`namespace "${extra}" created\n`);
    expect((await planspec(['get', 'namespaces'])).stdout).toContain(`| ${extra}`);
    expect((await planspec(['create', 'namespace', extra])).code).not.toBe(0);
    expect((await planspec(['create', 'namespace', 'NotAName'])).code).not.toBe(0);
    expect((await planspec(['delete', 'namespace', extra])).stdout).toBe(`namespace "${extra}" deleted\n`);
    expect((await planspec(['get', 'namespaces'])).stdout).not.toContain(extra);
  });
});
