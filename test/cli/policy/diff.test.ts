import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startS3Server } from '../../../src/dev/s3-server';
import type { JsonObject } from '../../../src/kernel/json';
import { runCli } from '../run-cli';

const POLICY = resolve(__dirname, '..', '..', '..', 'policy');
let folder: string;

/** What `-o json` prints, as far as these tests look into it. */
interface DiffDocument {
  rules: { b: { text: string } }[];
  input_schema: unknown[];
  cases: { differences: unknown[] };
}

const write = (name: string, content: string | Buffer): void => {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
};
const rego = readFileSync(join(POLICY, 'gate.rego'), 'utf8');
const schema = JSON.parse(readFileSync(join(POLICY, 'input.json'), 'utf8')) as {
  properties: JsonObject;
  required: string[];
};
const policy = (name: string, change: (text: string) => string, input: object = schema): void => {
  write(`${name}/gate.rego`, change(rego));
  write(`${name}/input.json`, JSON.stringify(input));
};
const diff = (...argv: string[]) => runCli(folder, ['policy', 'diff', ...argv]);
const diffJson = async (...argv: string[]) => {
  const { code, stdout, stderr } = await diff(...argv, '-o', 'json');
  return { code, stderr, result: JSON.parse(stdout) as DiffDocument };
};
const limits = (name: string, maxPending: number, more: object = {}): void =>
  write(name, JSON.stringify({ limits: { maxDelta: 500, maxPending, ...more } }));
