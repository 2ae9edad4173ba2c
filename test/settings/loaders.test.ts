import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { loadDeployment, validateDeployment } from '../../src/gate/deployments/files/load-deployment';
import { loadReleaseConfig } from '../../src/releases/sources/load-release-config';
import { readSecret } from '../../src/platform/files/read-secret';
import { loadSettings } from '../../src/settings/load-settings';
import { temporalConnectionConfig } from '../../src/settings/temporal-connection';
import { ReleaseConfig } from '../../src/releases/config/release-config';
import { Settings } from '../../src/settings/settings';
import { validate } from '../../src/platform/documents/validate';
import { messagesOf, withFile } from '../support/in-folder';

const configs = join(__dirname, '../../configs');
const example = (name: string) => join(configs, 'examples', name);
const packageManifest = pathToFileURL(join(configs, 'manifests/latest.json')).href;

describe('what is shipped in configs/', () => {
  it('the shipped configuration has the same defaults in PKL as in the schema', async () => {
    const [{ config }, { settings }] = await Promise.all([
      loadReleaseConfig(join(configs, 'Release.pkl')),
      loadSettings(join(configs, 'Settings.pkl'), {}, '/'),
    ]);
    expect(config).toEqual(validate(ReleaseConfig, {}, { file: '' }));
    expect(settings).toEqual({
      ...validate(Settings, {}, { file: '' }),
      release: {
        manifest: packageManifest,
        refreshInterval: '30s',
        s3: { forcePathStyle: false },
        allowWasmOnly: false,
        allow: { modules: [], env: [], files: [] },
      },
    });
  });

  it('the shipped configuration says the same in every format', async () => {
    const [pkl, yaml, json] = await Promise.all(
      ['release.pkl', 'release.yaml', 'release.json'].map((name) => loadReleaseConfig(example(name))),
    );
    expect(Object.keys(pkl?.config.facts ?? {})).toEqual(['pending_delta', 'max_pending', 'region_health']);
    expect(yaml?.config).toEqual(pkl?.config);
    expect(json?.config).toEqual(pkl?.config);
    const settings = await Promise.all(
      ['local.pkl', 'settings.yaml', 'settings.json'].map((name) => loadSettings(example(name), {}, '/')),
    );
    expect(settings[0]?.settings.release.manifest).toBe(packageManifest);
    expect(settings[1]?.settings).toEqual(settings[0]?.settings);
    expect(settings[2]?.settings).toEqual(settings[0]?.settings);
    expect(await loadDeployment('deployment.json', example(''))).toEqual(
      await loadDeployment('deployment.yaml', example('')),
    );
  });

  it('the shipped configuration names a policy and a configuration that exist in its manifest', async () => {
    const manifest = JSON.parse(await readFile(join(configs, 'manifests/latest.json'), 'utf8')) as Record<
      string,
      string
    >;
    expect(manifest).toEqual({ policy: '../../policy', config: '../examples/release.pkl', version: 'v1' });
    await expect(readFile(join(configs, 'manifests', manifest.policy ?? '', 'gate.rego'), 'utf8')).resolves.toContain(
      'package gate',
    );
  });
});

