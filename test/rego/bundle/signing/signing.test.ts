import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GateError } from '../../../../src/kernel/failures';
import { readArchive } from '../../../../src/rego/bundle/archive/read-archive';
import { writeArchive } from '../../../../src/rego/bundle/archive/write-archive';
import { readBundle } from '../../../../src/rego/bundle/bundle';
import { SIGNING_ALGORITHMS, type BundleKey } from '../../../../src/rego/bundle/signing/bundle-key';
import { hashFile } from '../../../../src/rego/bundle/signing/hash-file';
import { signBundle } from '../../../../src/rego/bundle/signing/sign-bundle';
import { verifyBundle } from '../../../../src/rego/bundle/signing/verify-bundle';
import { buildPolicy } from '../../../../src/rego/toolchain/build-policy';
import { findTool } from '../../../../src/platform/tools/find-tool';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const pem = { type: 'pkcs8', format: 'pem' } as const;
const spki = { type: 'spki', format: 'pem' } as const;

/** A key pair for one algorithm; a secret is both. */
function keysFor(algorithm: string): { sign: BundleKey; verify: BundleKey } {
  const named = { keyId: 'release-key', algorithm };
  if (algorithm.startsWith('HS')) {
    const key = 'a secret that is long enough for sixty-four bytes of an HMAC with SHA-512';
    return { sign: { ...named, key }, verify: { ...named, key } };
  }
  const curve = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[algorithm];
  const { privateKey, publicKey } = curve
    ? generateKeyPairSync('ec', { namedCurve: curve })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    sign: { ...named, key: privateKey.export(pem).toString() },
    verify: { ...named, key: publicKey.export(spki).toString() },
  };
}

