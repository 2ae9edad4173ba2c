import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openAuditStore } from '../../../src/audit/stores/open-audit-store';
import { loadSettings } from '../../../src/settings/load-settings';
import { runCli } from '../run-cli';

const policy = (id: string, more = '') =>
  `- { id: ${id}, name: ${id}, source: { registry: hub, repositories: [ team/app ] }, actions: [ { type: replicate, target_registry: mirror } ]${more} }\n`;

describe('gate images policies', () => {
  /** with the audit store, which takes long to make */
  let all: string;
  let folder: string;
  beforeAll(async () => {
    all = mkdtempSync(join(tmpdir(), 'gate-images-policies-'));
    settle();
    const { store } = (await openAuditStore(await loadSettings('s.json', {}, all), {}))!;
    await store.close();
  }, 60_000);
  afterAll(() => rmSync(all, { recursive: true }));
  beforeEach(() => {
    folder = join(all, 'policies');
    mkdirSync(folder, { mode: 0o755 });
    writeFileSync(
      join(folder, 'a.yaml'),
      `# kept\n${policy('a')}${policy('b', ', priority: 5, schedule: "0 * * * *"')}`,
    );
    settle();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function settle(own: object = { enabled: true, configPath: 'policies' }): void {
    const registries = { hub: { host: 'hub.example' }, mirror: { host: 'mirror.example' } };
    writeFileSync(
      join(all, 's.json'),
      JSON.stringify({ audit: { store: { folder: 'store' } }, registries, policy: own }),
    );
  }
  const run = (...args: string[]) => runCli(all, ['images', 'policies', ...args, '--settings', 's.json']);

  it('check, list, show and reload say what is there', async () => {
    expect(await run('check')).toMatchObject({ code: 0, stdout: '2 policies, no faults\n', stderr: '' });
    const listed = await run('list', '-o', 'json');
    expect(JSON.parse(listed.stdout)).toMatchObject({
      policies: [
        {
          id: 'b',
          priority: 5,
          enabled: true,
          schedule: '0 * * * *',
          actions: ['replicate'],
          file: join(folder, 'a.yaml'),
        },
        { id: 'a', priority: 0 },
      ],
    });
    expect((await run('list')).stdout).toMatch(/b +5 +yes +0 \* \* \* \* +replicate/);
    const shown = await run('show', 'b');
    expect(shown.stdout).toContain(`# ${join(folder, 'a.yaml')}\nid: b\n`);
    const reloaded = JSON.parse((await run('reload', '-o', 'json')).stdout) as { revision: string };
    expect(reloaded).toMatchObject({ policies: 2, revision: expect.stringMatching(/^[a-f0-9]{64}$/) });
  });

  it('says who else may write the folder', async () => {
    chmodSync(folder, 0o777);
    const { code, stderr } = await run('check');
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `warning: ${folder} may be written by every user of this computer (mode 0777)\n`,
    });
  });

  it('apply and delete change files, each change in the audit log with who', async () => {
    writeFileSync(join(all, 'b2.yaml'), policy('c'));
    const by = ['--actor', 'ann', '--reason', 'why'];
    const applied = await run('apply', '-f', 'b2.yaml', ...by);
    expect(applied).toMatchObject({ code: 0, stdout: expect.stringMatching(/^c created\nrevision [a-f0-9]{64}\n$/) });
    expect(readFileSync(join(folder, 'b2.yaml'), 'utf8')).toBe(policy('c'));
    expect((await run('apply', '-f', 'b2.yaml', ...by)).stdout).toMatch(/^unchanged\n/);
    expect(await run('delete', 'b', ...by)).toMatchObject({ code: 0, stdout: expect.stringContaining('b deleted') });
    expect(readFileSync(join(folder, 'a.yaml'), 'utf8')).toMatch(/^# kept\n- .*id: a/);
    const { stdout } = await runCli(all, ['audit', 'list', '--settings', 's.json', '--domain', 'images', '-o', 'json']);
    const records = JSON.parse(stdout) as { kind: string; subject: string; actor: string; reason: string }[];
    expect(records.map(({ kind, subject, actor, reason }) => [kind, subject, actor, reason])).toEqual([
      ['deleted', 'b', 'ann', 'why'],
      ['created', 'c', 'ann', 'why'],
    ]);
  }, 120_000);

  it('refuses what has faults, and changes nothing', async () => {
    writeFileSync(join(all, 'bad.yaml'), policy('a') + policy('x', ', colour: red'));
    const { code, stderr } = await run('apply', '-f', 'bad.yaml', '--reason', 'why');
    expect(code).toBe(2);
    for (const fault of ['the id a is used twice', 'colour']) expect(stderr).toContain(fault);
    expect(readdirSync(folder)).toEqual(['a.yaml']);
  });

  it.each([
    [['delete', 'c', '--reason', 'x'], 'POLICY_NOT_FOUND: no policy has the id c'],
    [['show', 'aa'], 'did you mean a?'],
    [['apply', '-f', 'none.yaml', '--reason', 'x'], 'none.yaml'],
    [['apply', '-f', 's.txt', '--reason', 'x'], 'ends in .yaml, .yml or .json'],
    [['apply', '-f', 'a.yaml'], '--reason'],
    [['delete', 'a', '--reason', ' '], 'Expected a text that is not blank'],
    [['delete', 'a', '--reason', 'x'.repeat(20_000)], 'Expected at most'],
    [['delete', 'a', '--reason', 'x', '--actor', ''], 'Expected a text that is not blank'],
    [['check', '--policies', 'none'], 'none'],
  ])('refuses %j', async (args, sentence) => {
    const { code, stderr } = await run(...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)]);
  });

  it('apply makes no folder: where there is none it says so', async () => {
    settle({ enabled: true, configPath: 'elsewhere' });
    writeFileSync(join(all, 'b2.yaml'), policy('c'));
    const { code, stderr } = await run('apply', '-f', 'b2.yaml', '--reason', 'x');
    expect([code, stderr]).toEqual([2, expect.stringContaining('elsewhere: expected a folder of policies')]);
    expect(readdirSync(all)).not.toContain('elsewhere');
  });

  it('the last policy is not deleted: workers would keep it in force', async () => {
    writeFileSync(join(folder, 'a.yaml'), policy('a'));
    const { code, stderr } = await run('delete', 'a', '--reason', 'x');
    expect([code, stderr]).toEqual([2, expect.stringContaining('set policy.enabled to false')]);
    expect(readdirSync(folder)).toEqual(['a.yaml']);
  });

  it('the settings may hold policies beside the folder, or alone', async () => {
    const own = { id: 'own', name: 'Own', actions: [{ type: 'block' }] };
    settle({ enabled: true, configPath: 'policies', policies: [own] });
    expect((await run('check')).stdout).toBe('3 policies, no faults\n');
    settle({ enabled: true, policies: [own, own] });
    expect(await run('check')).toMatchObject({ code: 2, stderr: expect.stringContaining('the id own is used twice') });
    settle({ enabled: true });
    expect(await run('check')).toMatchObject({ code: 2, stderr: expect.stringContaining('policy.policies') });
    const synced = await runCli(all, ['images', 'sync', '--dry-run', '--settings', 's.json']);
    expect([synced.code, synced.stderr]).toEqual([2, expect.stringContaining('expected policy.configPath')]);
  });
});
