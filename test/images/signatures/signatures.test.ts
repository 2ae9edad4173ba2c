import { execFile } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Agent } from 'undici';
import { HttpRegistry } from '../../../src/images/registries/http-registry';
import { checkSignatures } from '../../../src/images/metadata/check-signatures';
import { readPublicKey, type PublicKey } from '../../../src/images/signatures/public-key';
import { FIRST_BUILD_MS } from '../../support/cached-program';
import { canHaveGoProgram, findGoProgram, hasGoProgram, type GoProgram } from '../../support/go-program';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { blobOf, IMAGE, sampleImage, type SampleBlob } from '../../support/oci-registry/sample-image';

const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const SIMPLE = 'application/vnd.dev.cosign.simplesigning.v1+json';

const KEYS = {
  'ECDSA P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RSA: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  Ed25519: () => generateKeyPairSync('ed25519'),
};

const signWith = (key: KeyObject, content: Buffer): string =>
  sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', content, key).toString('base64');

const asKey = (key: KeyObject): PublicKey => {
  const read = readPublicKey(key.export({ type: 'spki', format: 'pem' }).toString());
  if (typeof read === 'string') throw new Error(read);
  return read;
};

const COSIGN: GoProgram = {
  name: 'cosign',
  version: 'v3.1.3',
  package: 'github.com/sigstore/cosign/v3/cmd/cosign',
  module: 'github.com/sigstore/cosign/v3',
  sum: 'h1:001JQRI/PJ/5T+g/kJ1KTvKFbb322+fomc+pHDZ/6sg=',
};
// Its build takes eight minutes and more of two cores: too long beside all other tests.
const mayBuild = process.env.GATE_TEST_COSIGN === '1' && canHaveGoProgram(COSIGN);
const withCosign = hasGoProgram(COSIGN) || mayBuild ? describe : describe.skip;