describe('bundle signatures', () => {
  let folder: string;
  let opa: string;
  let bundle: Uint8Array;
  let signed: Uint8Array;
  const { sign, verify } = keysFor('RS256');
  const faultsOf = async (run: Promise<unknown>): Promise<string> => {
    const error = await run.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(GateError);
    return (error as GateError).faults.map(({ message }) => message).join('\n');
  };
  const altered = async (change: (files: Map<string, Uint8Array>) => void): Promise<Uint8Array> => {
    const files = await readArchive(signed);
    change(files);
    return writeArchive(files);
  };
  const put = (name: string, content: string | Uint8Array): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-signing-'));
    opa = (await findTool('opa')).path;
    bundle = (await buildPolicy(join(__dirname, '..', '..', '..', '..', 'policy'))).bytes;
    signed = await signBundle(bundle, sign);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(SIGNING_ALGORITHMS)(
    'bundle signatures are made and accepted with %s, and refused with another key',
    async (algorithm) => {
      const keys = keysFor(algorithm);
      const archive = await signBundle(bundle, keys.sign);
      expect(await readBundle(archive, { verificationKey: keys.verify })).toMatchObject({
        entrypoint: 'gate/response',
      });
      const other = algorithm.startsWith('HS') ? { ...keys.verify, key: 'another secret' } : keysFor(algorithm).verify;
      expect(await faultsOf(readBundle(archive, { verificationKey: other }))).toContain('not of the key release-key');
    },
  );

  it('bundle signatures have the same bytes each time, and replace an earlier one', async () => {
    expect(await signBundle(bundle, sign)).toEqual(signed);
    expect(await signBundle(signed, sign)).toEqual(signed);
  });

  it.each([
    ['RS256', undefined],
    ['ES384', 'prod'],
    ['HS512', undefined],
  ])('bundle signatures of ours are verified by opa build (%s, scope %s)', async (algorithm, scope) => {
    const keys = keysFor(algorithm);
    const archive = put(
      `ours-${algorithm}.tar.gz`,
      await signBundle(bundle, { ...keys.sign, ...(scope ? { scope } : {}) }),
    );
    const key = algorithm.startsWith('HS') ? keys.verify.key : put(`${algorithm}.pem`, keys.verify.key);
    const build = (verifying: string): string =>
      execFileSync(
        opa,
        [
          ...['build', '--bundle', archive, '--verification-key', verifying, '--verification-key-id', 'release-key'],
          ...['--signing-alg', algorithm, ...(scope ? ['--scope', scope] : []), '-o', join(folder, 'rebuilt.tar.gz')],
        ],
        { stdio: 'pipe', encoding: 'utf8' },
      );
    expect(() => build(key)).not.toThrow();
    const other = algorithm.startsWith('HS') ? 'another secret' : put('other.pem', keysFor(algorithm).verify.key);
    expect(() => build(other)).toThrow();
  });

  it.each(['RS256', 'PS512', 'ES256'])('bundle signatures of opa sign are accepted (%s)', async (algorithm) => {
    const keys = keysFor(algorithm);
    const archive = put('to-sign.tar.gz', bundle);
    const claims = put('claims.json', JSON.stringify({ keyid: 'release-key', scope: 'staging' }));
    const args = ['sign', '--bundle', archive, '--signing-alg', algorithm, '--claims-file', claims];
    execFileSync(opa, [...args, '--signing-key', put('private.pem', keys.sign.key), '--output-file-path', folder]);
    const files = await readArchive(bundle);
    files.set('.signatures.json', readFileSync(join(folder, '.signatures.json')));
    const verificationKey = { ...keys.verify, scope: 'staging' };
    expect(await readBundle(await writeArchive(files), { verificationKey })).toMatchObject({
      entrypoint: 'gate/response',
    });
    expect(await faultsOf(verifyBundle(files, keys.verify))).toContain('expected the scope "", found "staging"');
  });

  it('bundle signatures of a bundle that opa build signed are accepted', async () => {
    const policy = put(
      'policy/gate.rego',
      readFileSync(join(__dirname, '..', '..', '..', '..', 'policy', 'gate.rego')),
    );
    put(
      'policy/data.json',
      '{"b": {"z": 1.50, "a": "x\\u2028<y>"}, "a": [1e3, null, true], "é": {}, "\\ud83d\\ude00": 0, "\\uffee": 12345678901234567890}',
    );
    const output = join(folder, 'by-opa.tar.gz');
    execFileSync(opa, [
      ...['build', '-t', 'wasm', '-e', 'gate/response', '-b', dirname(policy), '-o', output],
      ...['--signing-key', put('private.pem', sign.key)],
    ]);
    await verifyBundle(await readArchive(readFileSync(output)), verify);
  });

  it.each<[string, string, (files: Map<string, Uint8Array>) => void]>([
    ['is not signed', 'expected a signed bundle', (files) => files.delete('.signatures.json')],
    ['has an altered policy', 'policy.wasm: is not what was signed', (files) => files.set('policy.wasm', text('x'))],
    ['has altered data', 'data.json: is not what was signed', (files) => files.set('data.json', text('{"a":1}'))],
    ['has data that is no JSON', 'data.json: is not what was signed', (files) => files.set('data.json', text('{'))],
    ['has a file more', 'more.rego: is not among the files', (files) => files.set('more.rego', text('package x'))],
    ['has a file less', 'input.json: was signed, but is missing', (files) => files.delete('input.json')],
    ['has a signature file that is no JSON', 'expected JSON', (files) => files.set('.signatures.json', text('x'))],
    ['has two signatures', 'exactly one', (files) => files.set('.signatures.json', text('{"signatures":["a","b"]}'))],
    ['has no token', 'not of the key', (files) => files.set('.signatures.json', text('{"signatures":["a"]}'))],
  ])('bundle signatures refuse a bundle that %s', async (_what, fault, change) => {
    expect(await faultsOf(readBundle(await altered(change), { verificationKey: verify }))).toContain(fault);
  });

  it('name every file that is wrong', async () => {
    const archive = await altered((files) => {
      files.set('data.json', text('{"a":1}'));
      files.delete('input.json');
      files.set('more.rego', text('package x'));
    });
    expect((await faultsOf(readBundle(archive, { verificationKey: verify }))).split('\n')).toHaveLength(3);
  });

  it('bundle signatures do not mind white space and order in data.json, as OPA does not', async () => {
    const reordered = await altered((files) => {
      const manifest = JSON.parse(Buffer.from(files.get('.manifest') ?? []).toString('utf8')) as Record<
        string,
        unknown
      >;
      files.set('.manifest', text(JSON.stringify(Object.fromEntries(Object.entries(manifest).reverse()), null, 4)));
    });
    await expect(readBundle(reordered, { verificationKey: verify })).resolves.toBeDefined();
  });

  it.each([
    ['a token without a signature', { alg: 'none' }],
    ['a token that says it is an HMAC with the public key', { alg: 'HS256' }],
  ])('bundle signatures do not believe %s', async (_what, header) => {
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const files = await readArchive(signed);
    const entries = [...files].filter(([name]) => name !== '.signatures.json');
    const payload = {
      files: entries.map(([name, content]) => ({
        name,
        hash: hashFile(name, content, 'SHA-256'),
        algorithm: 'SHA-256',
      })),
    };
    const { createHmac } = await import('node:crypto');
    const unsigned = `${encode(header)}.${encode(payload)}`;
    const mac = header.alg === 'none' ? '' : createHmac('sha256', verify.key).update(unsigned).digest('base64url');
    files.set('.signatures.json', text(JSON.stringify({ signatures: [`${unsigned}.${mac}`] })));
    expect(await faultsOf(verifyBundle(files, verify))).toContain('not of the key');
  });

  it.each([
    ['no list of files', {}, 'list files'],
    ['an unknown hash', { files: [{ name: 'a', hash: 'x', algorithm: 'CRC' }] }, 'known algorithm'],
    ['a file twice', { files: [0, 1].map(() => ({ name: 'a', hash: 'x', algorithm: 'MD5' })) }, 'signed once'],
  ])('bundle signatures refuse a token with %s', async (_what, payload, why) => {
    const { CompactSign } = await import('jose');
    const key = keysFor('HS256');
    const token = await new CompactSign(text(JSON.stringify(payload)))
      .setProtectedHeader({ alg: 'HS256' })
      .sign(text(key.sign.key));
    const files = new Map([['.signatures.json', text(JSON.stringify({ signatures: [token] }))]]);
    expect(await faultsOf(verifyBundle(files, key.verify))).toContain(why);
  });

  it.each<[string, Partial<BundleKey>, string]>([
    ['an algorithm that is none', { algorithm: 'none' }, 'Expected a signing algorithm'],
    ['a PEM as the secret of an HMAC', { algorithm: 'HS256' }, 'its content may be known'],
    ['no PEM', { key: 'x' }, 'got something else'],
    ['a PEM that cannot be read', { key: '-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----' }, 'cannot be read'],
    ['a key of another kind', { key: keysFor('ES256').verify.key }, 'got one of type ec'],
  ])('bundle signatures refuse %s as a key', async (_what, over, why) => {
    expect(await faultsOf(readBundle(signed, { verificationKey: { ...verify, ...over } }))).toContain(why);
  });

  it('bundle signatures refuse to sign with a public key, a curve that does not fit, and what is no bundle', async () => {
    expect(await faultsOf(signBundle(bundle, verify))).toContain('private key');
    expect(await faultsOf(signBundle(bundle, { ...keysFor('ES256').sign, algorithm: 'ES512' }))).toContain(
      'cannot sign',
    );
    expect(await faultsOf(signBundle(text('x'), sign))).toContain('expected a gzip archive');
    const broken = await writeArchive(new Map([['data.json', text('{')]]));
    expect(await faultsOf(signBundle(broken, sign))).toContain('data.json: expected JSON');
  });
});