describe('settings', () => {
  it.each([{}, { GATE_SETTINGS: '' }])(
    'settings are all defaults, with the shipped manifest, when nothing names a file: %j',
    async (env) => {
      const { settings, baseDir } = await loadSettings(undefined, env, '/somewhere');
      expect(settings.http).toEqual({ host: '127.0.0.1', port: 9100, openProbes: false });
      expect(settings.release.manifest).toBe(packageManifest);
      expect(baseDir).toBe('/somewhere');
    },
  );

  it('settings come from the path given, else from GATE_SETTINGS, both relative to the working folder', async () => {
    await withFile('s.yaml', 'http: { port: 1 }', async (path) => {
      const cwd = dirname(path);
      expect((await loadSettings('s.yaml', { GATE_SETTINGS: 'none.yaml' }, cwd)).settings.http.port).toBe(1);
      expect(await loadSettings(undefined, { GATE_SETTINGS: 's.yaml' }, cwd)).toMatchObject({
        settings: { http: { port: 1 } },
        baseDir: cwd,
      });
    });
  });

  it.each([
    ['m.json', (folder: string) => pathToFileURL(join(folder, 'm.json')).href],
    ['/m/m.json', () => 'file:///m/m.json'],
    ['file:///m/m.json', () => 'file:///m/m.json'],
    ['https://h/m.json', () => 'https://h/m.json'],
  ])('settings resolve the manifest %s against their own folder', async (manifest, expected) => {
    await withFile('s.json', JSON.stringify({ release: { manifest } }), async (path) => {
      const { settings } = await loadSettings(path, {}, '/');
      expect(settings.release.manifest).toBe(expected(dirname(path)));
      expect(Object.isFrozen(settings.release)).toBe(true);
    });
  });

  it('settings are refused with the file, line and column of every fault', async () => {
    await withFile('s.yaml', 'http:\n  prot: 1\nlogLevel: loud\nrelease:\n  refreshInterval: soon\n', async (path) => {
      expect((await messagesOf(() => loadSettings(path, {}, '/'))).sort()).toEqual([
        's.yaml:2:3: unknown key prot in http; did you mean port?',
        's.yaml:3:1: expected logLevel to be one of trace, debug, info, warn, error, silent, got "loud"',
        's.yaml:5:3: expected release.refreshInterval to be a duration such as 500ms, 45s, 6h, got "soon"',
      ]);
    });
    await withFile('s.yaml', 'http: {}\nrelease: { refreshInterval: 99999999999999999d }', async (path) => {
      expect(await messagesOf(() => loadSettings(path, {}, '/'))).toEqual([
        's.yaml:2:12: expected a duration that can be counted in milliseconds, got 99999999999999999d',
      ]);
    });
  });

  it.each([
    ['0s', false],
    ['400s', false],
    ['23.9h', false],
    ['24h', true],
    ['1d', true],
  ])('settings keep records for %s: %s', async (retention, isFit) => {
    await withFile('s.yaml', `audit:\n  store: { type: dynamodb, retention: ${retention} }\n`, async (path) => {
      const loading = loadSettings(path, {}, '/');
      if (isFit) expect((await loading).settings.audit.store.retention).toBe(retention);
      else {
        expect(await messagesOf(() => loading)).toEqual([
          `s.yaml:2:28: expected audit.store.retention to be at least 1d, got ${retention}`,
        ]);
      }
    });
    await withFile('s.yaml', `audit:\n  retention: ${retention}\n`, async (path) => {
      const loading = loadSettings(path, {}, '/');
      if (isFit) expect((await loading).settings.audit.retention).toBe(retention);
      else {
        expect(await messagesOf(() => loading)).toEqual([
          `s.yaml:2:3: expected audit.retention to be at least 1d, got ${retention}`,
        ]);
      }
    });
  });

  it('settings are refused with the line of every pointer in audit.mask that masks nothing', async () => {
    const mask = ['/input/fleet/serial', '/input/a~2', '/input/deployment/id', '/input/deployment/attributes/owner'];
    const text = `audit:\n  mask:\n${mask.map((pointer) => `    - ${pointer}\n`).join('')}`;
    await withFile('s.yaml', text, async (path) => {
      expect(await messagesOf(() => loadSettings(path, {}, '/'))).toEqual([
        's.yaml:4:7: audit.mask[1]: Expected a JSON Pointer below /input, found "/input/a~2"',
        's.yaml:5:7: audit.mask[2]: Expected a fact or an attribute, found /input/deployment/id, which names the decision and cannot be masked',
      ]);
    });
  });

  it.each(['input/a', '/input', '/result/a', ''])(
    'settings refuse to mask %j, which is not below /input',
    async (pointer) => {
      await withFile('s.yaml', `audit:\n  mask: ['${pointer}']\n`, async (path) => {
        const [message, ...others] = await messagesOf(() => loadSettings(path, {}, '/'));
        expect(message).toMatch(/^s\.yaml:2:10: expected audit\.mask\[0\] to be a text that matches/);
        expect(others).toEqual([]);
      });
    },
  );

  it('settings in PKL keep records for a day at least, too', async () => {
    const text = `amends "modulepath:/Settings.pkl"\n\naudit { store { retention = 23.h } }\n`;
    await withFile('s.pkl', text, async (path) => {
      await expect(loadSettings(path, {}, '/')).rejects.toMatchObject({
        type: 'ConfigInvalid',
        message: expect.stringContaining('this >= 1.d'),
      });
    });
  });
});

