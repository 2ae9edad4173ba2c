import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { Agent } from 'undici';
import { copyImage } from '../../../src/images/copying/copy-image';
import { copyReferrers } from '../../../src/images/copying/copy-referrers';
import { replicateImage } from '../../../src/images/copying/replicate-image';
import { HttpRegistry } from '../../../src/images/registries/http-registry';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { blobOf, IMAGE, sampleImage, type SampleBlob } from '../../support/oci-registry/sample-image';

describe('what refers to an image', () => {
  const dispatcher = new Agent();
  const servers: OciRegistry[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((one) => one.stop()));
  });
  afterAll(() => dispatcher.close());

  async function open(repository: string, referrers: boolean) {
    const server = await startOciRegistry({ referrers });
    servers.push(server);
    const findCredentials = () => Promise.resolve(undefined);
    const registry = new HttpRegistry({ registry: server.host, plainHttp: true, dispatcher, findCredentials });
    return { registry, repository, content: server.content.open(repository), server };
  }
  type Opened = Awaited<ReturnType<typeof open>>;

  const configOf = ({ bytes }: SampleBlob) =>
    (JSON.parse(bytes.toString()) as { config: { digest: string } }).config.digest;
  const describeBlob = ({ mediaType, digest, size }: SampleBlob) => ({ mediaType, digest, size });

  /** A manifest with one blob, that refers to `subject`. */
  async function refer(
    { registry, repository, content }: Opened,
    subject: SampleBlob,
    type: string,
  ): Promise<SampleBlob> {
    const blob = blobOf('application/octet-stream', Buffer.from(`${type} of ${subject.digest}`));
    content.blobs.set(blob.digest, blob.bytes);
    const fields = { schemaVersion: 2, mediaType: IMAGE, artifactType: type, config: describeBlob(blob), layers: [] };
    const made = blobOf(IMAGE, Buffer.from(JSON.stringify({ ...fields, subject: describeBlob(subject) })));
    const { tracksSubject } = await registry.putManifest(repository, made.digest, made);
    if (!tracksSubject) await addToTag({ registry, repository }, subject, made);
    return made;
  }

  async function addToTag(
    { registry, repository }: Pick<Opened, 'registry' | 'repository'>,
    subject: SampleBlob,
    made: SampleBlob,
  ) {
    const { referrers } = await registry.listReferrers(repository, subject.digest);
    const text = JSON.stringify({ schemaVersion: 2, manifests: [...referrers, describeBlob(made)] });
    const index = blobOf('application/vnd.oci.image.index.v1+json', Buffer.from(text));
    await registry.putManifest(repository, subject.digest.replace(':', '-'), index);
  }

  async function withImage(sourceApi: boolean, targetApi: boolean) {
    const source = await open('team/app', sourceApi);
    const target = await open('mirror/app', targetApi);
    const { config, layers, manifest } = sampleImage();
    for (const blob of [config, ...layers]) source.content.blobs.set(blob.digest, blob.bytes);
    source.content.manifests.set(manifest.digest, manifest);
    await copyImage({ source, target, digest: manifest.digest, tag: 'v1' });
    return { source, target, image: { ...manifest, size: manifest.bytes.length } };
  }

  const found = async ({ registry, repository }: Opened, digest: string) =>
    (await registry.listReferrers(repository, digest)).referrers.map((one) => one.digest).sort();

  it.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])('travels with it (API at the source: %s, at the target: %s)', async (sourceApi, targetApi) => {
    const { source, target, image } = await withImage(sourceApi, targetApi);
    const signature = await refer(source, image, 'application/x.signature');
    const ofSignature = await refer(source, signature, 'application/x.signature');
    const first = await copyReferrers(source, target, [image.digest]);
    expect(first).toEqual({ copied: [signature.digest, ofSignature.digest], present: [], absent: [] });
    expect(await found(target, image.digest)).toEqual([signature.digest]);
    expect(await found(target, signature.digest)).toEqual([ofSignature.digest]);

    const later = await refer(source, image, 'application/x.sbom');
    const second = await copyReferrers(source, target, [image.digest]);
    expect(second.copied).toEqual([later.digest]);
    expect(await found(target, image.digest)).toEqual([signature.digest, later.digest].sort());
  });

  it('is at the target before the tag is moved, and is found later if it was added later', async () => {
    const { source, target, image } = await withImage(true, true);
    const signature = await refer(source, image, 'application/x.signature');
    const there = { registry: target.registry, repository: 'mirror/other' };
    const request = { source, target: there, digest: image.digest, tag: 'v2' };
    const first = await replicateImage(request);
    expect(first).toMatchObject({ outcome: 'copied', referrers: { copied: [signature.digest] } });
    const puts = target.server.asked.filter((one) => one.startsWith('PUT /v2/mirror/other/manifests/'));
    expect(puts.map((one) => one.split('/').at(-1))).toEqual([image.digest, signature.digest, 'v2']);
    const later = await refer(source, image, 'application/x.sbom');
    expect((await replicateImage(request)).referrers.copied).toEqual([]);
    const second = await replicateImage({ ...request, referrersOfUnchanged: true });
    expect(second).toMatchObject({ outcome: 'unchanged', referrers: { copied: [later.digest] } });
  });

  it('costs one request for each repository without the API, and none for tags that are known to be missing', async () => {
    const { source, target, image } = await withImage(false, false);
    source.server.asked.length = 0;
    const children = [image.digest, sampleImage().manifest.digest];
    await copyReferrers(source, target, children, { mayHaveTag: () => false });
    expect(source.server.asked).toEqual([`GET /v2/team/app/referrers/${image.digest}`]);
    await copyReferrers(source, target, [image.digest]);
    const tags = ['', '.sig', '.att', '.sbom'].map((suffix) => `${image.digest.replace(':', '-')}${suffix}`);
    expect(
      source.server.asked
        .slice(1)
        .map((one) => one.split('/').at(-1))
        .sort(),
    ).toEqual(tags.sort());
  });

  it('a tag that moved at the source is not moved at the target', async () => {
    const { source, target, image } = await withImage(true, true);
    const request = { source, target, digest: image.digest, tag: 'v2', isStillNamed: () => Promise.resolve(false) };
    expect(await replicateImage(request)).toMatchObject({ outcome: 'withheld' });
    expect(target.content.tags.has('v2')).toBe(false);
  });

  it('the list that a target keeps under a tag is merged, never replaced', async () => {
    const { source, target, image } = await withImage(false, false);
    const own = await refer(target, image, 'application/x.scan-at-the-target');
    const signature = await refer(source, image, 'application/x.signature');
    await copyReferrers(source, target, [image.digest]);
    expect(await found(target, image.digest)).toEqual([own.digest, signature.digest].sort());
  });

  it.each([
    [
      'that is listed and was deleted',
      (source: Opened, one: SampleBlob) => source.content.manifests.delete(one.digest),
    ],
    ['without its blob', (source: Opened, one: SampleBlob) => source.content.blobs.delete(configOf(one))],
  ])('a referrer %s is an error, unless that is allowed', async (_what, lose) => {
    const { source, target, image } = await withImage(false, false);
    const [signature, lost] = [await refer(source, image, 'x/signature'), await refer(source, image, 'x/sbom')];
    lose(source, lost);
    const request = { source, target, digest: image.digest, tag: 'v2' };
    await expect(replicateImage(request)).rejects.toMatchObject({
      failure: 'refused',
      message: expect.stringMatching(/ lacks sha256:/),
    });
    expect(target.content.tags.has('v2')).toBe(false);
    const result = await replicateImage({ ...request, incomplete: 'copy' });
    expect(result.absent).toHaveLength(1);
    expect(result.absent).toEqual([source.content.manifests.has(lost.digest) ? configOf(lost) : lost.digest]);
    expect(await found(target, image.digest)).toContain(signature.digest);
    for (const digest of await found(target, image.digest)) expect(target.content.manifests.has(digest)).toBe(true);
  });

  it('signatures under cosign’s tags travel too, and again when they changed', async () => {
    const { source, target, image } = await withImage(true, true);
    const tag = `${image.digest.replace(':', '-')}.sig`;
    const sign = async (text: string) => {
      const blob = blobOf('application/vnd.dev.cosign.simplesigning.v1+json', Buffer.from(text));
      source.content.blobs.set(blob.digest, blob.bytes);
      const fields = { schemaVersion: 2, mediaType: IMAGE, config: describeBlob(blob), layers: [describeBlob(blob)] };
      const made = blobOf(IMAGE, Buffer.from(JSON.stringify(fields)));
      await source.registry.putManifest(source.repository, tag, made);
      return made.digest;
    };
    const first = await sign('one');
    expect((await copyReferrers(source, target, [image.digest])).copied).toEqual([first]);
    expect(await copyReferrers(source, target, [image.digest])).toEqual({ copied: [], present: [first], absent: [] });
    const second = await sign('one and another');
    await copyReferrers(source, target, [image.digest]);
    expect(target.content.tags.get(tag)).toBe(second);
  });
});