const FREE = `
deny_reasons contains sprintf("too few free: %v", [input.free]) if {
	input.free < data.config.limits.minFree
}
`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gate-diff-'));
  cpSync(POLICY, join(folder, 'a'), { recursive: true });
  limits('v1.json', 2000);
  limits('v2.json', 1500);
  limits('v3.json', 2000, { minFree: 10 });
  const free = { type: 'integer', minimum: 0 };
  policy('free', (text) => text + FREE, {
    ...schema,
    properties: { ...schema.properties, free },
    required: [...schema.required, 'free'],
  });
  policy(
    'layout',
    (text) => `# a comment\n${text.replaceAll('\n\n', '\n\n\n').replace('current > limit', 'current   > limit # c')}`,
  );
  policy('changed', (text) => text.replace('health.status != "green"', 'health.status == "red"'));
  policy('removed', (text) => text.slice(0, text.indexOf('deny_reasons contains sprintf("region_not_healthy')));
  write('manifest.json', JSON.stringify({ policy: 'a', config: 'v1.json', version: 'v1' }));
  expect(await runCli(folder, ['policy', 'build', 'a', '--to', 'a.tar.gz'])).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('gate policy diff', () => {
  it('gate policy diff finds nothing between a release and itself, by whatever name', async () => {
    const { code, stdout, stderr } = await diff('manifest.json', 'a.tar.gz', '--cases', '50');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^nothing differs\ncases: 50 tried, 0 differ \(seed 1, decided at 2\S+Z\)\n$/);
    const url = pathToFileURL(join(folder, 'a.tar.gz')).href;
    expect(await diff(pathToFileURL(join(folder, 'manifest.json')).href, url)).toMatchObject({
      code: 0,
      stdout: 'nothing differs\n',
    });
  });

  it('gate policy diff takes layout and comments for no difference, and says that the bytes differ', async () => {
    expect(await diff('a', 'layout')).toEqual({
      code: 0,
      stdout: 'nothing differs but the bytes: layout, comments or tests\n',
      stderr: '',
    });
  });

  it('gate policy diff finds a lowered limit, and exactly the inputs that it denies', async () => {
    const { code, stdout, stderr } = await diff(
      ...['manifest.json', 'a', '--config-b', 'v2.json', '--cases', '40', '--at', '2026-11-23T10:00:00Z'],
    );
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toContain('configuration:\n  limits.maxPending: 2000 -> 1500\ncases: ');
    expect(stdout).toContain(
      [
        '  {"max_pending":1501}',
        '    - allow',
        '    + deny: max_pending limit exceeded: current 1501 > configured 1500',
      ].join('\n'),
    );
    expect(stdout).toContain('{"max_pending":2000}\n    - allow\n    + deny');
    expect(stdout).toContain(
      '{"max_pending":2001}\n    - deny: max_pending limit exceeded: current 2001 > configured 2000',
    );
    expect(stdout).not.toContain('{"max_pending":1500}');
    expect(stdout).not.toContain('region_health":');
  });

  it('gate policy diff finds an added rule with the fact and the limit that it reads', async () => {
    const { code, result } = await diffJson('manifest.json', 'free', '--config-b', 'v3.json', '--cases', '200');
    expect(code).toBe(1);
    expect(result).toMatchObject({
      a: { release: 'manifest.json', version: 'v1' },
      b: { release: 'free' },
      differs: true,
      rules: [{ change: 'added', rule: 'gate.deny_reasons', b: { file: expect.stringContaining('gate.rego') } }],
      facts: { added: ['free'], removed: [] },
      input_paths: { added: ['free'], removed: [] },
      limits: { added: ['limits.minFree'], removed: [] },
      config: [{ path: 'limits.minFree', b: 10 }],
      data: [],
      cases: { seed: 1, tried: 200, calm_is_allowed: true, without_values: [] },
    });
    expect(result.rules[0]?.b.text).toBe(FREE.trim());
    expect(result.input_schema).toContainEqual({ path: 'properties.free', b: { type: 'integer', minimum: 0 } });
    expect(result.cases.differences).toContainEqual({
      input: { free: 9 },
      a: { outcome: 'allow', deny_reasons: [] },
      b: { outcome: 'deny', deny_reasons: ['too few free: 9'] },
    });
    expect(result.cases.differences).not.toContainEqual(expect.objectContaining({ input: { free: 10 } }));
  });

  it('gate policy diff finds a changed and a removed rule, and the texts at which they differ', async () => {
    const changed = await diffJson('a', 'changed', '--cases', '100');
    expect(changed.result.rules).toMatchObject([{ change: 'changed', rule: 'gate.deny_reasons' }]);
    expect(changed.result.cases.differences).toContainEqual({
      input: { region_health: { one: { status: 'another' } } },
      a: { outcome: 'deny', deny_reasons: ['region_not_healthy: one'] },
      b: { outcome: 'allow', deny_reasons: [] },
    });
    const removed = await diff('a', 'removed');
    expect(removed.stdout).toContain('gate.deny_reasons removed (');
    expect(removed.stdout).toContain('facts read:\n  - region_health\n');
    expect(removed.stdout).toContain('    -     health.status != "green"');
  });

  it('gate policy diff gives the same cases for the same seed, and others for another', async () => {
    const cases = async (seed: string): Promise<unknown> => {
      const argv = ['a', 'free', '--config-a', 'v2.json', '--config-b', 'v3.json', '--cases', '300', '--seed', seed];
      return (await diffJson(...argv, '--at', '2026-11-23T10:00:00Z')).result.cases;
    };
    const first = await cases('7');
    expect(await cases('7')).toEqual(first);
    expect(await cases('8')).not.toEqual(first);
  });

  it('gate policy diff says what keeps both from allowing, where no input does', async () => {
    const { code, stdout } = await diff('manifest.json', 'free', '--cases', '5');
    expect(code).toBe(1);
    expect(stdout).toContain('no input was found that both allow');
    expect(stdout).toMatch(
      /\+ error: ConfigInvalid: gate\.rego:32:\d+: The policy reads data\.config\.limits\.minFree/,
    );
  });

  it('gate policy diff reads manifests and bundles from S3', async () => {
    const s3 = await startS3Server({ folder, logFile: join(folder, 's3.log'), buckets: ['releases'] });
    const before = { ...process.env };
    try {
      const { S3Client, PutObjectCommand } = await import('@aws-sdk/client-s3');
      const { s3ClientConfig } = await import('../../../src/platform/aws/clients.js');
      const access = { endpoint: s3.endpoint, region: s3.region, forcePathStyle: true };
      Object.assign(process.env, s3.env);
      const client = new S3Client(s3ClientConfig(access));
      for (const [Key, Body] of [
        ['p/a.tar.gz', readFileSync(join(folder, 'a.tar.gz'))],
        ['p/v2.json', readFileSync(join(folder, 'v2.json'))],
        ['p/latest.json', JSON.stringify({ policy: 'a.tar.gz', config: 'v2.json', version: 'v2' })],
      ] as const) {
        await client.send(new PutObjectCommand({ Bucket: 'releases', Key, Body }));
      }
      client.destroy();
      write('settings.json', JSON.stringify({ release: { s3: access, digests: 'optional', cacheFolder: 'cache' } }));
      const argv = ['--settings', 'settings.json', '--config-a', 'v1.json'];
      const { code, stdout, stderr } = await diff('s3://releases/p/a.tar.gz', 's3://releases/p/latest.json', ...argv);
      expect({ code, stdout, stderr }).toEqual({
        code: 1,
        stdout: 'configuration:\n  limits.maxPending: 2000 -> 1500\n',
        stderr: '',
      });
      const absent = await diff('s3://releases/p/b.tar.gz', 'a', '--settings', 'settings.json');
      expect(absent).toMatchObject({ code: 2, stderr: expect.stringContaining('found none') });
    } finally {
      process.env = before;
      await s3.stop();
    }
  });

  it.each([
    [['a'], "missing required argument 'b'"],
    [['a', 'nothing.json'], 'nothing.json'],
    [['a', 'nothing'], 'could not be read (ENOENT)'],
    [['a', 'ftp://host/x.tar.gz'], 'could not be read (ENOENT)'],
    [['a', 'file://host/x.tar.gz'], 'Expected a file:// URL of this machine'],
    [['a', 'file:///nothing.tar.gz'], 'could not be read (ENOENT)'],
    [['a', 's3://Bad_Bucket/x.tar.gz'], 'with the name of a bucket'],
    [['a', 'v1.json'], 'v1.json'],
    [['a', 'empty.tar.gz'], 'empty.tar.gz: The policy bundle cannot be read: expected a gzip archive'],
    [['a', 'broken'], 'broken: gate.rego:4'],
    [['a', 'a', '--config-a', 'nothing.yaml'], 'nothing.yaml'],
    [['a', 'a', '--config-b', 'bad.yaml'], 'bad.yaml'],
    [['a', 'a', '--cases', '0'], 'Expected a whole number from 1 to 10000'],
    [['a', 'a', '--seed', '-1'], 'Expected a whole number below 2^32'],
    [['a', 'a', '--at', 'noon'], 'expected --at to be an RFC 3339 time'],
  ])('gate policy diff refuses %j with exit code 2', async (argv, message) => {
    write('empty.tar.gz', '');
    write('bad.yaml', 'limits: [\n');
    write('broken/gate.rego', 'package gate\n\nx := {\n');
    const { code, stdout, stderr } = await diff(...argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
