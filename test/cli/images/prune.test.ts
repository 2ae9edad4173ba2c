import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditRecord } from '../../../src/audit/audit-record';
import { openImages } from '../../../src/images/service/open-images';
import { createSyncJournal } from '../../../src/images/sync/audit-journal';
import { runSync, type SyncReport } from '../../../src/images/sync/run-sync';
import { freePorts } from '../../../src/dev/free-ports';
import { loadSettings } from '../../../src/settings/load-settings';
import { startCraneRegistry } from '../../support/crane-registry';
import { eventually } from '../../support/eventually';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { pushImage } from '../../support/oci-registry/push-image';
import { blobOf, IMAGE, sampleImage } from '../../support/oci-registry/sample-image';
import { runCli } from '../run-cli';

/** Of Debian's package of that name. */
const DOCKER_REGISTRY = 'docker-registry';
const INDEX = 'application/vnd.oci.image.index.v1+json';

describe('prune', () => {
  let folder: string;
  let source: OciRegistry;
  let target: OciRegistry;
  let records: AuditRecord[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-images-prune-'));
    mkdirSync(join(folder, 'policies'));
    records = [];
    [source, target] = await Promise.all([startOciRegistry(), startOciRegistry()]);
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await Promise.all([source.stop(), target.stop()]);
  });

  const policy = (id: string, action: object, over: { source?: object; [key: string]: unknown } = {}) => ({
    id,
    name: id,
    ...over,
    source: { registry: 'hub', repositories: ['team/app'], ...over.source },
    actions: [{ type: 'replicate', target_registry: 'mirror', target_repo: 'mirror/{repository.name}', ...action }],
  });
  const mirrors = (action: object = {}, source: object = {}) =>
    policy('all', { prune: 'mirror', ...action }, { source });

  /** A settings file over policies; the target may be another registry than the stand-in. */
  function settle(policies: object[], host = target.host): string {
    writeFileSync(join(folder, 'policies', 'a.json'), JSON.stringify(policies));
    const file = join(folder, 'settings.json');
    const registries = {
      hub: { host: source.host, plainHttp: true },
      mirror: { host, plainHttp: true },
    };
    writeFileSync(file, JSON.stringify({ policy: { enabled: true, configPath: 'policies' }, registries }));
    return file;
  }

  /** A sync as a worker does it, without Temporal, with its records. */
  async function sync(policies: object[], options: { only?: string[]; host?: string } = {}): Promise<SyncReport> {
    const images = openImages(await loadSettings(settle(policies, options.host), {}, folder), { env: {} });
    try {
      const context = await images.context(options.only);
      const journal = createSyncJournal({
        record: async (record) => records.push(record),
        ...{ sync: 's', workflowId: 'w', actor: 'ann', revision: context.revision, isRepeated: false },
        nowMs: Date.now,
      });
      return await runSync(context, { journal });
    } finally {
      await images.close();
    }
  }
  const pushTo = (registry: OciRegistry, repository: string, ...tags: string[]) => {
    const image = sampleImage();
    for (const tag of tags) pushImage(registry, repository, image, tag);
    return image;
  };
  const tagsAt = (repository: string) => [...target.content.open(repository).tags.keys()].sort();
  const deletes = () => target.asked.filter((one) => one.startsWith('DELETE '));

  it('deletes what the source no longer has, each recorded before it is done', async () => {
    pushTo(source, 'team/app', 'v2');
    const gone = pushTo(target, 'mirror/app', 'v1');
    const { pruned, totals } = await sync([mirrors()]);
    expect(totals).toMatchObject({ tagsCopied: 1, errors: 0 });
    const name = `${target.host}/mirror/app:v1`;
    const digest = gone.manifest.digest;
    expect(pruned).toEqual({ tags: [{ target: name, policyId: 'all', digest, outcome: 'deleted' }], left: [] });
    expect(tagsAt('mirror/app')).toEqual(['v2']);
    const told = records.filter(({ details }) => details?.outcome === 'prune' || details?.outcome === 'deleted');
    expect(told.map(({ kind, outcome, actor, details }) => [kind, outcome, actor, details])).toEqual([
      ['decision', 'allow', 'ann', { sync: 's', digest, policies: ['all'], outcome: 'prune' }],
      ['acted', undefined, 'ann', { sync: 's', digest, policies: ['all'], outcome: 'deleted' }],
    ]);
    expect(told[1]?.refersTo).toBe(told[0]?.decisionID);
    expect(told[0]).toMatchObject({ subject: `${target.host}/mirror/app`, part: 'v1' });
  });

  it('keeps signatures and other referrers, and backups', async () => {
    const kept = pushTo(source, 'team/app', 'v2');
    const signature = `${kept.manifest.digest.replace(':', '-')}.sig`;
    pushTo(source, 'team/app', signature);
    pushTo(target, 'mirror/app', 'v1', 'v1-before', `sha256-${'0'.repeat(64)}`);
    await sync([mirrors({ backup_tag: '{tag}-before' })]);
    expect(tagsAt('mirror/app')).toEqual([`sha256-${'0'.repeat(64)}`, signature, 'v1-before', 'v2'].sort());
  });

  describe('of a signed image', () => {
    const tagOf = (digest: string, suffix = '') => `${digest.replace(':', '-')}${suffix}`;
    const atTarget = () => target.content.open('mirror/app');
    const sign = (digest: string, suffix: string) =>
      pushTo(target, 'mirror/app', tagOf(digest, suffix)).manifest.digest;
    function pushIndex(tag: string, ...digests: string[]): string {
      const manifests = digests.map((digest) => ({ mediaType: IMAGE, digest, size: 1 }));
      const { bytes, ...index } = blobOf(
        INDEX,
        Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests })),
      );
      atTarget().manifests.set(index.digest, { ...index, bytes });
      atTarget().tags.set(tag, index.digest);
      return index.digest;
    }

    it('deletes signatures and the list of referrers with it, recorded and beyond maxDeletes', async () => {
      pushTo(source, 'team/app', 'v2');
      const { digest } = pushTo(target, 'mirror/app', 'v1').manifest;
      const signature = sign(digest, '.sig');
      for (const suffix of ['.att', '.sbom']) sign(digest, suffix);
      sign(signature, '.sig');
      pushIndex(tagOf(digest), sign(`sha256:${'1'.repeat(64)}`, '.sig'));
      const dry = await runCli(folder, ['images', 'sync', '--dry-run', '--settings', settle([mirrors()])]);
      expect(dry.stdout).toContain('0 unmatched, 6 to delete, 0 errors');
      const { pruned, totals } = await sync([mirrors({ maxDeletes: 1 })]);
      expect(pruned.tags.map(({ outcome }) => outcome)).toEqual(Array(6).fill('deleted'));
      expect(pruned.tags[0]?.target).toMatch(/:v1$/);
      expect(totals.errors).toBe(0);
      expect(tagsAt('mirror/app')).toEqual([`sha256-${'1'.repeat(64)}.sig`, 'v2']);
      const reasons = records.flatMap(({ reason, details }) => (details?.outcome === 'prune' ? [reason] : []));
      expect(reasons[0]).toContain('no image of the sources of all goes to the tag');
      expect(reasons.slice(1)).toEqual(
        Array(5).fill('the tag belongs to an image that was deleted: it is deleted, too'),
      );
    });

    it('deletes those of the images in an index, but not of one that another index holds', async () => {
      pushTo(source, 'team/app', 'v2');
      const [own, shared] = [0, 1].map(() => {
        const image = sampleImage();
        pushImage(target, 'mirror/app', image);
        return image.manifest.digest;
      }) as [string, string];
      for (const digest of [own, shared]) sign(digest, '.sig');
      pushIndex('v1', own, shared);
      pushIndex('v1-before', shared);
      await sync([mirrors({ backup_tag: '{tag}-before' })]);
      expect(tagsAt('mirror/app')).toEqual([tagOf(shared, '.sig'), 'v1-before', 'v2'].sort());
    });

    it('keeps them while another tag names it, and deletes them with the last one', async () => {
      pushTo(source, 'team/app', 'v3');
      const { digest } = pushTo(target, 'mirror/app', 'v1', 'v2', 'v1-before').manifest;
      const signature = sign(digest, '.sig');
      sign(signature, '.sig');
      const policies = [mirrors({ backup_tag: '{tag}-before' })];
      const signatures = [tagOf(digest, '.sig'), tagOf(signature, '.sig')];
      await sync(policies);
      expect(tagsAt('mirror/app')).toEqual([...signatures, 'v1-before', 'v3'].sort());
      const { pruned } = await sync([mirrors()]);
      expect(pruned.tags).toHaveLength(3);
      expect(tagsAt('mirror/app')).toEqual(['v3']);
    });

    it('keeps them if it could not be deleted', async () => {
      pushTo(source, 'team/app', 'v2');
      const { digest } = pushTo(target, 'mirror/app', 'v1').manifest;
      sign(digest, '.sig');
      target.setFaults(({ method, path }) =>
        method === 'DELETE' && /v1$|sha256:/.test(path) ? { status: 405 } : undefined,
      );
      const { pruned } = await sync([mirrors()]);
      expect(pruned.tags.map(({ outcome }) => outcome)).toEqual(['failed', 'kept']);
      expect(tagsAt('mirror/app')).toEqual([tagOf(digest, '.sig'), 'v1', 'v2'].sort());
    });

    it('asks for no tag that stays where it has none', async () => {
      pushTo(source, 'team/app', 'v2');
      await sync([mirrors()]);
      pushTo(target, 'mirror/app', 'v1', `sha256-${'0'.repeat(64)}.sig`);
      target.asked.length = 0;
      await sync([mirrors()]);
      expect(target.asked.filter((one) => one === 'HEAD /v2/mirror/app/manifests/v2')).toHaveLength(1);
      expect(target.asked.filter((one) => one.startsWith('GET /v2/mirror/app/manifests'))).toEqual([]);
    });
  });

  it.each([['none'], [undefined]])('does nothing with prune: %s', async (prune) => {
    pushTo(source, 'team/app', 'v2');
    pushTo(target, 'mirror/app', 'v1');
    const { pruned } = await sync([policy('all', prune === undefined ? {} : { prune })]);
    expect(pruned).toEqual({ tags: [], left: [] });
    expect(tagsAt('mirror/app')).toEqual(['v1', 'v2']);
  });

  it('lists with prune: dry-run, and in a dry run, and deletes nothing', async () => {
    pushTo(source, 'team/app', 'v2');
    const gone = pushTo(target, 'mirror/app', 'v1');
    const line = `${target.host}/mirror/app:v1 (all): would delete ${gone.manifest.digest}`;
    expect((await sync([policy('all', { prune: 'dry-run' })])).pruned.tags).toMatchObject([{ outcome: 'listed' }]);
    for (const prune of ['dry-run', 'mirror']) {
      const args = ['images', 'sync', '--dry-run', '--settings', settle([policy('all', { prune })])];
      const { code, stdout } = await runCli(folder, args);
      expect(code).toBe(0);
      expect(stdout).toContain(line);
      expect(stdout).toContain('0 unmatched, 1 to delete, 0 errors');
      const json = await runCli(folder, [...args, '-o', 'json']);
      expect(JSON.parse(json.stdout)).toMatchObject({ pruned: { tags: [{ outcome: 'listed' }], left: [] } });
    }
    expect([tagsAt('mirror/app'), deletes()]).toEqual([['v1', 'v2'], []]);
  });

  it('deletes none at all if there are more than maxDeletes', async () => {
    pushTo(source, 'team/app', 'v9');
    for (const tag of ['v1', 'v2', 'v3']) pushTo(target, 'mirror/app', tag);
    const { pruned, totals } = await sync([mirrors({ maxDeletes: 2 })]);
    expect(pruned.tags).toEqual([]);
    expect(pruned.left).toEqual([
      expect.objectContaining({
        error: expect.objectContaining({ cause: 'nothing is pruned: 3 tags would be deleted, and maxDeletes is 2' }),
      }),
    ]);
    expect([totals.errors, deletes()]).toEqual([1, []]);
    expect((await sync([mirrors({ maxDeletes: 3 })])).pruned.tags).toHaveLength(3);
  });

  it('deletes at most ten where the policy does not say', async () => {
    pushTo(source, 'team/app', 'v99');
    pushTo(target, 'mirror/app', ...Array.from({ length: 11 }, (_, index) => `v${index}`));
    const { pruned } = await sync([mirrors()]);
    expect(pruned.left[0]?.error.cause).toContain('11 tags would be deleted, and maxDeletes is 10');
    expect(deletes()).toEqual([]);
  });

  it.each([
    ['a list of tags fails', '/v2/team/web/tags/list', { status: 403 }],
    ['a list of tags is cut off', '/v2/team/web/tags/list', { status: 200, body: '{"tags":["v' }],
    [
      'the second page of a list fails',
      '/v2/team/web/tags/list',
      { status: 200, body: '{"tags":["v2"]}', headers: { link: '</v2/team/web/none/list>; rel="next"' } },
    ],
    ['the list of repositories fails', '/v2/_catalog', { status: 403 }],
  ])(
    'deletes nothing anywhere when %s',
    async (_what, path, fault) => {
      pushTo(source, 'team/app', 'v2');
      pushTo(source, 'team/web', 'v2');
      pushTo(target, 'mirror/app', 'v1');
      source.setFaults((asked) => (asked.path.startsWith(path) ? fault : undefined));
      const { pruned } = await sync([mirrors({}, { repositories: ['team/app', 'team/*', 'team/web'] })]);
      expect(pruned.tags).toEqual([]);
      expect(pruned.left[0]?.error.cause).toMatch(/^nothing is pruned, as .* could not be listed completely: /);
      expect([tagsAt('mirror/app').includes('v1'), deletes()]).toEqual([true, []]);
    },
    60_000,
  );

  it('keeps the tags of a source that has none: it may be out of sight', async () => {
    pushTo(target, 'mirror/app', 'v1');
    const { pruned } = await sync([mirrors()]);
    expect(pruned.left[0]?.error.cause).toMatch(/is not pruned, as its source \S+team\/app has no tags$/);
    expect(deletes()).toEqual([]);
  });

  it('keeps what another policy or the mapping brings, also one that does not replicate now', async () => {
    pushTo(source, 'team/app', 'v2');
    pushTo(source, 'other/app', 'o1', 'o2');
    pushTo(target, 'mirror/app', 'o1', 'x1');
    const others = policy('others', {}, { enabled: false, source: { repositories: ['other/app'] } });
    await sync([mirrors(), others]);
    expect(tagsAt('mirror/app')).toEqual(['o1', 'v2']);
    pushTo(target, 'mirror/app', 'x2');
    await sync([mirrors(), { ...others, enabled: true }], { only: ['all'] });
    expect(tagsAt('mirror/app')).toEqual(['o1', 'v2']);
  });

  it('keeps what a block keeps from being copied again, and deletes what latest leaves out', async () => {
    for (const tag of ['v1.0', 'v1.1', 'v1.2']) pushTo(source, 'team/app', tag);
    pushTo(target, 'mirror/app', 'v1.0', 'v1.1');
    const blocks = {
      id: 'b',
      name: 'b',
      conditions: [{ type: 'tag', operator: 'equals', value: 'v1.1' }],
      actions: [{ type: 'block' }],
    };
    await sync([mirrors({}, { tags: { latest: { count: 2, by: 'semver' } } }), blocks]);
    expect(tagsAt('mirror/app')).toEqual(['v1.1', 'v1.2']);
  });

  it('deletes nothing where the age of an image decides and cannot be read', async () => {
    const image = pushTo(source, 'team/app', 'v1');
    pushTo(target, 'mirror/app', 'x');
    source.content.open('team/app').blobs.set(image.config.digest, Buffer.from('{}'));
    source.setFaults(({ path }) => (path.endsWith(image.config.digest) ? { status: 404 } : undefined));
    const { pruned } = await sync([mirrors({}, { tags: { latest: { count: 1, by: 'created' } } })]);
    expect(pruned.left[0]?.error.cause).toContain('its age could not be read');
    expect(tagsAt('mirror/app')).toContain('x');
  });

  it('never prunes a repository that is a source too, or where names need more than the source tells', async () => {
    pushTo(source, 'team/app', 'v1');
    pushTo(source, 'team/app', 'v2');
    const own = mirrors({ target_registry: 'hub', target_repo: '{repository}', target_tag: 'copy-{tag}' });
    expect((await sync([own])).pruned.left[0]?.error.cause).toContain('is a source too');
    expect([...source.content.open('team/app').tags.keys()]).toContain('v1');
    pushTo(target, 'mirror/app', 'x');
    const labelled = policy('labelled', { target_tag: '{label:version}' });
    expect((await sync([mirrors(), labelled])).pruned.left[0]?.error.cause).toContain('does not tell where in');
    expect(tagsAt('mirror/app')).toContain('x');
  });

  it('a tag that moved since the plan stays, and one that cannot be deleted is an error', async () => {
    pushTo(source, 'team/app', 'v9');
    pushTo(target, 'mirror/app', 'v1');
    let heads = 0;
    target.setFaults(({ method, path }) => {
      if (method === 'HEAD' && path.endsWith('/mirror/app/manifests/v1') && ++heads === 2)
        pushTo(target, 'mirror/app', 'v1');
      return undefined;
    });
    expect((await sync([mirrors()])).pruned.tags).toMatchObject([{ outcome: 'moved' }]);
    expect(tagsAt('mirror/app')).toContain('v1');
    target.setFaults(({ method }) => (method === 'DELETE' ? { status: 405 } : undefined));
    const { pruned, totals } = await sync([mirrors()]);
    expect(pruned.tags).toMatchObject([{ outcome: 'failed', error: { code: 'ACTION_EXEC_ERROR', policyId: 'all' } }]);
    expect(totals.errors).toBe(1);
    expect(records.at(-1)).toMatchObject({ kind: 'acted', details: { outcome: 'failed' } });
  });

  describe('at a registry that deletes no tags alone', () => {
    const noTags = ({ method, path }: { method: string; path: string }) =>
      method === 'DELETE' && !path.includes('sha256:') ? { status: 400 } : undefined;

    it('deletes the image by its digest', async () => {
      pushTo(source, 'team/app', 'v9');
      const { manifest } = pushTo(target, 'mirror/app', 'v1');
      target.setFaults(noTags);
      expect((await sync([mirrors()])).pruned.tags).toMatchObject([{ outcome: 'deleted' }]);
      expect(tagsAt('mirror/app')).toEqual(['v9']);
      expect(target.content.open('mirror/app').manifests.has(manifest.digest)).toBe(false);
    });

    it('deletes an image once with all its tags, each recorded before', async () => {
      pushTo(source, 'team/app', 'v9');
      const { manifest } = pushTo(target, 'mirror/app', 'v1');
      target.content.open('mirror/app').tags.set('v2', manifest.digest);
      const before: AuditRecord[] = [];
      target.setFaults(({ method, path }) => {
        if (method === 'DELETE' && path.includes('sha256:')) before.push(...records);
        return noTags({ method, path });
      });
      const { pruned } = await sync([mirrors()]);
      expect(pruned.tags).toMatchObject([{ outcome: 'deleted' }, { outcome: 'deleted' }]);
      expect(before.slice(-2)).toMatchObject(['v1', 'v2'].map((part) => ({ kind: 'decision', part })));
      expect(tagsAt('mirror/app')).toEqual(['v9']);
    });

    it.each([
      [
        'another tag names',
        (digest: string, held: OciRegistry['content']) => held.open('mirror/app').tags.set('v9', digest),
        'v9 names it too',
      ],
      [
        'an index that stays holds',
        (digest: string, held: OciRegistry['content']) => {
          const manifests = [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 1 }];
          const { bytes, ...index } = blobOf(
            INDEX,
            Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests })),
          );
          held.open('mirror/app').manifests.set(index.digest, { ...index, bytes });
          held.open('mirror/app').tags.set('v9', index.digest);
        },
        'v9 holds it',
      ],
    ])('keeps one that %s', async (_what, prepare, why) => {
      pushTo(source, 'team/app', 'v9');
      const { manifest } = pushTo(target, 'mirror/app', 'v1');
      prepare(manifest.digest, target.content);
      target.setFaults(noTags);
      const { pruned } = await sync([mirrors({ no_overwrite: true })]);
      expect(pruned.tags).toMatchObject([{ outcome: 'failed', error: { cause: expect.stringContaining(why) } }]);
      expect(target.content.open('mirror/app').manifests.has(manifest.digest)).toBe(true);
    });
  });

  it('prunes crane’s registry by tag, and Docker’s by digest', async () => {
    const crane = await startCraneRegistry(join(folder, 'crane.log'));
    const docker = await startDockerRegistry();
    try {
      for (const host of [crane.host, ...(docker === undefined ? [] : [docker.host])]) {
        const { digest } = pushTo(source, 'team/app', 'v1').manifest;
        pushTo(source, 'team/app', 'v2');
        pushTo(source, 'team/app', `${digest.replace(':', '-')}.sig`);
        await sync([mirrors()], { host });
        source.content.open('team/app').tags.delete('v1');
        const { pruned } = await sync([mirrors()], { host });
        const target = `${host}/mirror/app:v1`;
        expect(pruned.tags).toMatchObject([{ target, outcome: 'deleted' }, { outcome: 'deleted' }]);
        const listed = await (await fetch(`http://${host}/v2/mirror/app/tags/list`)).json();
        expect(listed).toMatchObject({ tags: ['v2'] });
      }
    } finally {
      await Promise.all([crane.stop(), docker?.stop()]);
    }
  }, 60_000);

  /** Debian's docker-registry, where it is installed. */
  async function startDockerRegistry(): Promise<{ host: string; stop(): Promise<void> } | undefined> {
    try {
      execFileSync(DOCKER_REGISTRY, ['--version']);
    } catch {
      return undefined;
    }
    const [port] = await freePorts(1);
    const host = `127.0.0.1:${port}`;
    const config = join(folder, 'registry.yml');
    const storage = { filesystem: { rootdirectory: join(folder, 'registry') }, delete: { enabled: true } };
    writeFileSync(config, JSON.stringify({ version: 0.1, storage, http: { addr: host } }));
    const child = spawn(DOCKER_REGISTRY, ['serve', config], { stdio: 'ignore' });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await eventually('the registry', () =>
      fetch(`http://${host}/v2/`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    return {
      host,
      stop: () => {
        child.kill();
        return ended;
      },
    };
  }

  it.each([
    [{ target_tag: '{digest}' }, 'expected no {digest} with prune'],
    [{ target_repo: 'x/{tag}' }, 'expected no {tag} with prune'],
    [{ prune: 'none', maxDeletes: 1 }, 'expected prune: dry-run or mirror beside it'],
    [{ maxDeletes: 0 }, 'maxDeletes'],
    [{ maxDeletes: 1_001 }, 'maxDeletes'],
    [{ prune: 'all' }, 'prune'],
  ])('refuses %j', async (action, sentence) => {
    const { code, stderr } = await runCli(folder, [
      'images',
      'sync',
      '--dry-run',
      '--settings',
      settle([mirrors(action)]),
    ]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)]);
  });
});
