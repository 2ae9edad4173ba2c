import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openAuditStore } from '../../../src/audit/stores/open-audit-store';
import { loadSettings } from '../../../src/settings/load-settings';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { pushImage } from '../../support/oci-registry/push-image';
import { sampleImage } from '../../support/oci-registry/sample-image';
import { runCli } from '../run-cli';

describe('gate images rollback', () => {
  let folder: string;
  let target: OciRegistry;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-images-rollback-'));
    target = await startOciRegistry();
    settle({ folder: 'store' });
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await target.stop();
  });

  function settle(store: object): void {
    const registries = { mirror: { host: target.host, plainHttp: true } };
    writeFileSync(join(folder, 's.json'), JSON.stringify({ audit: { store }, registries }));
  }
  const rollBack = (...args: string[]) => runCli(folder, ['images', 'rollback', '--settings', 's.json', ...args]);

  it('moves a tag back and keeps who did it in the store of the settings', async () => {
    const { store } = (await openAuditStore(await loadSettings('s.json', {}, folder), {}))!;
    await store.close();
    const [first, second] = [sampleImage(), sampleImage()];
    pushImage(target, 'mirror/app', first, 'v1-before');
    pushImage(target, 'mirror/app', second, 'v1');
    const [from, to] = [second.manifest.digest, first.manifest.digest];
    const name = `${target.host}/mirror/app:v1`;
    const args = ['mirror/mirror/app:v1', '--to', 'v1-before', '--reason', 'v1 crashes', '--actor', 'ann'];
    const planned = await rollBack(...args, '--dry-run', '-o', 'json');
    expect(JSON.parse(planned.stdout)).toEqual({ target: name, dry_run: true, from, to, is_done: false });
    const { code, stdout, stderr } = await rollBack(...args);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${name}: moved from ${from} to ${to}\n` });
    expect(stderr).toContain(`A later sync moves ${name} forward again`);
    expect(target.content.open('mirror/app').tags.get('v1')).toBe(to);
    const listed = await runCli(folder, ['audit', 'list', '--settings', 's.json', '--domain', 'images', '-o', 'json']);
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { kind: 'acted', actor: 'ann' },
      { kind: 'rollback', actor: 'ann', reason: 'v1 crashes' },
    ]);
  }, 60_000);

  it.each([
    [['mirror.example/app', '--reason', 'x'], 'expected a reference with a tag'],
    [['mirror.example/app:v1', '--reason', 'x', '--to', 'a b'], '--to: expected a tag or a digest'],
    [['mirror.example/app:v1'], '--reason'],
    [['mirror.example/APP:v1', '--reason', 'x'], 'expected a repository in lower case'],
  ])('refuses %j', async (args, sentence) => {
    const { code, stderr } = await rollBack(...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)]);
  });

  it('needs a store for its record', async () => {
    settle({ type: 'none' });
    const { code, stderr } = await rollBack('mirror.example/app:v1', '--reason', 'x');
    expect([code, stderr]).toEqual([2, expect.stringContaining('audit.store.type')]);
  });
});
