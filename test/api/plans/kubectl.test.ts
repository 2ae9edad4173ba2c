import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningServer } from '../../../src/server';
import { canHaveProgram, FIRST_BUILD_MS } from '../../support/cached-program';
import { eventually } from '../../support/eventually';
import { KUBECTL, runProgram, type Ran } from '../../support/plan-clients';
import { startPlanPeer, type PlanPeer } from '../../support/plan-peer';

const HEAD = 'apiVersion: planspec.io/v1alpha1';
const GOAL = `${HEAD}\nkind: Goal\nmetadata: {name: ship}\nspec: {description: ship it}\n`;
const plan = (name: string, version: string): string =>
  `${HEAD}\nkind: Plan\nmetadata: {name: ${name}}\nspec: {description: how, goalRef: {name: ship}, series: s, version: "${version}", graph: {nodes: [{id: build, kind: Task}]}}\n`;

const withKubectl = canHaveProgram(KUBECTL) ? describe : describe.skip;

withKubectl('kubectl, unchanged', () => {
  let peer: PlanPeer | undefined;
  let folder: string;
  let server: RunningServer;
  let program: string;
  let namespace = '';
  let spaces = 0;

  beforeAll(async () => {
    ({ program, folder, server } = peer = await startPlanPeer(KUBECTL));
  }, FIRST_BUILD_MS);
  afterAll(() => peer?.stop());

  const kubectl = (...args: string[]): Promise<Ran> =>
    runProgram(program, ['--server', server.url, '-n', namespace, ...args], { cwd: folder, env: {} });
  const done = async (...args: string[]): Promise<string> => {
    const ran = await kubectl(...args);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    return ran.stdout;
  };
  const file = async (name: string, ...documents: string[]): Promise<string> => {
    await writeFile(join(folder, name), documents.join('---\n'));
    return name;
  };
  /** A namespace of its own, with a goal that has a plan. */
  async function applied(): Promise<void> {
    namespace = `space-${(spaces += 1)}`;
    const path = await file(`${namespace}.yaml`, GOAL, plan('one', '1'));
    expect(await done('apply', '-f', path)).toBe('goal.planspec.io/ship created\nplan.planspec.io/one created\n');
    const waited = await done('wait', 'goal/ship', '--for=condition=PlanResolved', '--timeout=60s');
    expect(waited).toBe('goal.planspec.io/ship condition met\n');
  }

  it('apply creates, changes and leaves alone, and wait sees the goal resolve', async () => {
    await applied();
    const path = await file('again.yaml', GOAL, plan('one', '2'));
    expect(await done('apply', '-f', path)).toBe('goal.planspec.io/ship unchanged\nplan.planspec.io/one configured\n');
    expect(await done('get', 'plan', 'one', '-o', 'jsonpath={.spec.version} {.metadata.generation}')).toBe('2 2');
    expect(await done('get', 'goal', 'ship', '-o', 'jsonpath={.status.activePlanRef.name}')).toBe('one');
  });

  it('apply tells what the server refuses, all faults at once, and what fieldValidation finds', async () => {
    await applied();
    const bad = plan('two', '2').replace('description: how', 'description: ""').replace('kind: Task', 'kind: Tusk');
    const refused = await kubectl('apply', '-f', await file('bad.yaml', bad), '--validate=false');
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/spec\.description: .*\n?.*spec\.graph\.nodes\[0\]\.kind: /);
    const unknown = plan('two', '2').replace('series: s', 'series: s, serie: t');
    const strict = await kubectl('apply', '-f', await file('unknown.yaml', unknown));
    expect(strict.code).not.toBe(0);
    expect(strict.stderr).toContain('unknown field "spec.serie"');
    const warned = await kubectl(
      'apply',
      '--validate=warn',
      '-f',
      await file('warned.yaml', plan('two', '2').replace('{id: build', '{idx: 1, id: build')),
    );
    expect(warned).toMatchObject({ code: 0 });
    expect(warned.stderr).toContain('unknown field "spec.graph.nodes[0].idx"');
  });

  it('get prints the columns of each kind, and -w each change', async () => {
    await applied();
    expect(await done('get', 'goals')).toMatch(/^NAME +PHASE +ACTIVE PLAN +AGE\nship +Ready +one +\S+\n$/);
    expect(await done('get', 'all')).toMatch(/goal\.planspec\.io\/ship [^]*plan\.planspec\.io\/one /);
    expect(await done('get', 'goals', '--field-selector=metadata.name=ship', '-l', '!team', '-o', 'name')).toBe(
      'goal.planspec.io/ship\n',
    );
    expect(await done('get', 'ns', namespace, '-o', 'name')).toBe(`namespace.planspec.io/${namespace}\n`);
    expect(await kubectl('get', 'goal', 'gone')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Error from server (NotFound)'),
    });
    const watch = spawn(program, ['--server', server.url, '-n', namespace, 'get', 'goals', '-w'], {
      cwd: folder,
      env: { HOME: folder },
    });
    let seen = '';
    watch.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    try {
      await eventually('the watch to print what there is', () => /ship +Ready +one /.test(seen));
      await done('apply', '-f', await file('next.yaml', plan('two', '2')));
      await eventually('the watch to print the change', () => /ship +Ready +two /.test(seen));
    } finally {
      watch.kill();
    }
  });

  it('what is absent is told by its own name: the object, or the namespace that it would be in', async () => {
    await applied();
    for (const verb of ['get', 'describe']) {
      const absent = await kubectl(verb, 'goal', 'nope');
      expect(absent).toMatchObject({ code: 1, stderr: 'Error from server (NotFound): goals "nope" not found\n' });
    }
    namespace = 'nowhere';
    expect((await kubectl('get', 'goal', 'nope')).stderr).toContain('namespaces "nowhere" not found');
    const path = await file('namespace.yaml', `${HEAD}\nkind: Namespace\nmetadata: {name: nowhere}\n`);
    expect(await done('create', '-f', path)).toBe('namespace.planspec.io/nowhere created\n');
    expect((await kubectl('create', '-f', path)).stderr).toContain('already exists');
    expect((await kubectl('get', 'goal', 'nope')).stderr).toContain('goals "nope" not found');
  });

  it('describe and explain know the objects and their fields', async () => {
    await applied();
    expect(await done('describe', 'goal', 'ship')).toMatch(/Name: +ship\n[^]*Active Plan Ref:\n +Name: +one\n/);
    expect(await done('explain', 'goal')).toMatch(/GROUP: +planspec\.io\nKIND: +Goal\nVERSION: +v1alpha1\n/);
    expect(await done('explain', 'plan.spec.graph.nodes')).toMatch(/FIELDS:\n[^]* +dependsOn\t/);
    // From the document in protobuf, which older clients read.
    expect(await done('explain', 'goal', '--output=plaintext-openapiv2')).toMatch(/KIND: +Goal\nVERSION: +planspec/);
    expect((await kubectl('explain', 'goal.spec.nothing')).code).not.toBe(0);
    expect(await done('api-resources', '--api-group=planspec.io')).toMatch(/executions .* true +Execution/);
  });

  it('diff and a server dry run show what would change, and store nothing', async () => {
    await applied();
    const same = await file('same.yaml', GOAL, plan('one', '1'));
    expect(await done('diff', '-f', same)).toBe('');
    const changed = await file('changed.yaml', GOAL, plan('one', '7'));
    const diff = await kubectl('diff', '-f', changed);
    expect(diff.code).toBe(1);
    expect(diff.stdout).toMatch(/^- +version: "1"$[^]*^\+ +version: "7"$/m);
    expect(await done('apply', '--dry-run=server', '-f', changed)).toContain(
      'plan.planspec.io/one configured (server dry run)\n',
    );
    expect(await done('create', '--dry-run=server', '-f', await file('new.yaml', plan('new', '1')), '-o', 'name')).toBe(
      'plan.planspec.io/new\n',
    );
    expect(await done('delete', 'plan', 'one', '--dry-run=server')).toBe(
      `plan.planspec.io "one" deleted from ${namespace} namespace (server dry run)\n`,
    );
    expect(await done('get', 'plans', '-o', 'jsonpath={.items[*].spec.version}')).toBe('1');
  });

  it('label, annotate, patch, replace and edit change one object', async () => {
    await applied();
    expect(await done('label', 'goal', 'ship', 'team=x')).toBe('goal.planspec.io/ship labeled\n');
    expect((await kubectl('label', 'goal', 'ship', 'team=y')).code).not.toBe(0);
    expect(await done('annotate', 'goal', 'ship', 'note=hello')).toBe('goal.planspec.io/ship annotated\n');
    expect(await done('label', 'goal', 'ship', 'team-')).toBe('goal.planspec.io/ship unlabeled\n');
    await done('patch', 'goal', 'ship', '--type=merge', '-p', '{"spec":{"priority":3}}');
    await done('patch', 'goal', 'ship', '--type=json', '-p', '[{"op":"replace","path":"/spec/priority","value":4}]');
    expect(
      await done(
        'get',
        'goal',
        'ship',
        '-o',
        'jsonpath={.metadata.annotations.note} {.metadata.labels} {.spec.priority}',
      ),
    ).toBe('hello {} 4');
    const applyPatch = await kubectl('apply', '--server-side', '-f', await file('ssa.yaml', GOAL));
    expect(applyPatch.code).not.toBe(0);
    expect(applyPatch.stderr).toMatch(/merge-patch/);
  });

  it('delete takes objects by name, file, selector and all, and waits until they are gone', async () => {
    await applied();
    await done('apply', '-f', await file('more.yaml', plan('two', '2'), plan('three', '3')));
    expect(await done('delete', 'plan', 'three')).toMatch(/^plan\.planspec\.io "three" deleted/);
    await done('label', 'plan', 'two', 'old=yes');
    expect(await done('delete', 'plans', '-l', 'old=yes')).toMatch(/^plan\.planspec\.io "two" deleted/);
    expect(await done('get', 'plans', '-o', 'name')).toBe('plan.planspec.io/one\n');
    await done('delete', 'goals', '--all');
    expect((await kubectl('delete', 'goal', 'ship')).code).not.toBe(0);
    expect(await done('delete', 'goal', 'ship', '--ignore-not-found')).toBe('');
    await done('delete', '-f', `${namespace}.yaml`, '--ignore-not-found');
    expect((await kubectl('get', 'plans')).stderr).toContain(`No resources found in ${namespace} namespace`);
  });
});
