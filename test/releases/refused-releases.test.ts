import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { parseSettings } from '../../src/settings/load-settings';
import { startAlertReceiver, type AlertReceiverServer } from '../../src/dev/alert-receiver';
import { toReadiness } from '../../src/releases/release-health';
import { readArchive } from '../../src/rego/bundle/archive/read-archive';
import { writeArchive } from '../../src/rego/bundle/archive/write-archive';
import { sha256 } from '../../src/kernel/digest';
import type { BundleKey } from '../../src/rego/bundle/signing/bundle-key';
import { signBundle } from '../../src/rego/bundle/signing/sign-bundle';
import { signatureKey, signManifest } from '../../src/releases/signing/manifest-signature';
import { createServices, type Services } from '../../src/gate/services';
import { LIMIT_POLICY, plainBundle, withoutPlan } from '../support/plain-bundle';
import { eventually } from '../support/temporal-env';

/** Every reason for which a new release is refused, through all parts of a worker but Temporal. */
describe('a new release that is broken', () => {
  let folder: string;
  let alerts: AlertReceiverServer;
  /** messages of the tests before */
  let received = 0;
  let services: Services;
  let logged: { msg: string; faults?: { message: string }[] }[];
  let good: Uint8Array;
  const bundles = new Map<string, Uint8Array>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-refused-'));
    alerts = await startAlertReceiver();
    good = await plainBundle(LIMIT_POLICY);
    const policies: [string, string, Parameters<typeof plainBundle>[1]?][] = [
      [
        'built-in',
        `${LIMIT_POLICY}\nreasons contains "x" if {\n\tinput.deployment.id == "never"\n\thttp.send({})\n}\n`,
      ],
      ['fact', LIMIT_POLICY, { max_pending: { type: 'integer' } }],
      ['shape', 'package gate\n\nresponse := {"allowed": true}\n'],
      ['conflict', 'package gate\n\nresponse := 1 if input.decision_time\n\nresponse := 2 if input.deployment\n'],
    ];
    for (const [name, rego, properties] of policies) bundles.set(name, await plainBundle(rego, properties));
    bundles.set('wasm-only', await withoutPlan(good));
    await write('good.tar.gz', good);
    await write('config.json', '{"limits": {"max": 1}}');
    await publish('v1', {});
    const settings = parseSettings(
      {
        release: { manifest: 'latest.json', refreshInterval: '1h' },
        audit: { store: { type: 'none' } },
        alerts: { receivers: [{ format: 'alertmanager', url: alerts.url }] },
      },
      { file: 'settings' },
      folder,
    );
    const lines = new Writable({
      write: (line: Buffer, _encoding, done) => {
        logged.push(JSON.parse(line.toString()) as (typeof logged)[number]);
        done();
      },
    });
    logged = [];
    const env = { XDG_DATA_HOME: join(folder, 'data') };
    services = await createServices({ settings, baseDir: folder }, { env, logger: pino(lines), stdout: lines });
  });
  afterAll(async () => {
    await services?.close();
    await alerts?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await publish('v1', {});
    await services.reload();
    await eventually('quiet', () => firing() === 0);
    received = alerts.received.length;
    logged.length = 0;
  });

  /** Renamed into its place: the folder is watched, and a check may come at any time. */
  const write = async (name: string, content: string | Uint8Array): Promise<void> => {
    await writeFile(join(folder, 'new'), content);
    await rename(join(folder, 'new'), join(folder, name));
  };
  const publish = (version: string, change: Record<string, unknown>): Promise<void> =>
    write('latest.json', JSON.stringify({ policy: 'good.tar.gz', config: 'config.json', version, ...change }));
  const counted = async (result: string): Promise<number> => {
    const line = new RegExp(`^gate_release_reloads_total\\{result="${result}"\\} (\\d+)$`, 'm');
    return Number(line.exec(await services.registry.metrics())?.[1] ?? 0);
  };
  const messages = () =>
    alerts.received
      .slice(received)
      .map(({ body }) => body as unknown as { status: string; alerts: { labels: object }[] });
  const firing = (): number =>
    messages().filter(({ status }) => status === 'firing').length -
    messages().filter(({ status }) => status === 'resolved').length;

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['its manifest does not parse', () => write('latest.json', '{"policy": '), /latest\.json:1/],
    [
      'its bundle does not parse',
      async () => {
        await write('half.tar.gz', good.slice(0, 200));
        await publish('v2', { policy: 'half.tar.gz' });
      },
      /policy bundle cannot be read/,
    ],
    [
      'its configuration does not parse',
      async () => {
        await write('half.json', '{"limits": ');
        await publish('v2', { config: 'half.json' });
      },
      /half\.json:1/,
    ],
    [
      "its bundle's digest is wrong",
      () => publish('v2', { policySHA256: '0'.repeat(64) }),
      new RegExp(`good\\.tar\\.gz: expected SHA-256 0{64} as the manifest says, found [0-9a-f]{64}`),
    ],
    [
      "its configuration's digest is wrong",
      () => publish('v2', { configSHA256: '0'.repeat(64) }),
      new RegExp(
        `config\\.json: expected SHA-256 0{64} as the manifest says, found ${sha256('{"limits": {"max": 1}}')}`,
      ),
    ],
    [
      'its configuration fails the schema',
      async () => {
        await write('wrong.json', '{"limits": {"max": 2}, "stages": {"onDeny": "maybe"}}');
        await publish('v2', { config: 'wrong.json' });
      },
      /wrong\.json:1.*onDeny/,
    ],
    [
      'one fact has a wrong shape and another one an address that is none',
      async () => {
        const facts = { a: { type: 'htp' }, b: { type: 'levelServer', base: 'localhost:1' } };
        await write('facts.json', JSON.stringify({ limits: { max: 1 }, facts }));
        await publish('v2', { config: 'facts.json' });
      },
      /facts\.json:1:\d+: expected facts\.a\.type .*facts\.json:1:\d+: Expected facts\.b\.base to be an http/,
    ],
    [
      'a limit that it reads is absent',
      async () => {
        await write('less.json', '{"limits": {"least": 2}}');
        await publish('v2', { config: 'less.json' });
      },
      /expected a value at data\.config\.limits\.max, found nothing/,
    ],
    [
      'it needs a built-in that this worker lacks',
      () => publishBundle('built-in'),
      /built-in\.tar\.gz: plan\.json: \S*gate\.rego:13 calls http\.send, which is no built-in here$/,
    ],
    [
      'it has no plan, so that wasm would decide alone',
      () => publishBundle('wasm-only'),
      /^plan\.json: missing; .* set release\.allowWasmOnly: true to let wasm decide alone$/,
    ],
    [
      'it needs a fact that this worker does not have',
      () => publishBundle('fact'),
      /reads max_pending, which no configured provider collects/,
    ],
    [
      'its smoke evaluation gives another shape',
      () => publishBundle('shape'),
      /to give \{allow, deny_reasons\}, got \{"allowed":true\}/,
    ],
    ['its smoke evaluation fails', () => publishBundle('conflict'), /Expected the policy to evaluate, but it failed/],
  ])(
    'a new release that is broken is refused because %s: on /readyz, in the metric, in the log and as one alert',
    async (_, breakIt, reason) => {
      const before = await counted('refused');
      const inForce = services.releases.current();
      await breakIt();
      await services.reload();
      await services.reload();

      expect(services.releases.current()).toBe(inForce);
      expect(toReadiness(services.releases.status(), { reachable: true })).toMatchObject({
        status: 'ready',
        manifestVersion: 'v1',
        lastError: expect.stringMatching(reason),
      });
      expect(await counted('refused')).toBe(before + 1);
      expect(logged).toEqual([expect.objectContaining({ msg: 'release refused', kept: 'v1' })]);
      expect(logged[0]?.faults?.map(({ message }) => message).join()).toMatch(reason);
      await eventually('the alert', () => firing() === 1);

      await publish('v1', {});
      await services.reload();
      await eventually('the end of the alert', () => firing() === 0);
      expect(messages()).toHaveLength(2);
      expect(services.releases.status().lastError).toBeUndefined();
    },
  );

  async function publishBundle(name: string): Promise<void> {
    await write(`${name}.tar.gz`, bundles.get(name)!);
    await publish('v2', { policy: `${name}.tar.gz` });
  }

  describe('where bundles must be signed', () => {
    const KEY = 'a secret of an HMAC';
    const key: BundleKey = { key: KEY, keyId: 'default', algorithm: 'HS256', scope: 's' };
    /** The worker without a key watches the same manifest and has alerts of its own. */
    let ownAlerts: AlertReceiverServer;
    beforeEach(async () => {
      ownAlerts = await startAlertReceiver();
    });
    afterEach(() => ownAlerts.close());

    /** A manifest that is signed, whatever it names. */
    async function publishSigned(version: string, policy: string, bundle: Uint8Array): Promise<void> {
      const digests = { policySHA256: sha256(bundle), configSHA256: sha256('{"limits": {"max": 1}}') };
      const publishedAt = new Date().toISOString();
      const manifest = { policy, config: 'config.json', version, ...digests, publishedAt };
      const bytes = new TextEncoder().encode(JSON.stringify(manifest));
      await mkdir(join(folder, 'signatures'), { recursive: true });
      await write(signatureKey(bytes), await signManifest(bytes, key));
      await write('latest.json', bytes);
    }

    /** A worker that knows the key, started with this bundle. */
    async function start(bundle: Uint8Array, env: NodeJS.ProcessEnv = { KEY }): Promise<Services> {
      await write('signed.tar.gz', bundle);
      await publishSigned('v2', 'signed.tar.gz', bundle);
      const verificationKey = { key: { env: 'KEY' }, algorithm: 'HS256', scope: 's' };
      const settings = parseSettings(
        {
          release: { manifest: 'latest.json', refreshInterval: '1h', verificationKey, cacheFolder: 'cache' },
          audit: { store: { type: 'none' } },
          alerts: { receivers: [{ format: 'alertmanager', url: ownAlerts.url }] },
        },
        { file: 'settings' },
        folder,
      );
      const stdout = new Writable({ write: (_chunk, _encoding, done) => done() });
      const logger = pino({ level: 'silent' });
      // What one leaves firing is not for the next.
      const own = { ...env, XDG_DATA_HOME: join(folder, `data-${randomUUID()}`) };
      return createServices({ settings, baseDir: folder }, { env: own, logger, stdout });
    }
    const altered = async (): Promise<Uint8Array> => {
      const files = new Map(await readArchive(await signBundle(good, key)));
      files.set('data.json', new TextEncoder().encode('{"more": 1}'));
      return writeArchive(files);
    };

    it('where bundles must be signed, a release is taken when its signature is right', async () => {
      const strict = await start(await signBundle(good, key));
      expect(strict.releases.current().ref.manifestVersion).toBe('v2');
      await strict.close();
    });

    const badlySigned: [string, () => Uint8Array | Promise<Uint8Array>, RegExp][] = [
      ['is not signed', () => good, /\.signatures\.json: missing; expected a signed bundle/],
      ['is signed with another key', () => signBundle(good, { ...key, key: 'another secret' }), /signature/],
      ['is signed for another scope', () => signBundle(good, { ...key, scope: 'other' }), /scope/],
      ['was altered after it was signed', altered, /data\.json/],
    ];

    it.each(badlySigned)(
      'where bundles must be signed, a release is refused at the start when it %s',
      async (_what, bundle, said) => {
        const strict = await start(await bundle());
        expect(() => strict.releases.current()).toThrow(said);
        expect(toReadiness(strict.releases.status(), { reachable: true }).status).toBe('not ready');
        await strict.close();
      },
    );

    it.each(badlySigned)(
      'where bundles must be signed, a release leaves the last good one in force when it %s',
      async (_what, bundle, said) => {
        const strict = await start(await signBundle(good, key));
        const inForce = strict.releases.current();
        const next = await bundle();
        await write('next.tar.gz', next);
        await publishSigned('v3', 'next.tar.gz', next);
        await strict.reload();

        expect(strict.releases.current()).toBe(inForce);
        expect(toReadiness(strict.releases.status(), { reachable: true })).toMatchObject({
          status: 'ready',
          manifestVersion: 'v2',
          lastError: expect.stringMatching(said),
        });
        expect(await strict.registry.metrics()).toMatch(/^gate_release_reloads_total\{result="refused"\} 1$/m);
        const statuses = () => ownAlerts.received.map(({ body }) => (body as { status?: unknown }).status);
        await eventually('the alert', () => statuses().length > 0);

        await publishSigned('v2', 'signed.tar.gz', await signBundle(good, key));
        await strict.reload();
        await eventually('the end of the alert', () => statuses().length > 1);
        expect(statuses()).toEqual(['firing', 'resolved']);
        await strict.close();
      },
    );

    it('where bundles must be signed, a release is refused when the key is not there', async () => {
      const strict = await start(await signBundle(good, key), { KEY: '' });
      expect(() => strict.releases.current()).toThrow('Expected a secret in environment variable KEY');
      await strict.close();
    });
  });

  it('a new release that is broken that cannot be read at all is told as that: a manifest that is gone', async () => {
    const before = await counted('unavailable');
    rmSync(join(folder, 'latest.json'));
    await services.reload();
    expect(await counted('unavailable')).toBe(before + 1);
    expect(logged).toEqual([expect.objectContaining({ msg: 'release cannot be read', kept: 'v1' })]);
    await eventually('the alert', () => firing() === 1);
    expect(messages()[0]?.alerts[0]?.labels).toMatchObject({ alertname: 'ReleaseUnavailable' });
  });
});
