import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { SIGNATURE_ANNOTATION, SIMPLE_SIGNING } from '../../../src/images/signatures/verify-signature';
import { openImages } from '../../../src/images/service/open-images';
import type { SyncedImage, SyncError } from '../../../src/images/progress/sync-report';
import type { SyncTotals } from '../../../src/images/progress/sync-totals';
import { createImageMetrics } from '../../../src/images/service/image-metrics';
import { runSync } from '../../../src/images/sync/run-sync';
import { loadSettings } from '../../../src/settings/load-settings';
import { startCraneRegistry } from '../../support/crane-registry';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { pushImage } from '../../support/oci-registry/push-image';
import { blobOf, IMAGE, sampleImage, type SampleImage } from '../../support/oci-registry/sample-image';
import { toCommandJson } from '../../../src/cli/command-json';
import { runCli } from '../run-cli';

const SIGNATURE = 'cosign container image signature';

type Report = Omit<SyncTotals, 'images' | 'errors'> & { errors: SyncError[]; images: readonly SyncedImage[] };

describe('gate images sync', () => {
  let folder: string;
  let source: OciRegistry;
  let target: OciRegistry;
  /** of the last sync */
  let metrics: Registry;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-images-sync-'));
    mkdirSync(join(folder, 'policies'));
    [source, target] = await Promise.all([startOciRegistry(), startOciRegistry()]);
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await Promise.all([source.stop(), target.stop()]);
  });

  function push(repository: string, tag: string, labels: Record<string, string> = {}): SampleImage {
    const image = sampleImage({ labels });
    pushImage(source, repository, image, tag);
    return image;
  }

  /** Policies as they would be in a folder; `replicates` has a source and a target. */
  function write(...policies: object[]): void {
    writeFileSync(join(folder, 'policies', 'a.json'), JSON.stringify(policies));
  }
  const replicates = (id: string, over: { source?: object; action?: object; [key: string]: unknown } = {}) => {
    const { source: own, action, ...rest } = over;
    return {
      id,
      name: id,
      source: { registry: source.host, repositories: ['team/*'], ...own },
      actions: [{ type: 'replicate', target_registry: 'mirror', target_repo: 'mirror/{repository}', ...action }],
      ...rest,
    };
  };
  const blocksUnscanned = {
    id: 'scans',
    name: 'Scans',
    conditions: [{ type: 'label', operator: 'not_exists', value: 'scan' }],
    actions: [{ type: 'block', parameters: { reason: 'Missing security scan' } }],
  };

  /** The settings of a worker, with what a test adds. */
  function settle(more: { registries?: object; mapping?: object } = {}): string {
    const file = join(folder, 'settings.json');
    const registries = {
      mirror: { host: target.host, plainHttp: true },
      hub: { host: source.host, plainHttp: true },
      ...more.registries,
    };
    const policy = { enabled: true, configPath: 'policies' };
    writeFileSync(file, JSON.stringify({ policy, registries, mapping: more.mapping ?? {} }));
    return file;
  }
  const dryRun = (...args: string[]) =>
    runCli(folder, ['images', 'sync', '--dry-run', '--settings', settle(), ...args]);
  /** A whole sync as a worker does it, without Temporal. */
  async function report(
    hasErrors: boolean,
    { only, ...more }: Parameters<typeof settle>[0] & { only?: string[] } = {},
  ): Promise<Report> {
    metrics = new Registry();
    const own = createImageMetrics(metrics);
    const images = openImages(await loadSettings(settle(more), {}, folder), { env: {}, metrics: () => own });
    try {
      const { totals, images: done, unlisted } = await runSync(await images.context(only));
      const { tagsCopied, tagsSkipped, tagsBlocked, tagsUnmatched, bytes, blobsSkipped } = totals;
      const errors = [
        ...unlisted,
        ...done.flatMap(({ source: of, errors: own }) => own.map((one) => ({ source: of, ...one }))),
      ];
      expect([errors.length, errors.length > 0]).toEqual([totals.errors, hasErrors]);
      return { tagsCopied, tagsSkipped, tagsBlocked, tagsUnmatched, bytes, blobsSkipped, errors, images: done };
    } finally {
      await images.close();
    }
  }
  const shown = async (name: string) =>
    (await metrics.metrics())
      .split('\n')
      .filter((line) => line.startsWith(name))
      .sort();
  const tagsOf = (repository: string) => Object.fromEntries(target.content.open(repository).tags);

  it('copies what policies replicate, and blocks what they block', async () => {
    const scanned = push('team/app', 'v1', { scan: 'passed' });
    push('team/app', 'v2');
    push('other/app', 'v1', { scan: 'passed' });
    write(replicates('all'), blocksUnscanned);
    const { code, stdout } = await dryRun();
    expect(code).toBe(1);
    expect(await report(false)).toMatchObject({ tagsCopied: 1, tagsBlocked: 1, bytes: 71_108 });
    const name = `${source.host}/team/app`;
    expect(stdout.split('\n').sort()).toEqual(
      [
        '',
        '1 to copy (71.1 kB, 0 blobs present), 0 skipped, 1 blocked, 0 unmatched, 0 errors',
        `${name}:v1 -> ${target.host}/mirror/team/app:v1 (all): would copy 3 blobs (71.1 kB)`,
        `${name}:v2: replication blocked by policy: Missing security scan`,
      ].sort(),
    );
    expect(tagsOf('mirror/team/app')).toEqual({ v1: scanned.manifest.digest });
    expect(target.content.open('mirror/other/app').tags.size).toBe(0);
  });

  it('a dry run prints the plan and changes nothing; the run after it does what it says', async () => {
    push('team/app', 'v1');
    push('team/web', 'v1');
    write(replicates('all'));
    const { code, stdout } = await dryRun('-o', 'json');
    expect(code).toBe(0);
    const planned = JSON.parse(stdout) as Record<string, unknown>;
    expect(target.asked.every((one) => one.startsWith('HEAD ') || one.startsWith('GET '))).toBe(true);
    const done = await report(false);
    expect(planned).toMatchObject({ dry_run: true, tags_copied: 2, tags_skipped: 0, bytes: done.bytes, errors: 0 });
    expect(planned.images).toEqual(toCommandJson(done.images));
    expect(done.images.map(({ targets }) => targets[0])).toMatchObject([{ policyId: 'all' }, { policyId: 'all' }]);
  });

  it('a run that finds nothing to do costs one HEAD for each tag on each side, and the lists', async () => {
    for (const tag of ['v1', 'v2', 'v3']) push('team/app', tag);
    write(replicates('all', { source: { repositories: ['team/app'] } }));
    await report(false);
    const before = [source.asked.length, target.asked.length] as const;
    expect(await report(false)).toMatchObject({ tagsCopied: 0, tagsSkipped: 3, bytes: 0 });
    const heads = (server: OciRegistry, from: number) =>
      server.asked
        .slice(from)
        .map((one) => one.split('?')[0])
        .sort();
    expect(heads(source, before[0])).toEqual([
      'GET /v2/team/app/tags/list',
      ...['v1', 'v2', 'v3'].map((tag) => `HEAD /v2/team/app/manifests/${tag}`),
    ]);
    expect(heads(target, before[1])).toEqual(
      ['v1', 'v2', 'v3'].map((tag) => `HEAD /v2/mirror/team/app/manifests/${tag}`),
    );
  });

  it('measures evaluations, actions and what was copied', async () => {
    push('team/app', 'v1', { scan: 'passed' });
    push('team/app', 'v2');
    write(replicates('all'), blocksUnscanned);
    const { bytes } = await report(false);
    expect(await shown('freightliner_policy_evaluations_total')).toEqual([
      'freightliner_policy_evaluations_total{policy_id="all",result="error"} 0',
      'freightliner_policy_evaluations_total{policy_id="all",result="matched"} 2',
      'freightliner_policy_evaluations_total{policy_id="scans",result="error"} 0',
      'freightliner_policy_evaluations_total{policy_id="scans",result="matched"} 1',
      'freightliner_policy_evaluations_total{policy_id="scans",result="unmatched"} 1',
    ]);
    expect(await shown('freightliner_policy_action_executions_total')).toEqual([
      'freightliner_policy_action_executions_total{policy_id="all",action="replicate",outcome="copied"} 1',
      'freightliner_policy_action_executions_total{policy_id="scans",action="block",outcome="blocked"} 1',
    ]);
    expect(await shown('freightliner_copied_bytes_total')).toEqual([`freightliner_copied_bytes_total ${bytes}`]);
    expect(await shown('freightliner_policy_evaluation_duration_seconds_count')).toEqual([
      'freightliner_policy_evaluation_duration_seconds_count 4',
    ]);
  });

  it('retry_policy repeats a copy that all attempts at one request could not bring through', async () => {
    push('team/app', 'v1');
    write(replicates('all', { action: { retry_policy: { max_attempts: 2, initial: '1ms', max: '2ms' } } }));
    const isUpload = (method: string, path: string) => method === 'POST' && path.includes('/uploads/');
    let refusals = 0;
    target.setFaults(({ method, path }) =>
      isUpload(method, path) && ++refusals <= 8 ? { status: 503, headers: { 'retry-after': '0' } } : undefined,
    );
    expect(await report(false)).toMatchObject({ tagsCopied: 1 });
    expect(refusals).toBeGreaterThan(8);
  });

  it('images that are copied at once and share layers send each once', async () => {
    const shared = sampleImage();
    for (const tag of ['v1', 'v2', 'v3', 'v4']) {
      const labelled = sampleImage({ labels: { tag } });
      const document = JSON.parse(labelled.manifest.bytes.toString()) as { layers: unknown };
      document.layers = (JSON.parse(shared.manifest.bytes.toString()) as { layers: unknown }).layers;
      const manifest = blobOf(IMAGE, Buffer.from(JSON.stringify(document)));
      pushImage(source, 'team/app', { config: labelled.config, layers: shared.layers, manifest }, tag);
    }
    write(replicates('all'));
    expect(await report(false)).toMatchObject({ tagsCopied: 4, blobsSkipped: 6 });
    expect(target.asked.filter((one) => one.startsWith('PUT ') && one.includes('/uploads/'))).toHaveLength(6);
  });

  it('an immutable tag that the target has costs no request to the source', async () => {
    push('team/app', 'v1');
    push('team/app', 'edge');
    write(replicates('all', { source: { repositories: ['team/app'], tags: { immutable: ['^v'] } } }));
    await report(false);
    const before = source.asked.length;
    push('team/app', 'v1');
    const second = await report(false);
    expect(second).toMatchObject({ tagsCopied: 0, tagsSkipped: 2, errors: [] });
    expect(source.asked.slice(before).filter((one) => one.startsWith('HEAD '))).toEqual([
      'HEAD /v2/team/app/manifests/edge',
    ]);
  });

  it('chooses the latest among all tags, by version and by age', async () => {
    for (const tag of ['v1.9', 'v1.10', 'v1.11', 'dev']) push('team/app', tag);
    write(replicates('all', { source: { tags: { latest: { count: 2, by: 'semver' } } } }));
    expect(await report(false)).toMatchObject({ tagsCopied: 2, tagsUnmatched: 2 });
    expect(Object.keys(tagsOf('mirror/team/app')).sort()).toEqual(['v1.10', 'v1.11']);
    write(replicates('all', { source: { tags: { allow: ['^v'], latest: { count: 1, by: 'created' } } } }));
    const planned = await dryRun('-o', 'json');
    expect(JSON.parse(planned.stdout)).toMatchObject({ tags_copied: 1, tags_unmatched: 3 });
  });

  it('respects no_overwrite, and keeps what a tag named under a backup tag', async () => {
    const first = push('team/app', 'v1');
    write(replicates('all', { action: { backup_tag: '{tag}-before' } }));
    await report(false);
    const second = push('team/app', 'v1');
    expect((await report(false)).images[0]?.targets[0]).toMatchObject({ replaced: first.manifest.digest });
    const digests = { v1: second.manifest.digest, 'v1-before': first.manifest.digest };
    expect(tagsOf('mirror/team/app')).toEqual(digests);
    push('team/app', 'v1');
    write(replicates('all', { action: { no_overwrite: true } }));
    const kept = await report(false);
    expect(kept).toMatchObject({ tagsCopied: 0, tagsSkipped: 1, images: [{ targets: [{ outcome: 'kept' }] }] });
    expect(tagsOf('mirror/team/app')).toEqual(digests);
  });

  it('copies neither of two sources of one target', async () => {
    push('team/app', 'v1');
    push('team/web', 'v1');
    push('team/api', 'v1');
    write(
      replicates('two', { source: { repositories: ['team/app', 'team/web'] }, action: { target_repo: 'mirror/one' } }),
      replicates('api', { source: { repositories: ['team/api'] } }),
    );
    const { errors, tagsCopied } = await report(true);
    expect(tagsCopied).toBe(1);
    const cause = `${target.host}/mirror/one:v1 is the target of ${source.host}/team/app:v1 and ${source.host}/team/web:v1`;
    expect(errors.map(({ code, cause: found, policyId }) => [code, found, policyId])).toEqual([
      ['POLICY_CONFLICT', cause, 'two'],
      ['POLICY_CONFLICT', cause, 'two'],
    ]);
    expect(target.content.open('mirror/one').tags.size).toBe(0);
  });

  it('refuses a target that is the source', async () => {
    push('team/app', 'v1');
    write(replicates('all', { action: { target_registry: 'hub', target_repo: '{repository}' } }));
    const { errors } = await report(true);
    expect(errors).toEqual([
      expect.objectContaining({ code: 'POLICY_CONFLICT', cause: expect.stringContaining('other than the source') }),
    ]);
    expect((await dryRun()).stdout).toContain('/team/app:v1: failed: POLICY_CONFLICT: expected a target other');
  });

  it('a repository that is named and has no tags is an error; a pattern may fit none', async () => {
    write(
      replicates('typo', { source: { repositories: ['team/ap'] } }),
      replicates('later', { source: { repositories: ['later/*'] } }),
    );
    const { errors } = await report(true);
    expect(errors).toEqual([
      {
        source: `${source.host}/team/ap`,
        code: 'IMAGE_NOT_FOUND',
        cause: expect.stringContaining('does not exist, or has no tags'),
      },
    ]);
  });

  it('refuses policies of which none says where images come from', async () => {
    write(blocksUnscanned, { ...replicates('all'), source: undefined });
    const { code, stderr } = await dryRun();
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('Expected a policy that replicates') });
  });

  it('follows the mapping where no policy replicates', async () => {
    push('team/app', 'v1');
    write({ ...blocksUnscanned, conditions: [{ type: 'tag', operator: 'equals', value: 'v2' }] });
    const mapped = await report(false, {
      mapping: { [`${source.host}/team/*`]: `${target.host}/mapped/{repository.name}` },
    });
    expect(mapped).toMatchObject({ tagsCopied: 1, images: [{ targets: [{ policyId: null }] }] });
    expect(Object.keys(tagsOf('mapped/app'))).toEqual(['v1']);
  });

  it('with named policies only that one replicates, and what blocks still blocks', async () => {
    push('team/app', 'v1', { scan: 'passed' });
    push('team/app', 'v2');
    write(replicates('one'), replicates('other', { action: { target_repo: 'other' } }), blocksUnscanned);
    expect(await report(false, { only: ['one'] })).toMatchObject({ tagsCopied: 1, tagsBlocked: 1 });
    expect(target.content.open('other').tags.size).toBe(0);
  });

  it('a tag that moves during its copy is decided and copied again, both recorded', async () => {
    const first = push('team/app', 'v1');
    write(replicates('all', { source: { repositories: ['team/app'] } }));
    let second: SampleImage | undefined;
    target.setFaults(({ method, path }) => {
      if (second === undefined && method === 'PUT' && path.includes('/manifests/')) second = push('team/app', 'v1');
      return undefined;
    });
    const { images: done } = await report(false);
    const digests = [first.manifest.digest, second!.manifest.digest];
    expect(done).toMatchObject([{ status: 'copied', digests }]);
    expect(done[0]!.targets.map(({ outcome }) => outcome)).toEqual(['withheld', 'copied']);
    expect(tagsOf('mirror/team/app')).toEqual({ v1: second!.manifest.digest });
    const moves = target.asked.filter((one) => one === 'PUT /v2/mirror/team/app/manifests/v1');
    expect(moves).toHaveLength(1);
  });

  it('a failure of one image, repository or registry stops no other', async () => {
    const broken = push('team/app', 'v1');
    push('team/app', 'v2');
    write(
      replicates('all', { source: { repositories: ['team/app', 'team/none', 'team/down'] } }),
      replicates('unlisted', { source: { registry: 'mirror', repositories: ['**'] } }),
    );
    source.content.open('team/app').blobs.delete(broken.layers[0]!.digest);
    source.setFaults(({ path }) => (path.startsWith('/v2/team/down/') ? { status: 403 } : undefined));
    target.setFaults(({ path }) => (path.startsWith('/v2/_catalog') ? { status: 404 } : undefined));
    const { errors, ...totals } = await report(true);
    expect(totals).toMatchObject({ tagsCopied: 1 });
    expect(errors.map(({ source: of, code }) => [of, code]).sort()).toEqual(
      [
        [`${source.host}/team/down`, 'REGISTRY_UNAVAILABLE'],
        [`${source.host}/team/none`, 'IMAGE_NOT_FOUND'],
        [`${source.host}/team/app:v1`, 'ACTION_EXEC_ERROR'],
        [target.host, 'ACTION_EXEC_ERROR'],
      ].sort(),
    );
    const unlisted = errors.find(({ source: of }) => of === target.host);
    expect(unlisted?.cause).toContain('name them exactly, without patterns');
    const { stdout } = await dryRun();
    expect(stdout).toContain(`${source.host}/team/down: failed: REGISTRY_UNAVAILABLE: `);
    expect(Object.keys(tagsOf('mirror/team/app'))).toEqual(['v2']);
  });

  it('copies a signature that was added later under cosign’s tag', async () => {
    const { manifest } = push('team/app', 'v1');
    write(replicates('all'));
    await report(false);
    const tag = `${manifest.digest.replace(':', '-')}.sig`;
    const signature = push('team/app', tag);
    const { images: done } = await report(false);
    expect(done).toMatchObject([{ targets: [{ outcome: 'unchanged', referrers: [signature.manifest.digest] }] }]);
    expect(tagsOf('mirror/team/app')[tag]).toBe(signature.manifest.digest);
  });

  it('replicates only what a key signed, with signature', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(join(folder, 'policies', 'cosign.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
    const signed = push('team/app', 'v1');
    push('team/app', 'v2');
    const { digest } = signed.manifest;
    const critical = { identity: {}, image: { 'docker-manifest-digest': digest }, type: SIGNATURE };
    const payload = blobOf(SIMPLE_SIGNING, Buffer.from(JSON.stringify({ critical })));
    const annotations = { [SIGNATURE_ANNOTATION]: sign(null, payload.bytes, privateKey).toString('base64') };
    const { bytes: content, ...described } = payload;
    const fields = { schemaVersion: 2, mediaType: IMAGE, config: described, layers: [{ ...described, annotations }] };
    const manifest = blobOf(IMAGE, Buffer.from(JSON.stringify(fields)));
    const held = source.content.open('team/app');
    held.blobs.set(payload.digest, content);
    held.manifests.set(manifest.digest, manifest);
    held.tags.set(`${digest.replace(':', '-')}.sig`, manifest.digest);
    const signature = (enforce: string) => ({ signature: { key: { file: 'cosign.pub' }, enforce } });
    write(replicates('all', signature('enforce')));
    const enforced = await report(false);
    expect(enforced).toMatchObject({ tagsCopied: 1, tagsBlocked: 1 });
    expect(enforced.images.map(({ status }) => status)).toEqual(['copied', 'blocked']);
    expect(enforced.images[1]?.reason).toMatch(/^no signature was verified: sha256:\S+ has no signature$/);
    write(replicates('all', signature('warn')));
    const { stdout } = await dryRun();
    expect(stdout).toMatch(/team\/app:v2: warning of all: no signature was verified/);
    const name = `${source.host}/team/app:v2`;
    const args = ['images', 'evaluate', '--policies', 'policies', '--plain-http', source.host, name];
    const evaluated = await runCli(folder, [...args, '--registry', 'mirror=x.example']);
    expect(evaluated.stdout).toContain('warning of all: no signature was verified');
  });

  it('replicates into a registry of another make', async () => {
    const { manifest } = push('team/app', 'v1');
    write(replicates('all', { action: { target_registry: 'crane' } }));
    const { host, stop } = await startCraneRegistry(join(folder, 'registry.log'));
    try {
      const options = { registries: { crane: { host, plainHttp: true } } };
      expect(await report(false, options)).toMatchObject({ tagsCopied: 1 });
      expect(await report(false, options)).toMatchObject({ tagsCopied: 0, tagsSkipped: 1 });
      const answer = await fetch(`http://${host}/v2/mirror/team/app/manifests/v1`, { method: 'HEAD' });
      expect(answer.headers.get('docker-content-digest')).toBe(manifest.digest);
    } finally {
      await stop();
    }
  });
});
