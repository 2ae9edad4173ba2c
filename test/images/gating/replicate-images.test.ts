import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditRecord } from '../../../src/audit/audit-record';
import type { ActionContext, ReplicateImageAction } from '../../../src/gate/actions/action';
import type { RunOptions } from '../../../src/gate/actions/action-kind';
import { createImageReplication } from '../../../src/images/gating/replicate-images';
import { replicateImageAction } from '../../../src/images/gating/replicate-image-action';
import { openImages, type Images } from '../../../src/images/service/open-images';
import { loadSettings } from '../../../src/settings/load-settings';
import { digestOf } from '../../support/oci-registry/content';
import { startEcrEndpoint } from '../../support/ecr-endpoint';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { pushImage } from '../../support/oci-registry/push-image';
import { sampleImage } from '../../support/oci-registry/sample-image';
import { until } from '../../support/scripted-source';

const context: ActionContext = {
  deployment_id: 'fw',
  stage: 'mirror',
  stage_index: 0,
  attributes: { version: 'v1' },
  stage_attributes: {},
  decision_id: 'd-1',
};
const NEVER = new AbortController().signal;

describe('an image that a stage replicates', () => {
  let folder: string;
  let from: OciRegistry;
  let to: OciRegistry;
  let images: Images;
  let records: AuditRecord[];
  /** called before each record is kept */
  let onRecord: (record: AuditRecord) => void;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'replicate-'));
    [from, to] = [await startOciRegistry(), await startOciRegistry()];
    records = [];
    onRecord = () => undefined;
    await open();
  });
  afterEach(async () => {
    await images.close();
    await Promise.all([from.stop(), to.stop()]);
    rmSync(folder, { recursive: true });
  });

  async function open(policies?: string, createRepositories?: object): Promise<void> {
    if (policies !== undefined) writeFileSync(join(folder, 'policies.yaml'), policies);
    const settings = {
      registries: {
        source: { host: from.host, plainHttp: true },
        mirror: { host: to.host, plainHttp: true, createRepositories },
      },
      ...(policies === undefined ? {} : { policy: { enabled: true, configPath: 'policies.yaml' } }),
    };
    writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
    images = openImages(await loadSettings(join(folder, 'settings.json'), {}, '/'), { env: {} });
  }
  const actions = () =>
    createImageReplication({
      images,
      record: async (record) => {
        const known = records.find(({ decisionID }) => decisionID === record.decisionID);
        if (known !== undefined) return known as typeof record;
        onRecord(record);
        records.push(record);
        return record;
      },
      find: async (id) => records.find(({ decisionID }) => decisionID === id),
      nowMs: Date.now,
    });
  const spec = (over: Partial<ReplicateImageAction> = {}): ReplicateImageAction => ({
    type: 'replicate-image',
    source: 'source/team/app:{{ attributes.version }}',
    target: 'mirror/prod/app',
    ...over,
  });
  const run = (over: Partial<ReplicateImageAction> = {}, options: Partial<RunOptions> = {}, of = context) =>
    actions().run(spec(over), of, { idempotencyKey: 'fw/mirror', signal: NEVER, ...options });
  const tagAt = (registry: OciRegistry, repository: string, tag = 'v1') =>
    registry.content.open(repository).tags.get(tag);
  const push = (tag = 'v1') => {
    const image = sampleImage();
    pushImage(from, 'team/app', image, tag);
    return image.manifest.digest;
  };
  const ended = () => records.filter(({ kind }) => kind === 'acted').map(({ details }) => details?.outcome);

  it('is at the target under the tag, and recorded before anything was sent', async () => {
    const digest = push();
    let sentBefore = -1;
    onRecord = ({ kind }) => {
      if (kind === 'decision') sentBefore = to.asked.filter((asked) => !asked.startsWith('HEAD')).length;
    };
    const { summary } = await run();
    expect(tagAt(to, 'prod/app')).toBe(digest);
    expect(sentBefore).toBe(0);
    expect(summary).toBe(`${from.host}/team/app:v1 -> ${to.host}/prod/app:v1: copied 3 blobs (71.1 kB)`);
    expect(records).toMatchObject([
      {
        domain: 'images',
        kind: 'decision',
        outcome: 'allow',
        subject: `${from.host}/team/app`,
        part: 'v1',
        refersTo: 'd-1',
        details: { digest, targetDigest: digest, target: `${to.host}/prod/app:v1`, deployment: 'fw', stage: 'mirror' },
      },
      { kind: 'acted', refersTo: records[0]?.decisionID, details: { outcome: 'copied', targetDigest: digest } },
    ]);
  });

  it('goes to a repository of ECR that is created, once that is recorded', async () => {
    const ecr = await startEcrEndpoint();
    await to.stop();
    to = await startOciRegistry({ exists: () => Promise.resolve(ecr.asked.length > 0) });
    await images.close();
    await open(undefined, { provider: 'ecr', region: 'eu-west-1' });
    try {
      const digest = push();
      onRecord = ({ details }) => {
        if (details?.outcome === 'create-repository') expect(ecr.asked).toEqual([]);
      };
      await run();
      expect(tagAt(to, 'prod/app')).toBe(digest);
      expect([ended(), ecr.asked]).toEqual([['create-repository', 'copied'], ['CreateRepository']]);
    } finally {
      await ecr.stop();
    }
  });

  it('is the same one in every attempt under one decision, though the tag moves at the source', async () => {
    const digest = push();
    to.setFaults(({ method, path }) =>
      method === 'PUT' && path.includes('/manifests/v1') ? { status: 400, body: '' } : undefined,
    );
    await expect(run()).rejects.toMatchObject({ retryable: false, mayHaveBeenSent: true });
    to.setFaults(undefined);
    const moved = push();
    await run();
    expect(tagAt(to, 'prod/app')).toBe(digest);
    expect(ended()).toEqual(['failed', 'copied']);
    await run({}, {}, { ...context, decision_id: 'd-2' });
    expect(tagAt(to, 'prod/app')).toBe(moved);
  });

  it('is left alone by an attempt that follows one whose answer was lost', async () => {
    push();
    await run();
    const before = to.asked.length;
    expect((await run()).summary).toMatch(/: unchanged$/);
    expect(to.asked.slice(before).filter((asked) => !/^(?:HEAD|GET)/.test(asked))).toEqual([]);
  });

  it('is not sent before its record is durable', async () => {
    push();
    onRecord = () => {
      throw new Error('the store is out of reach');
    };
    await expect(run()).rejects.toMatchObject({ retryable: true, mayHaveBeenSent: false });
    expect(to.asked.filter((asked) => !asked.startsWith('HEAD'))).toEqual([]);
  });

  it.each<[string, Partial<ReplicateImageAction>, string]>([
    ['a source that the settings do not name', { source: 'other.example/app:v1' }, 'action.source to be one of'],
    ['a target that the settings do not name', { target: 'other.example/app:v1' }, 'action.target to be one of'],
    ['an image that does not exist', { source: 'source/team/app:v9' }, 'does not exist'],
    ['a target that is the source', { target: 'source/team/app:v1' }, 'expected another place than action.source'],
    ['a value that leaves its part', { source: 'source/team/{{ stage }}:{{ attributes.path }}' }, 'Unknown path'],
  ])('is refused for %s before anything is sent', async (_what, over, message) => {
    push();
    await expect(run(over)).rejects.toMatchObject({
      type: 'ActionFailed',
      message: expect.stringContaining(message),
      retryable: false,
      mayHaveBeenSent: false,
    });
    expect(to.asked).toEqual([]);
  });

  it('is refused if a policy in force blocks it, in the words of the policy', async () => {
    push();
    await images.close();
    await open(`
policies:
  - id: scanned
    name: Only scanned images
    conditions: [{ type: label, operator: not_exists, value: scan }]
    actions: [{ type: block, parameters: { reason: Missing security scan } }]
`);
    await expect(run()).rejects.toMatchObject({
      message: expect.stringContaining('replication blocked by policy: Missing security scan'),
      retryable: false,
      mayHaveBeenSent: false,
    });
    expect(tagAt(to, 'prod/app')).toBeUndefined();
  });

  it('is tried again while a registry is unavailable, and counts as unsent as no tag was about to move', async () => {
    push();
    to.setFaults(({ method }) =>
      method === 'POST' ? { status: 503, headers: { 'retry-after': '0' }, body: '' } : undefined,
    );
    await expect(run()).rejects.toMatchObject({ retryable: true, mayHaveBeenSent: false });
    expect(tagAt(to, 'prod/app')).toBeUndefined();
  });

  it('stops with the signal, and its tag does not move', async () => {
    push();
    to.setFaults(({ method }) => (method === 'PUT' ? { hang: true } : undefined));
    const controller = new AbortController();
    const failed = expect(run({}, { signal: controller.signal })).rejects.toMatchObject({ mayHaveBeenSent: false });
    await until(() => to.asked.some((asked) => asked.startsWith('PUT')));
    controller.abort();
    await failed;
    expect(tagAt(to, 'prod/app')).toBeUndefined();
  });

  it('does not take the tag of another image with noOverwrite', async () => {
    pushImage(to, 'prod/app', sampleImage(), 'v1');
    const before = tagAt(to, 'prod/app');
    push();
    await expect(run({ noOverwrite: true })).rejects.toMatchObject({ retryable: false, mayHaveBeenSent: false });
    expect(tagAt(to, 'prod/app')).toBe(before);
  });

  it('shows no value of the deployment where values are masked', async () => {
    push();
    const { summary } = await run({}, { hidesValues: true });
    expect(JSON.stringify([summary, records])).not.toContain('v1');
  });

  describe('when it is taken back', () => {
    const takeBack = (over: Partial<ReplicateImageAction> = {}) =>
      actions().compensate(spec({ compensate: true, ...over }), context, {
        idempotencyKey: 'fw/mirror/compensation',
        runKey: 'fw/mirror',
        signal: NEVER,
      });

    it('gives the tag back to the image that it named before, twice with the same result', async () => {
      pushImage(to, 'prod/app', sampleImage(), 'v1');
      const before = tagAt(to, 'prod/app')!;
      push();
      await run();
      expect((await takeBack()).summary).toBe(`${to.host}/prod/app:v1: moved back to ${before}`);
      expect(tagAt(to, 'prod/app')).toBe(before);
      expect((await takeBack()).summary).toBe(`${to.host}/prod/app:v1: names ${before}`);
      expect(ended()).toEqual(['copied', 'moved-back']);
    });

    it('leaves a tag that someone moved since', async () => {
      pushImage(to, 'prod/app', sampleImage(), 'v1');
      push();
      await run();
      pushImage(to, 'prod/app', sampleImage(), 'v1');
      const now = tagAt(to, 'prod/app');
      expect((await takeBack()).summary).toContain('names another image by now, and stays');
      expect(tagAt(to, 'prod/app')).toBe(now);
    });

    it('leaves a tag that is new', async () => {
      const digest = push();
      await run();
      expect((await takeBack()).summary).toContain('it named nothing before, and stays');
      expect(tagAt(to, 'prod/app')).toBe(digest);
    });

    it('does nothing unless the action says compensate: true', async () => {
      expect(await takeBack({ compensate: false })).toEqual({ summary: 'no compensation is defined' });
    });
  });
});

