import { generateKeyPairSync } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { withPublishingExit } from '../../../src/cli/policy/publishing-exit';
import { startS3Server, type S3Server } from '../../../src/dev/s3-server';
import { ObjectStoreError } from '../../../src/platform/objects/object-store';
import { carryOut, planPublish } from '../../../src/releases/publishing/publish';
import { MemoryObjects } from '../../fakes/memory-objects';
import { runCli } from '../run-cli';

const text = (content: string): Uint8Array => new TextEncoder().encode(content);

const ROOT = join(__dirname, '..', '..', '..');

describe('gate policy publish, rollback and history, on a real S3 server', () => {
  let folder: string;
  let s3: S3Server;
  const to = 's3://gate/r/latest.json';
  const saved = { ...process.env };
  const gate = (...args: string[]) =>
    runCli(folder, ['policy', ...args], { GATE_SETTINGS: join(folder, 'settings.json') });
  const put = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return name;
  };
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-publish-'));
    s3 = await startS3Server({ folder, logFile: join(folder, 's3.log'), buckets: ['gate'] });
    // The AWS SDK reads its usual places in this process.
    Object.assign(process.env, s3.env);
    put('settings.json', JSON.stringify({ release: { manifest: to, s3: { forcePathStyle: true } } }));
    cpSync(join(ROOT, 'configs', 'examples', 'release.pkl'), join(folder, 'v1.pkl'));
    put('v2.json', JSON.stringify({ ...release, limits: { maxDelta: 500, maxPending: 1000 } }));
    cpSync(join(ROOT, 'policy'), join(folder, 'policy'), { recursive: true });
  });
  afterAll(async () => {
    process.env = saved;
    await s3?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const provider = { type: 'levelServer', base: 'http://127.0.0.1:2' };
  const release = { facts: { pending_delta: provider, max_pending: provider, region_health: provider } };
  const versions = async (): Promise<string[]> => {
    const { stdout } = await gate('history', '-o', 'json');
    const rows = JSON.parse(stdout) as { version: string; action: string; in_force: boolean }[];
    return rows.map((row) => `${row.in_force ? '*' : ''}${row.action} ${row.version}`);
  };

  it('gate policy history and rollback end with exit code 2 before anything is published', async () => {
    expect(await gate('history')).toMatchObject({
      code: 2,
      stderr: `gate: ConfigInvalid: Expected a manifest at ${to}, found none\n`,
    });
    expect((await gate('rollback')).code).toBe(2);
  });

  it('gate policy publish publishes policy and configuration, then only what changes', async () => {
    const first = await gate('publish', '--policy', 'policy', '--config', 'v1.pkl', '--version', 'v1', '--by', 'ada');
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining(`published: ${to} names v1\n`) });
    const dry = await gate('publish', '--config', 'v2.json', '--version', 'v2', '--dry-run', '-o', 'json');
    expect(JSON.parse(dry.stdout)).toMatchObject({ version: 'v2', published: false });
    expect(await versions()).toEqual(['*publish v1']);
    const second = await gate('publish', '--config', 'v2.json', '--version', 'v2');
    expect(second.stdout).toContain('policy policy-v1.tar.gz');
    expect(await gate('publish', '--config', 'v2.json', '--version', 'v2')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('already'),
    });
    expect(await versions()).toEqual(['*publish v2', 'publish v1']);
  });

  it('gate policy rollback rolls back and shows what was done', async () => {
    expect(await gate('rollback', '--by', 'ann')).toMatchObject({
      code: 0,
      stdout: `rolled back: ${to} names v1 (it named v2; to return: --version v2)\n`,
    });
    expect(await gate('rollback')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('names v1 by the roll back of ann'),
    });
    expect((await gate('rollback', '--version', 'v1')).stdout).toContain('names v1 already');
    expect(JSON.parse((await gate('rollback', '--version', 'v2', '-o', 'json')).stdout)).toMatchObject({
      version: 'v2',
      previous_version: 'v1',
      rolled_back: true,
    });
    const { stdout } = await gate('history');
    expect(stdout).toMatch(/^\*\s+v2\s+rollback/m);
    expect(stdout).toMatch(/^\s+v1\s+rollback\s+ann/m);
  });

  it('gate policy publish publishes a signed bundle, and promotes it to another store', async () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const key = put('key.pem', privateKey);
    const signed = await gate('publish', '--policy', 'policy', '--version', 'v3', '--sign-key', key);
    expect(signed).toMatchObject({ code: 0 });
    expect(await gate('publish', '--promote', to, '--to', 'prod/production.json')).toMatchObject({ code: 0 });
    expect(await gate('publish', '--promote', to, 'prod/production.json')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('prod/production.json names v3 already'),
    });
    expect(readFileSync(join(folder, 'prod', 'policy-v3.tar.gz'), 'latin1')).toContain('.signatures.json');
    expect(JSON.parse((await gate('history', '--to', 'prod/production.json', '-o', 'json')).stdout)).toMatchObject([
      { version: 'v3', action: 'promote', from: to, in_force: true },
    ]);
  });

  it('gate policy publish, promote and rollback sign their manifests, and bundles that nobody has signed', async () => {
    const pair = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    put('public.pem', pair.publicKey);
    const sign = ['--signing-key', put('signing.pem', pair.privateKey)];
    const strict = put(
      'strict.json',
      JSON.stringify({
        release: {
          manifest: 'signed/latest.json',
          cacheFolder: 'strict-cache',
          verificationKey: { key: { file: 'public.pem' } },
        },
      }),
    );
    const run = (args: string[]) => runCli(folder, ['policy', ...args], { GATE_SETTINGS: join(folder, strict) });
    const printed = async (...args: string[]) => (await run(args)).stdout;
    const signed = async (...args: string[]) => {
      const { code, stderr } = await run(args);
      return `${code} ${stderr}`;
    };
    const v1 = ['publish', '--policy', 'policy', '--config', 'v1.pkl', '--version', 'v1'];
    const unsigned = await signed(...v1, '--sign-key', 'signing.pem');
    expect(unsigned).toMatch(/^0 gate: warning: workers of these settings refuse v1 .*the manifest is not signed/);
    // The same release once more, in a manifest that is signed; then it is there.
    for (const outcome of ['names v1 (it named v1)', 'already'])
      expect(await printed('publish', '--config', 'v1.pkl', '--version', 'v1', ...sign)).toContain(outcome);
    expect(await signed('publish', '--config', 'v2.json', '--version', 'v2', ...sign)).toBe('0 ');
    expect(await signed('rollback', '--version', 'v1')).toMatch(/^0 gate: warning: .*the manifest is not signed/);
    // Back to what is in force: its manifest is written again where it lacks the signature.
    for (const outcome of ['names v1 as before, in a new manifest', 'names v1 already, signed by this key'])
      expect(await printed('rollback', '--version', 'v1', ...sign)).toContain(outcome);
    const manifest = join(folder, 'signed', 'latest.json');
    const latest = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string; policy: string };
    expect(latest.version).toBe('v1');
    expect(readFileSync(join(folder, 'signed', latest.policy), 'latin1')).toContain('.signatures.json');
    expect(await signed('publish', '--promote', 'signed/latest.json', 'signed/production.json', ...sign)).toBe('0 ');
    // Each manifest is read as a worker reads it.
    for (const name of ['latest.json', 'production.json'])
      expect(await signed('diff', `signed/${name}`, `signed/${name}`)).toBe('0 ');
    expect(await signed('rollback', '--version', 'v2', '--signing-key', 'public.pem')).toMatch(/^2 .*private key/);
  });

  it('gate policy history lists a manifest that was written by hand', async () => {
    put('hand.json', JSON.stringify({ policy: 'p', config: 'c', version: 'hand' }));
    expect(JSON.parse((await gate('history', '--to', 'hand.json', '-o', 'json')).stdout)).toMatchObject([
      { version: 'hand', action: 'by hand', in_force: true },
    ]);
  });

  it('gate policy publish publishes nothing when the policy’s own tests fail or cover too little', async () => {
    cpSync(join(folder, 'policy'), join(folder, 'failing'), { recursive: true });
    const test = join(folder, 'failing', 'more_test.rego');
    writeFileSync(test, 'package more_test\n\ntest_wrong if 1 == 2\n');
    expect(await gate('publish', '--policy', 'failing', '--version', 'v9')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('FAIL data.more_test.test_wrong'),
    });
    rmSync(join(folder, 'failing', 'gate_test.rego'));
    writeFileSync(test, 'package more_test\n\ntest_right if 1 == 1\n');
    expect(await gate('publish', '--policy', 'failing', '--version', 'v9')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not covered'),
    });
  });

  it('gate policy publish tells failing tests together with the faults of the configuration and the policy', async () => {
    cpSync(join(folder, 'policy'), join(folder, 'several'), { recursive: true });
    writeFileSync(join(folder, 'several', 'more_test.rego'), 'package more_test\n\ntest_wrong if 1 == 2\n');
    put('several.yaml', `limtis: {}\nfacts:\n  max_pending: { type: levelServer, base: here }\n`);
    const args = ['publish', '--policy', 'several', '--config', 'several.yaml', '--version', 'v9'];
    const faults = [/several\.yaml:1:1: unknown key limtis.*did you mean limits/, /several\.yaml:3:37: .*http:\/\//];
    const tested = await gate(...args);
    expect(tested.code).toBe(1);
    for (const said of [/FAIL data\.more_test\.test_wrong/, ...faults]) expect(tested.stderr).toMatch(said);
    const rego = join(folder, 'several', 'gate.rego');
    writeFileSync(rego, `${readFileSync(rego, 'utf8')}\ndeny contains "x" if nowhere(1)\n`);
    const unbuilt = await gate(...args);
    expect(unbuilt.code).toBe(2);
    for (const said of [/undefined function nowhere/, ...faults]) expect(unbuilt.stderr).toMatch(said);
  });

  it('gate policy tells of a store that cannot be read as PolicyUnavailable', async () => {
    const { code, stdout } = await gate('history', '--to', 's3://none/y.json', '-o', 'json');
    expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({
      code: 2,
      error: { type: 'PolicyUnavailable' },
    });
  });

  it.each<[string, string[], string]>([
    ['no version', ['--config', 'v2.json'], 'expected --version'],
    ['nothing to publish', ['--version', 'v9'], 'expected --policy, --config or both'],
    [
      'a key and no policy',
      ['--version', 'v9', '--config', 'v2.json', '--sign-key', 'x'],
      'expected --policy with --sign-key',
    ],
    ['a promotion with more', ['--promote', 'x.json', '--version', 'v9'], 'expected --promote without'],
    ['two places for a promotion', ['--promote', to, 'a.json', '--to', 'b.json'], 'expected the manifest once'],
    ['a place without its option', ['--version', 'v9', '--config', 'v2.json', 'a.json'], 'expected --to URL'],
    ['a promotion from nowhere', ['--promote', 'none.json'], 'Expected a manifest at'],
    ['a manifest that is no .json', ['--version', 'v9', '--config', 'v2.json', '--to', 'x/latest'], 'to end in .json'],
    ['another scheme', ['--version', 'v9', '--config', 'v2.json', '--to', 'http://x/y.json'], 'Expected s3://'],
    ['an unknown bucket', ['--version', 'v9', '--config', 'v2.json', '--to', 's3://none/y.json'], 'NoSuchBucket'],
    ['a file that is not there', ['--version', 'v9', '--config', 'none.json'], 'none.json'],
    ['a policy that is not there', ['--version', 'v9', '--policy', 'none'], 'Expected a policy folder or a bundle'],
    ['a threshold that is none', ['--version', 'v9', '--policy', 'policy', '--threshold', 'x'], 'to be 0 to 100'],
    ['a name that is empty', ['--version', 'v9', '--config', 'v2.json', '--by', ' '], 'Expected --by'],
    [
      'an unknown algorithm',
      ['--version', 'v9', '--policy', 'policy', '--sign-key', 'v2.json', '--sign-alg', 'X'],
      'signing algorithm',
    ],
    ['a bundle that is a device', ['--version', 'v9', '--policy', '/dev/zero'], 'to be a bundle of at most'],
    ['a bundle that is empty', ['--version', 'v9', '--policy', '/dev/null'], 'to be a bundle of at most'],
    ['a bundle that is none', ['--version', 'v9', '--policy', 'v2.json'], 'v2.json: The policy bundle cannot be read'],
    [
      'a key that is none',
      ['--version', 'v9', '--policy', 'policy', '--signing-key', 'v2.json'],
      'v2.json: Expected the PEM of a private key for RS256',
    ],
  ])('gate policy publish refuses %s', async (_what, args, why) => {
    const before = await versions();
    const result = await gate('publish', ...args);
    expect({ ...result, stderr: result.stderr.includes(why) ? why : result.stderr }).toMatchObject({
      code: 2,
      stderr: why,
    });
    expect(await versions()).toEqual(before);
  });

  it.each<[string, object, number, string]>([
    ['lacks a fact', { facts: {} }, 1, 'which no configured provider collects'],
    ['lacks a limit', { ...release, limits: { maxDelta: 1 } }, 1, 'maxPending'],
    ['has a limit that is no number', { ...release, limits: { maxDelta: 'x', maxPending: 1 } }, 2, 'maxDelta'],
    ['has an unknown key', { ...release, surprise: 1 }, 2, 'surprise'],
  ])('gate policy publish refuses a configuration that %s', async (_what, document, code, why) => {
    put('bad.json', JSON.stringify(document));
    expect(await gate('publish', '--config', 'bad.json', '--version', 'v9')).toMatchObject({
      code,
      stderr: expect.stringContaining(why),
    });
  });

  it('gate policy publish refuses a configuration that imports other files', async () => {
    put('other.pkl', 'limit = 1\n');
    put('importing.pkl', 'amends "modulepath:/Release.pkl"\nimport "other.pkl"\nlimits { maxDelta = other.limit }\n');
    expect(await gate('publish', '--config', 'importing.pkl', '--version', 'v9')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('other.pkl'),
    });
  });

  it('gate policy publish checks the sources of a policy as gate policy check does', async () => {
    cpSync(join(ROOT, 'policy'), join(folder, 'untidy'), { recursive: true });
    const rego = join(folder, 'untidy', 'gate.rego');
    writeFileSync(rego, readFileSync(rego, 'utf8').replace('default allow', 'default   allow'));
    const result = await gate('publish', '--policy', 'untidy', '--version', 'v9');
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('is not formatted') });
    expect(result.stderr).toContain('the release does not pass its check');
  });

  it('gate policy publish and build warn of what gate policy check warns of', async () => {
    cpSync(join(ROOT, 'policy'), join(folder, 'doubtful'), { recursive: true });
    put('doubtful/other.rego', 'package other\n\ndeny contains "no" if input.max_pending > 3\n');
    put('doubtful/empty_test.rego', 'package empty_test\n\nsomething := 1\n');
    const warned = [
      'gate: warning: other.rego:3:1: data.other.deny denies nothing: the response of the package gate never reaches it\n',
      'gate: warning: empty_test.rego:1:1: holds no test: the name of a test begins with test_\n',
    ].join('');
    const publish = ['publish', '--policy', 'doubtful', '--config', 'v2.json', '--version', 'v9', '--dry-run'];
    expect(await gate(...publish)).toMatchObject({ code: 0, stderr: warned });
    expect(await gate('build', 'doubtful', '--to', 'doubtful.tar.gz')).toMatchObject({ code: 0, stderr: warned });
  });

  it('gate policy publish publishes a bundle that was built before, to a folder that it makes', async () => {
    expect((await gate('build', 'policy', '--to', 'built.tar.gz')).code).toBe(0);
    const manifest = pathToFileURL(join(folder, 'new', 'deep', 'latest.json')).href;
    const publish = (...more: string[]) =>
      gate('publish', '--policy', 'built.tar.gz', '--config', 'v2.json', '--version', 'v1', '--to', manifest, ...more);
    expect((await publish('--dry-run')).stdout).toContain('nothing was written');
    expect(existsSync(join(folder, 'new'))).toBe(false);
    expect(await publish()).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(folder, 'new', 'deep', 'policy-v1.tar.gz'))).toEqual(
      readFileSync(join(folder, 'built.tar.gz')),
    );
    expect(await gate('rollback', '--to', manifest)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('it has named only v1'),
    });
  });

  it('gate policy publish publishes a version again whose publish failed and left a file', async () => {
    mkdirSync(join(folder, 'taken'));
    put('taken/config-v1.json', '{}');
    const args = ['--policy', 'built.tar.gz', '--config', 'v2.json', '--version', 'v1', '--to', 'taken/latest.json'];
    expect(await gate('publish', ...args, '--dry-run')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/config config-v1-[0-9a-f]{12}\.json/),
    });
    expect(readdirSync(join(folder, 'taken'))).toEqual(['config-v1.json']);
    expect(await gate('publish', ...args)).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, 'taken', 'config-v1.json'), 'utf8')).toBe('{}');
  });

  it('gate policy history shows what was begun and took no effect, and what was written by hand', async () => {
    const at = (day: number): string => `2026-11-0${day}T00:00:00.000Z`;
    const manifest = (version: string) => ({ policy: 'p', config: 'c', version });
    const [hand, v1, v2] = [manifest('hand'), manifest('v1'), manifest('v2')];
    const history: [string, object][] = [
      ['1-v1', { action: 'publish', by: 'ada', at: at(1), manifest: v1, replaces: hand }],
      ['2-v2', { action: 'publish', by: 'bob', at: at(2), manifest: v2, replaces: v1 }],
      ['3-hand', { action: 'rollback', by: 'ann', at: at(3), manifest: hand, replaces: v1 }],
      ['4-v2', { action: 'publish', by: 'eve', at: at(4), manifest: v2, replaces: hand }],
    ];
    mkdirSync(join(folder, 'acts', 'latest.history'), { recursive: true });
    for (const [name, entry] of history) put(`acts/latest.history/${name}.json`, JSON.stringify(entry));
    put('acts/latest.history/note.txt', 'x');
    put('acts/latest.json', JSON.stringify(hand));
    const { stdout, stderr } = await gate('history', '--to', 'acts/latest.json', '-o', 'json');
    expect(stderr).toContain('note.txt is no entry of the history');
    type Row = { version: string; action: string; by: string; in_force: boolean; took_effect: boolean };
    const rows = JSON.parse(stdout) as Row[];
    expect(rows.map((row) => [row.version, row.action, row.by, row.in_force, row.took_effect])).toEqual([
      ['v2', 'publish', 'eve', false, false],
      ['hand', 'rollback', 'ann', true, true],
      ['v2', 'publish', 'bob', false, false],
      ['v1', 'publish', 'ada', false, true],
      ['hand', 'by hand', '', false, true],
    ]);
    expect((await gate('history', '--to', 'acts/latest.json')).stdout).toMatch(/v2\s+publish, without effect\s+eve/);
  });

  it('gate policy publish takes the name of the user where none is given, and refuses an invalid one', async () => {
    const publish = (env: NodeJS.ProcessEnv, ...more: string[]) => {
      const args = ['--config', 'v1.pkl', '--policy', 'built.tar.gz', '--version', 'v1', '--to', 'by/latest.json'];
      const settings = { GATE_SETTINGS: join(folder, 'settings.json') };
      return runCli(folder, ['policy', 'publish', ...args, '--dry-run', '-o', 'json', ...more], {
        ...settings,
        ...env,
      });
    };
    expect(JSON.parse((await publish({ USER: 'carol' })).stdout)).toMatchObject({ by: 'carol' });
    expect(JSON.parse((await publish({ USER: '' })).stdout)).toMatchObject({ by: userInfo().username });
    for (const by of ['a\nb', 'x'.repeat(257)]) {
      expect(await publish({}, '--by', by)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('Expected --by'),
      });
    }
    expect((await publish({ USER: 'x\u001b[2J' })).stderr).toContain('the user of this machine has none');
  });

  it('gate policy publish ends with exit code 4 when it is unknown whether the manifest was written', async () => {
    const store = new MemoryObjects();
    const place = { store, key: 'latest.json' };
    const act = { by: 'ada', at: '2026-11-01T00:00:00.000Z' };
    const parts = {
      policy: { bytes: text('p'), extension: 'tar.gz' },
      config: { bytes: text('c'), extension: 'json' },
    };
    const planned = await planPublish(place, undefined, [], { ...act, version: 'v1', ...parts });
    const put = store.put.bind(store);
    store.put = async (key, ...rest) => {
      if (key === 'latest.json') store.failure = new ObjectStoreError('hangs');
      return put(key, ...rest);
    };
    await expect(
      withPublishingExit(
        () => carryOut(place, undefined, planned!, act),
        () => undefined,
      ),
    ).rejects.toMatchObject({
      code: 4,
      message: expect.stringMatching(/Not confirmed: .*latest\.json may name v1 now/),
    });
  });

  it('gate policy publish says when the store is out of reach', async () => {
    await s3.stop();
    const result = await gate('history');
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining('ECONNREFUSED') });
  });
});
