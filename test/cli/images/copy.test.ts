import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { findTool } from '../../../src/platform/tools/find-tool';
import { startCraneRegistry } from '../../support/crane-registry';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { pushImage } from '../../support/oci-registry/push-image';
import { sampleImage } from '../../support/oci-registry/sample-image';
import { runCli } from '../run-cli';

describe('gate images', () => {
  let folder: string;
  let source: OciRegistry;
  let target: OciRegistry;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gate-images-copy-'));
  });
  beforeEach(async () => {
    [source, target] = await Promise.all([startOciRegistry(), startOciRegistry()]);
  });
  afterEach(() => Promise.all([source.stop(), target.stop()]));
  afterAll(() => rmSync(folder, { recursive: true }));

  const images = (command: string, ...args: string[]) => {
    const plain = [source.host, target.host].flatMap((host) => ['--plain-http', host]);
    return runCli(folder, ['images', command, ...plain, ...args]);
  };
  const copy = (from: string, to: string, ...args: string[]) =>
    images('copy', `${source.host}/${from}`, `${target.host}/${to}`, ...args);
  const json = async (run: ReturnType<typeof runCli>) => {
    const { code, stdout, stderr } = await run;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as Record<string, unknown>;
  };

  it('copy copies an image, and prints what it did', async () => {
    const image = sampleImage({ layerSizes: [1_500_000] });
    pushImage(source, 'team/app', image, 'v1');
    const planned = await copy('team/app:v1', 'mirror/app', '--dry-run');
    expect(planned.stdout).toMatch(/team\/app:v1 -> \S+\/mirror\/app:v1: would copy 2 blobs \(1\.5 MB\)\n$/);
    expect(target.content.open('mirror/app').blobs.size).toBe(0);
    const { code, stdout } = await copy('team/app:v1', 'mirror/app');
    expect(code).toBe(0);
    expect(stdout).toMatch(/team\/app:v1 -> \S+\/mirror\/app:v1: copied, 2 blobs sent \(1\.5 MB\)\n$/);
    expect(target.content.open('mirror/app').tags.get('v1')).toBe(image.manifest.digest);
    expect((await copy('team/app:v1', 'mirror/app')).stdout).toMatch(/: unchanged\n$/);
    expect((await copy('team/app:v1', 'mirror/app', '--dry-run')).stdout).toMatch(/: unchanged\n$/);
  });

  it('copy prints JSON, and keeps what the tag named', async () => {
    const [first, second] = [sampleImage(), sampleImage()];
    pushImage(source, 'team/app', first, 'latest');
    expect(await json(copy('team/app', 'mirror/app', '-o', 'json'))).toMatchObject({
      target: `${target.host}/mirror/app:latest`,
      outcome: 'copied',
      blobs_sent: 3,
      referrers: { copied: [], present: [] },
    });
    pushImage(source, 'team/app', second, 'latest');
    expect(await json(copy('team/app', 'mirror/app', '--no-overwrite', '-o', 'json'))).toMatchObject({
      outcome: 'kept',
    });
    expect(await json(copy('team/app', 'mirror/app', '--dry-run', '-o', 'json'))).toMatchObject({
      outcome: 'copied',
      replaces: first.manifest.digest,
    });
    expect(await json(copy('team/app', 'mirror/app', '--backup-tag', 'before', '-o', 'json'))).toMatchObject({
      outcome: 'copied',
      replaced: first.manifest.digest,
    });
    expect(Object.fromEntries(target.content.open('mirror/app').tags)).toEqual({
      latest: second.manifest.digest,
      before: first.manifest.digest,
    });
  });

  it('copy takes a digest, which needs no tag', async () => {
    const image = sampleImage();
    pushImage(source, 'team/app', image);
    const { stdout } = await copy(`team/app@${image.manifest.digest}`, 'mirror/app');
    expect(stdout).toContain(`/mirror/app@${image.manifest.digest}: copied`);
    expect(target.content.open('mirror/app').tags.size).toBe(0);
  });

  it.each<[string, string[], RegExp]>([
    ['a reference that is invalid', ['a@b@c', 'x.example/Upper'], /2 faults:\n.*at most one @[\s\S]*lower case/],
    ['a target with a digest', ['x.example/a', `x.example/b@sha256:${'0'.repeat(64)}`], /a target without a digest/],
    ['the same image', ['x.example/a:v1', 'x.example/a'], /a target other than the source/],
    ['a platform', ['x.example/a', 'x.example/b', '--platform', 'arm64'], /--platform: expected a platform such as/],
    ['a backup tag', ['x.example/a', 'x.example/b', '--backup-tag', 'a b'], /--backup-tag: expected a tag/],
  ])('copy refuses %s', async (_what, args, sentence) => {
    const { code, stderr } = await runCli(folder, ['images', 'copy', ...args]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(sentence) });
  });

  it('copy names what is wrong with an image or a registry', async () => {
    expect(await copy('team/app:v1', 'mirror/app')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`IMAGE_NOT_FOUND: ${source.host}/team/app:v1 does not exist`),
    });
    const image = sampleImage();
    pushImage(source, 'team/app', image, 'v1');
    source.content.open('team/app').blobs.delete(image.layers[0]!.digest);
    expect(await copy('team/app:v1', 'mirror/app')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/ACTION_EXEC_ERROR: \S+ is incomplete/),
    });
    expect((await copy('team/app:v1', 'mirror/app', '--incomplete', 'copy')).stdout).toContain(
      '1 parts absent at the source',
    );
    target.setFaults(() => ({ status: 403 }));
    expect(await copy('team/app:v1', 'mirror/app')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('REGISTRY_UNAVAILABLE: '),
    });
  });

  it('diff compares the tags of two repositories', async () => {
    const [one, other] = [sampleImage(), sampleImage()];
    for (const tag of ['same', 'moved', 'new']) pushImage(source, 'team/app', one, tag);
    pushImage(target, 'mirror/app', one, 'same');
    pushImage(target, 'mirror/app', other, 'moved');
    pushImage(target, 'mirror/app', other, 'old');
    pushImage(target, 'mirror/app', other, `sha256-${'0'.repeat(64)}.sig`);
    const names = [`${source.host}/team/app`, `${target.host}/mirror/app`] as const;
    const { code, stdout } = await images('diff', ...names);
    expect(code).toBe(1);
    expect(stdout.split('\n')).toEqual([
      'missing    new',
      `different  moved  ${one.manifest.digest} ${other.manifest.digest}`,
      'extra      old',
      '1 same, 1 missing, 1 different, 1 extra',
      '',
    ]);
    expect(await json(images('diff', names[0], names[0], '-o', 'json'))).toMatchObject({
      same: 3,
      missing: [],
      different: [],
      extra: [],
    });
    // An answer that nothing differs would hide a wrong name.
    const missing = names.map((name) => `${name}-missing`);
    expect(await images('diff', ...missing)).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^gate: .*127\.0\.0\.1:\d+ has no repository .*-missing, or it has no tags\n$/),
    });
    expect(await images('diff', `${names[0]}:v1`, names[1])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected two repositories'),
    });
  });

  it('copy and diff work with a registry of another make', async () => {
    const { host, stop } = await startCraneRegistry(join(folder, 'registry.log'));
    try {
      const image = sampleImage();
      pushImage(source, 'team/app', image, 'v1');
      const there = `${host}/mirror/app`;
      const copied = await images('copy', '--plain-http', host, `${source.host}/team/app:v1`, there);
      expect(copied).toMatchObject({ code: 0, stderr: '' });
      const back = await images('copy', '--plain-http', host, `${there}:v1`, `${target.host}/back/app`);
      expect(back).toMatchObject({ code: 0, stderr: '' });
      expect(target.content.open('back/app').manifests.get(image.manifest.digest)?.bytes).toEqual(image.manifest.bytes);
      const { path } = await findTool('crane');
      const { stdout } = await promisify(execFile)(path, ['digest', `${there}:v1`]);
      expect(stdout.trim()).toBe(image.manifest.digest);
      const diff = await images('diff', '--plain-http', host, `${source.host}/team/app`, there);
      expect(diff).toMatchObject({ code: 0, stdout: '1 same, 0 missing, 0 different, 0 extra\n' });
    } finally {
      await stop();
    }
  });
});