describe('what is wrong with an action of type replicate-image', () => {
  const faults = (over: Partial<ReplicateImageAction>) =>
    replicateImageAction
      .check({ type: 'replicate-image', source: 'a.example/app:v1', target: 'b.example/app', ...over }, context)
      .map(({ where, message }) => `${where} ${message}`);

  it.each<[string, Partial<ReplicateImageAction>, string]>([
    ['no tag and no digest', { source: 'a.example/app' }, 'expected a tag or a digest'],
    ['no registry', { source: 'app:v1' }, 'expected REGISTRY/REPOSITORY:TAG'],
    ['a template as the registry', { target: '{{ attributes.version }}/app' }, 'without templates'],
    ['a digest at the target', { target: `b.example/app@${digestOf(Buffer.from('x'))}` }, 'expected no digest'],
    ['an absent attribute', { source: 'a.example/app:{{ attributes.tag }}' }, 'Unknown path attributes.tag'],
    ['a tag that is none', { target: 'b.example/app:{{ deployment_id }}/x' }, 'expected a tag after the colon'],
    ['a backup tag that is none', { backupTag: 'a b' }, 'expected a tag'],
    ['a backup tag that is the tag', { backupTag: 'v1' }, "expected another tag than the target's"],
    ['a platform that is none', { platforms: ['arm64'] }, 'expected a platform such as linux/arm64'],
    ['no time', { timeout: '0s' }, 'expected a time longer than 0'],
    ['the source as the target', { target: 'a.example/app' }, 'expected another place'],
  ])('%s is said before anything runs', (_what, over, sentence) => {
    expect(faults(over)).toEqual([expect.stringContaining(sentence)]);
  });

  it('is nothing for references with templates behind their registries', () => {
    expect(faults({ source: 'a.example/{{ stage }}:{{ attributes.version }}', target: 'localhost:5000/app' })).toEqual(
      [],
    );
  });
});