describe('signatures of images', () => {
  const dispatcher = new Agent();
  let server: OciRegistry;
  let registry: HttpRegistry;
  let image: SampleBlob;
  let repository: string;
  let count = 0;

  beforeAll(async () => {
    server = await startOciRegistry();
    const findCredentials = () => Promise.resolve(undefined);
    registry = new HttpRegistry({ registry: server.host, plainHttp: true, dispatcher, findCredentials, attempts: 1 });
  });
  afterAll(async () => {
    await dispatcher.close();
    await server.stop();
  });
  beforeEach(() => {
    repository = `team/app-${++count}`;
    const { manifest } = sampleImage();
    image = { ...manifest, size: manifest.bytes.length };
    server.content.open(repository).manifests.set(image.digest, image);
    server.setFaults(undefined);
  });

  const describeBlob = ({ mediaType, digest, size }: SampleBlob) => ({ mediaType, digest, size });

  async function push(layer: SampleBlob & { annotations?: object }, reference: string | undefined, more: object = {}) {
    server.content.open(repository).blobs.set(layer.digest, layer.bytes);
    const layers = [{ ...describeBlob(layer), annotations: layer.annotations }];
    const config = describeBlob(blobOf('application/vnd.oci.empty.v1+json', Buffer.from('{}')));
    const made = blobOf(
      IMAGE,
      Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: IMAGE, config, layers, ...more })),
    );
    await registry.putManifest(repository, reference ?? made.digest, made);
  }

  /** As cosign 2 signs. */
  async function signSimply(
    key: KeyObject,
    over: { digest?: string; type?: string; signature?: string } = {},
  ): Promise<void> {
    const { digest = image.digest, type = 'cosign container image signature' } = over;
    const critical = { identity: { 'docker-reference': '' }, image: { 'docker-manifest-digest': digest }, type };
    const payload = blobOf(SIMPLE, Buffer.from(JSON.stringify({ critical, optional: null })));
    const signature = over.signature ?? signWith(key, payload.bytes);
    const annotations = { 'dev.cosignproject.cosign/signature': signature };
    await push({ ...payload, annotations }, `${image.digest.replace(':', '-')}.sig`);
  }

  /** As cosign 3 signs. */
  async function signInBundle(
    key: KeyObject,
    over: { digest?: string; payloadType?: string; statement?: object } = {},
  ) {
    const [algorithm, hex] = (over.digest ?? image.digest).split(':') as [string, string];
    const statement = over.statement ?? {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: '', digest: { [algorithm]: hex } }],
      predicateType: 'https://sigstore.dev/cosign/sign/v1',
      predicate: {},
    };
    const { payloadType = 'application/vnd.in-toto+json' } = over;
    const content = Buffer.from(JSON.stringify(statement));
    const signed = Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${content.length} ${content.toString()}`);
    const envelope = { payload: content.toString('base64'), payloadType, signatures: [{ sig: signWith(key, signed) }] };
    const bundle = { mediaType: BUNDLE, verificationMaterial: { publicKey: { hint: 'x' } }, dsseEnvelope: envelope };
    const subject = describeBlob(image);
    await push(blobOf(BUNDLE, Buffer.from(JSON.stringify(bundle))), undefined, { artifactType: BUNDLE, subject });
  }

  const check = (key: KeyObject) => checkSignatures({ registry, repository }, image.digest, asKey(key));

  describe.each(Object.entries(KEYS))('by a key of %s', (_name, generate) => {
    const { privateKey, publicKey } = generate();
    const other = generate();

    it.each([
      ['simple signing', signSimply],
      ['a bundle', signInBundle],
    ])('%s is verified, and by no other key', async (_form, signIt) => {
      await signIt(privateKey);
      expect(await check(publicKey)).toEqual({ verified: true, reasons: [] });
      const refused = await check(other.publicKey);
      expect(refused).toMatchObject({ verified: false, reasons: [expect.stringMatching(/is of another key/)] });
    });

    it.each([
      ['simple signing', signSimply, /is about sha256:0{64}/],
      ['a bundle', signInBundle, /is about another digest/],
    ])('%s of another image does not count', async (_form, signIt, reason) => {
      await signIt(privateKey, { digest: `sha256:${'0'.repeat(64)}` });
      expect(await check(publicKey)).toMatchObject({ verified: false, reasons: [expect.stringMatching(reason)] });
    });
  });

  withCosign('beside those of cosign 3.1.3', () => {
    let program: string;
    let folder: string;

    beforeAll(async () => {
      program = await findGoProgram(COSIGN);
      folder = await mkdtemp(join(tmpdir(), 'gate-cosign-'));
      await cosign('generate-key-pair');
    }, FIRST_BUILD_MS);
    afterAll(() => rm(folder, { recursive: true, force: true }));

    /** Offline: no key of the transparency log, and none of Sigstore's own, is asked for. */
    async function cosign(...args: string[]): Promise<string> {
      const env = { ...process.env, HOME: folder, COSIGN_PASSWORD: '', TUF_ROOT: folder };
      return (await promisify(execFile)(program, args, { cwd: folder, env, timeout: 300_000 })).stdout;
    }
    const name = () => `${server.host}/${repository}@${image.digest}`;
    const signIt = (...form: string[]) =>
      cosign(
        'sign',
        '--key',
        'cosign.key',
        '--yes',
        '--tlog-upload=false',
        '--use-signing-config=false',
        ...form,
        name(),
      );
    async function verifies(key: KeyObject, form: string): Promise<boolean> {
      await writeFile(join(folder, 'tried.pub'), key.export({ type: 'spki', format: 'pem' }));
      return cosign('verify', '--key', 'tried.pub', '--insecure-ignore-tlog=true', form, name()).then(
        (printed) => printed.includes(image.digest),
        ({ stderr }: { stderr: string }) => {
          expect(stderr).toMatch(/signature/i);
          return false;
        },
      );
    }

    it.each([
      ['under the .sig tag', '--new-bundle-format=false', 1],
      ['in a bundle that refers to the image', '--new-bundle-format=true', 0],
    ])('what cosign signs %s is verified, and by no other key', async (_form, form, tags) => {
      await signIt(form);
      expect([...server.content.open(repository).tags.keys()].filter((tag) => tag.endsWith('.sig'))).toHaveLength(tags);
      const own = createPublicKey(await readFile(join(folder, 'cosign.pub'), 'utf8'));
      expect(await check(own)).toEqual({ verified: true, reasons: [] });
      const refused = await check(KEYS['ECDSA P-256']().publicKey);
      expect(refused).toMatchObject({ verified: false, reasons: [expect.stringMatching(/is of another key/)] });
    });

    describe.each(Object.entries(KEYS))('by a key of %s', (_name, generate) => {
      it.each([
        ['under the .sig tag', signSimply, '--new-bundle-format=false'],
        ['in a bundle', signInBundle, '--new-bundle-format=true'],
      ])('cosign verifies what is signed %s as it is here, and by no other key', async (_form, sign, form) => {
        const { privateKey, publicKey } = generate();
        await sign(privateKey);
        expect([(await check(publicKey)).verified, await verifies(publicKey, form)]).toEqual([true, true]);
        const other = generate().publicKey;
        expect([(await check(other)).verified, await verifies(other, form)]).toEqual([false, false]);
      });
    });
  });

  const { privateKey, publicKey } = KEYS['ECDSA P-256']();

  it('no signature is reported as such', async () => {
    expect(await check(publicKey)).toEqual({ verified: false, reasons: [`${image.digest} has no signature`] });
  });

  it('one good signature among bad ones is enough', async () => {
    await signSimply(KEYS.RSA().privateKey);
    await signInBundle(privateKey);
    expect(await check(publicKey)).toEqual({ verified: true, reasons: [] });
  });

  it.each<[string, () => Promise<void>, RegExp]>([
    ['without the annotation', () => signSimply(privateKey, { signature: '' }), /is of another key/],
    ['of another type', () => signSimply(privateKey, { type: 'x' }), /is of the type "x"/],
    ['whose payload is of another type', () => signInBundle(privateKey, { payloadType: 'text/plain' }), /text\/plain/],
    ['over no statement', () => signInBundle(privateKey, { statement: { subject: [] } }), /not an in-toto statement/],
    [
      'that is no bundle',
      () => push(blobOf(BUNDLE, Buffer.from('{')), undefined, { artifactType: BUNDLE, subject: describeBlob(image) }),
      /not a Sigstore bundle/,
    ],
    [
      'that is no JSON',
      () => push({ ...blobOf(SIMPLE, Buffer.from('\0')), annotations: {} }, `${image.digest.replace(':', '-')}.sig`),
      /has no annotation/,
    ],
  ])('one %s is not verified', async (_what, signIt, reason) => {
    await signIt();
    expect(await check(publicKey)).toMatchObject({ verified: false, reasons: [expect.stringMatching(reason)] });
  });

  it('one whose content is gone is not verified, and a registry that is down is an error', async () => {
    await signSimply(privateKey);
    server.content.open(repository).blobs.clear();
    expect(await check(publicKey)).toMatchObject({
      verified: false,
      reasons: [expect.stringMatching(/cannot be read/)],
    });
    server.setFaults(() => ({ status: 503 }));
    await expect(check(publicKey)).rejects.toMatchObject({ failure: 'unavailable' });
  });

  it.each([
    ['nothing', 'a public key in PEM'],
    [privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'a public key, got a private one'],
    [
      generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      'RSA (2048 bits',
    ],
    [
      generateKeyPairSync('ec', { namedCurve: 'secp384r1' })
        .publicKey.export({ type: 'spki', format: 'pem' })
        .toString(),
      'ECDSA P-256',
    ],
  ])('an unusable key is refused: %#', (pem, expected) => {
    expect(readPublicKey(pem)).toContain(expected);
  });
});