describe('a release configuration', () => {
  it('a release configuration may hold limits alone, and is known by the digest of its bytes', async () => {
    const text = '{"limits": {"a": 1}}';
    await withFile('r.json', text, async (path) => {
      const { config, configDocument, configRev } = await loadReleaseConfig(path);
      expect(config.limits).toEqual({ a: 1 });
      expect(config.stages.onDeny).toBe('fail');
      expect(configDocument).toEqual({ limits: { a: 1 }, parameters: {} });
      expect(configRev).toBe(createHash('sha256').update(text).digest('hex'));
    });
  });

  it.each([
    [
      'facts: { a-b: { type: config, path: "" } }',
      'expected a fact\'s id to be a name of letters, digits and _ that does not begin with a digit, got "a-b"',
    ],
    [
      'facts: { 1a: { type: config, path: "" } }',
      'expected a fact\'s id to be a name of letters, digits and _ that does not begin with a digit, got "1a"',
    ],
    [
      'facts: { deployment: { type: config, path: "" } }',
      "no fact may be called deployment: the policy's input has a key of that name",
    ],
    [
      'facts: { decision_time: { type: config, path: "" } }',
      "no fact may be called decision_time: the policy's input has a key of that name",
    ],
    ['stages: { recheckEvery: 0s }', 'expected stages.recheckEvery to be longer than 0, got "0s"'],
    [
      'allowedClockSkew: 99999999999999999d',
      'expected a duration that can be counted in milliseconds, got 99999999999999999d',
    ],
    [
      'limits: { a: { b: 9007199254740993 } }',
      'expected limits.a.b to be a whole number within ±(2^53 − 1), got 9007199254740993',
    ],
    ['limits: { a: .inf }', 'expected limits.a to be a finite number, got .inf'],
  ])('a release configuration is refused when it says %s', async (text, message) => {
    await withFile('r.yaml', `# line 1\n${text}`, async (path) => {
      expect(await messagesOf(() => loadReleaseConfig(path))).toEqual([expect.stringMatching(/^r\.yaml:2:\d+: /)]);
      expect((await messagesOf(() => loadReleaseConfig(path))).join()).toContain(message);
    });
  });
});

describe('a deployment', () => {
  const stages = (...list: object[]) => ({ id: 'd', stages: list });
  const http = { type: 'http', method: 'PATCH', url: 'http://h/x' };

  it.each([
    stages({ name: 's' }),
    stages({ name: 's', action: { ...http, body: { a: '{{ stage_attributes.n }}' } }, attributes: { n: 1 } }),
    stages({ name: 's', action: { type: 'none' }, recheckEvery: '1ms' }, { name: 'S' }),
  ])('a deployment is accepted: %j', (document) => {
    expect(validateDeployment(document)).toEqual(document);
  });

  it.each<[string, unknown, string]>([
    ['no object', 'x', 'expected the document to be an object, got a text'],
    ['no stages', stages(), 'expected stages to be a list of at least 1, got 0 items'],
    ['a stage twice', stages({ name: 's' }, { name: 't' }, { name: 's' }), 'stages[2] has the name of stages[0]: s'],
    [
      'a name with a space',
      stages({ name: 'a b' }),
      'expected stages[0].name to be a text that matches ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$, got "a b"',
    ],
    [
      'a zero recheck',
      stages({ name: 's', recheckEvery: '0ms' }),
      'expected stages[0].recheckEvery to be longer than 0, got "0ms"',
    ],
    [
      'an endless recheck',
      stages({ name: 's', recheckEvery: '99999999999999999d' }),
      'expected a duration that can be counted in milliseconds, got 99999999999999999d',
    ],
    [
      'NaN as attribute',
      { ...stages({ name: 's' }), attributes: { a: NaN } },
      'expected attributes.a to be a finite number, got NaN',
    ],
    [
      'an unsafe integer',
      stages({ name: 's', attributes: { a: 2 ** 53 } }),
      'expected stages[0].attributes.a to be a whole number within ±(2^53 − 1), got 9007199254740992',
    ],
    [
      'an unknown type of action',
      stages({ name: 's', action: { type: 'htp' } }),
      'expected stages[0].action.type to be one of none, http, module, notify, replicate-image, shard (did you mean http?), got "htp"',
    ],
    [
      'a template of an absent attribute',
      stages({ name: 's', action: { ...http, body: { n: '{{ attributes.n }}' } } }),
      'stages[0]: Unknown path attributes.n in the template at action.body.n; templates may read deployment_id, stage, stage_index, attributes, stage_attributes, decision_id',
    ],
  ])('a deployment is refused with %s', async (_, document, message) => {
    expect(await messagesOf(() => validateDeployment(document))).toEqual([`the deployment: ${message}`]);
  });

  it('a deployment read from a file has the line of each fault', async () => {
    await withFile('d.yaml', 'id: d\nstages:\n  - name: s\n  - name: s\n    onDney: wait\n', async (path) => {
      expect(await messagesOf(() => loadDeployment('d.yaml', dirname(path)))).toEqual([
        'd.yaml:5:5: unknown key onDney in stages[1]; did you mean onDeny?',
      ]);
    });
  });
});

