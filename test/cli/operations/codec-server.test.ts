import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { run } from '../../../src/cli/run';
import { createPayloadCodec } from '../../../src/platform/temporal/encryption/payload-codec';
import { eventually } from '../../support/temporal-env';
import { runCli } from '../run-cli';

const TOKEN = 'token-of-the-test';
const UI = 'http://127.0.0.1:8233';
const KEY = randomBytes(32);
const codec = createPayloadCodec([{ id: 'k1', bytes: new Uint8Array(KEY) }]);

describe('gate codec-server', () => {
  let folder: string;
  let settings: string;
  let taken: Server;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-codec-'));
    settings = join(folder, 'settings.json');
    const encryptionKeys = [{ id: 'k1', key: { env: 'KEY' } }];
    writeFileSync(settings, JSON.stringify({ temporal: { encryptionKeys } }));
    writeFileSync(join(folder, 'without.json'), '{}');
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    await new Promise((resolve) => taken.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  const env = { KEY: KEY.toString('hex'), GATE_CODEC_TOKEN: TOKEN };

  /** The command in this process while `use` runs; it must end with exit code 0 when it is told to. */
  async function serving(args: string[], vars: NodeJS.ProcessEnv, use: (url: string) => Promise<void>): Promise<void> {
    const abort = new AbortController();
    let stdout = '';
    const io = {
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: () => undefined },
      env: { ...vars, XDG_DATA_HOME: folder, GATE_READY_LINE: '1' },
      cwd: folder,
      signal: abort.signal,
    };
    const ended = run(['codec-server', '--settings', settings, '--port', '0', ...args], io);
    try {
      const url = await eventually('the ready line', () => (JSON.parse(stdout) as { http?: string }).http);
      await use(url);
    } finally {
      abort.abort();
    }
    expect(await ended).toBe(0);
  }
  const toJson = ({ metadata, data }: Payload) => ({
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    ),
    data: Buffer.from(data ?? []).toString('base64'),
  });
  const sealed = async (by = codec) => ({
    payloads: (await by.encode([defaultPayloadConverter.toPayload('open sesame')!])).map(toJson),
  });
  const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(url, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}`, ...headers },
    });
  const text = (answer: { payloads: { data: string }[] }) =>
    Buffer.from(answer.payloads[0]?.data ?? '', 'base64').toString();

  it('gate codec-server decodes for a caller with the token, and for no one else', async () => {
    await serving([], env, async (url) => {
      const answer = await post(`${url}/decode`, await sealed());
      expect(text((await answer.json()) as Parameters<typeof text>[0])).toBe('"open sesame"');
      for (const authorization of ['', 'Bearer', 'Bearer other', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`]) {
        const refused = await post(`${url}/decode`, await sealed(), { authorization });
        expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      }
    });
  });

  it('gate codec-server names the id of a key that it does not have, and bytes that its key does not open', async () => {
    await serving([], env, async (url) => {
      const other = (id: string) => createPayloadCodec([{ id, bytes: new Uint8Array(randomBytes(32)) }]);
      for (const [id, words] of [
        ['k2', 'id \\"k2\\"'],
        ['k1', 'does not open'],
      ] as const) {
        const refused = await post(`${url}/decode`, await sealed(other(id)));
        expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining(words)]);
      }
    });
  });

  it("gate codec-server answers the preflight of the UI's pages, without a token, and of no others", async () => {
    await serving(['--ui-origin', UI], env, async (url) => {
      const preflight = (origin: string) => fetch(`${url}/decode`, { method: 'OPTIONS', headers: { origin } });
      const { status, headers } = await preflight(UI);
      expect([status, headers.get('access-control-allow-origin')]).toEqual([204, UI]);
      expect(headers.get('access-control-allow-headers')).toContain('authorization');
      expect((await preflight('https://elsewhere.example')).status).toBe(403);
    });
  });

  it('gate codec-server asks for no token on loopback when told so, and then not for names that only look like it', async () => {
    await serving(['--without-token'], { KEY: env.KEY }, async (url) => {
      expect((await post(`${url}/decode`, await sealed(), { authorization: '' })).status).toBe(200);
      expect((await post(`${url}/other`, {})).status).toBe(404);
      expect((await post(`${url}/decode`, 'no object')).status).toBe(400);
    });
  });

  it.each([
    ['a port that is none', ['--port', '65536'], env, 'from 0 to 65535'],
    ['a port in use', ['--port', 'taken'], env, 'EADDRINUSE'],
    ['no token', [], { KEY: env.KEY }, 'GATE_CODEC_TOKEN'],
    ['no token beyond loopback', ['--host', '0.0.0.0', '--without-token'], { KEY: env.KEY }, 'not a loopback address'],
    ['an origin with a path', ['--ui-origin', `${UI}/path`], env, '--ui-origin'],
    ['no origin', ['--ui-origin', 'here'], env, '--ui-origin'],
    ['no key where the settings name one', [], { GATE_CODEC_TOKEN: TOKEN }, 'environment variable KEY'],
    ['a key that is too short', [], { ...env, KEY: 'short' }, '32 bytes'],
    ['no keys in the settings', ['--settings', 'without.json'], env, 'temporal.encryptionKeys'],
  ])('gate codec-server ends with exit code 2 for %s', async (_what, args, vars, words) => {
    const { port } = taken.address() as AddressInfo;
    const given = args.map((arg) => (arg === 'taken' ? String(port) : arg));
    const { code, stderr } = await runCli(folder, ['codec-server', '--settings', settings, ...given], vars);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(words) });
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