describe('the connection to Temporal', () => {
  const temporal = (fields: object) => validate(Settings, { temporal: { ...fields } }, { file: '' });

  it.each([
    [{}, {}, 'localhost:7233', 'default'],
    [{}, { TEMPORAL_ADDRESS: 'a:1', TEMPORAL_NAMESPACE: 'n' }, 'a:1', 'n'],
    [{ address: 'b:2', namespace: 'm' }, { TEMPORAL_ADDRESS: 'a:1', TEMPORAL_NAMESPACE: 'n' }, 'b:2', 'm'],
  ])(
    'the connection to Temporal, of settings %j and variables %j is %s in %s',
    async (fields, env, address, namespace) => {
      await withFile('temporal.toml', '[profile.default]\n', async (path) => {
        const config = temporalConnectionConfig(temporal(fields), { TEMPORAL_CONFIG_FILE: path, ...env });
        expect(config).toMatchObject({ address, namespace, connectionOptions: { address } });
      });
    },
  );

  it('the connection to Temporal follows a profile, and a profile that does not exist is refused', async () => {
    await withFile(
      'temporal.toml',
      '[profile.prod]\naddress = "p:3"\nnamespace = "prod"\napi_key = "k"\n',
      async (path) => {
        const env = { TEMPORAL_CONFIG_FILE: path };
        const config = temporalConnectionConfig(temporal({ profile: 'prod' }), env);
        expect(config).toMatchObject({
          address: 'p:3',
          namespace: 'prod',
          connectionOptions: { apiKey: 'k', tls: true },
        });
        expect((await messagesOf(() => temporalConnectionConfig(temporal({ profile: 'none' }), env)))[0]).toMatch(
          /none/,
        );
      },
    );
  });
});

describe('a secret', () => {
  it('a secret is read from a file or a variable, trimmed', async () => {
    await withFile('token', ' s3cret\n', async (path) => {
      expect(await readSecret({ file: 'token' }, { env: {}, configFolder: dirname(path) })).toBe('s3cret');
    });
    expect(await readSecret({ env: 'T' }, { env: { T: ' s3cret\n' }, configFolder: '/' })).toBe('s3cret');
  });

  it.each([
    [{ file: 'none' }, 'Expected a secret in file none, but it could not be read (ENOENT)'],
    [{ env: 'NONE' }, 'Expected a secret in environment variable NONE, but it is not set or empty'],
    [{ env: 'BLANK' }, 'Expected a secret in environment variable BLANK, but it is not set or empty'],
  ])('a secret that is not at %j is refused', async (ref, message) => {
    expect(await messagesOf(() => readSecret(ref, { env: { BLANK: ' ' }, configFolder: '/nonexistent' }))).toEqual([
      message,
    ]);
  });
});
