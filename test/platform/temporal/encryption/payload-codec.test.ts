import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { defaultPayloadConverter } from '@temporalio/common';
import { startCodecServer } from '../../../../src/api/codec-server';
import { parseKeyBytes, toPayloadKeys } from '../../../../src/platform/temporal/encryption/encryption-key';
import { createPayloadCodec } from '../../../../src/platform/temporal/encryption/payload-codec';

const key = (id: string) => ({ id, bytes: new Uint8Array(randomBytes(32)) });
const SECRET = 'SECRET-4711';
const payload = () => defaultPayloadConverter.toPayload({ serial: SECRET })!;

describe('payload encryption', () => {
  it('payload encryption hides a payload and gives it back', async () => {
    const codec = createPayloadCodec([key('a')]);
    const [sealed] = await codec.encode([payload()]);
    expect(Buffer.from(sealed!.data!).includes(SECRET)).toBe(false);
    expect(Buffer.from(sealed!.metadata!['encryption-key-id']!).toString()).toBe('a');
    const [opened] = await codec.decode([sealed!]);
    expect(defaultPayloadConverter.fromPayload(opened!)).toEqual({ serial: SECRET });
  });

  it('payload encryption reads what an earlier key encrypted, and what none did', async () => {
    const [old, now] = [key('old'), key('now')];
    const sealed = await createPayloadCodec([old]).encode([payload()]);
    const rotated = createPayloadCodec([now, old]);
    const opened = await rotated.decode([...sealed, payload()]);
    expect(opened.map((one) => defaultPayloadConverter.fromPayload(one))).toEqual([
      { serial: SECRET },
      { serial: SECRET },
    ]);
  });

  it('payload encryption names the id of a key that is not there, and refuses altered bytes', async () => {
    const a = key('a');
    const [sealed] = await createPayloadCodec([a]).encode([payload()]);
    await expect(createPayloadCodec([key('b')]).decode([sealed!])).rejects.toThrow('id "a"');
    await expect(createPayloadCodec([{ ...key('a') }]).decode([sealed!])).rejects.toThrow('does not open');
    await expect(createPayloadCodec([a]).decode([{ ...sealed!, data: new Uint8Array(3) }])).rejects.toThrow(
      'does not open',
    );
  });

  it('payload encryption leaves what no key opens as it is in a workflow, and throws in an activity', async () => {
    const a = key('a');
    const [sealed] = await createPayloadCodec([a]).encode([payload()]);
    const altered = { ...sealed!, data: new Uint8Array(3) };
    const workflow = { type: 'workflow', namespace: 'default', workflowId: 'w' } as const;
    const activity = { type: 'activity', namespace: 'default', isLocal: false } as const;
    const codec = createPayloadCodec([key('b'), { ...a, id: 'c' }]);
    expect(await codec.decode([sealed!, altered, payload()], workflow)).toEqual([sealed, altered, payload()]);
    await expect(codec.decode([sealed!], activity)).rejects.toThrow('id "a"');
    const [opened] = await createPayloadCodec([a]).decode([sealed!], workflow);
    expect(defaultPayloadConverter.fromPayload(opened!)).toEqual({ serial: SECRET });
  });

  it.each(['', 'short', 'é'.repeat(32), 'ab'.repeat(31), randomBytes(33).toString('base64')])(
    'payload encryption takes no key %j',
    (text) => {
      expect(parseKeyBytes(text)).toBeUndefined();
    },
  );

  it('payload encryption takes hex and base64 keys, and names every fault without the key', () => {
    const bytes = randomBytes(32);
    expect(parseKeyBytes(bytes.toString('hex'))).toEqual(new Uint8Array(bytes));
    expect(parseKeyBytes(bytes.toString('base64'))).toEqual(new Uint8Array(bytes));
    const text = bytes.toString('hex');
    const given = [
      { id: 'a', text },
      { id: 'a', text },
      { id: 'b', text: 'wrong-one' },
    ];
    expect(() => toPayloadKeys(given)).toThrow(/a twice.*key b to be 32 bytes/);
    expect(() => toPayloadKeys(given)).not.toThrow('wrong-one');
  });
});

describe('the codec server', () => {
  const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(url, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });

  it("the codec server decodes for a caller with the token, and answers the UI's preflight", async () => {
    const codec = createPayloadCodec([key('a')]);
    const uiOrigin = 'http://127.0.0.1:8233';
    const server = await startCodecServer({ host: '127.0.0.1', port: 0, codec, token: 'token-1', uiOrigin });
    try {
      const sealed = await codec.encode([payload()]);
      const json = sealed.map(({ metadata, data }) => ({
        metadata: Object.fromEntries(Object.entries(metadata!).map(([k, v]) => [k, Buffer.from(v).toString('base64')])),
        data: Buffer.from(data!).toString('base64'),
      }));
      const authorization = 'Bearer token-1';
      expect((await post(`${server.url}/decode`, { payloads: json })).status).toBe(401);
      const decoded = await post(`${server.url}/decode`, { payloads: json }, { authorization, origin: uiOrigin });
      expect(decoded.headers.get('access-control-allow-origin')).toBe(uiOrigin);
      const { payloads } = (await decoded.json()) as { payloads: { data: string }[] };
      expect(JSON.parse(Buffer.from(payloads[0]!.data, 'base64').toString())).toEqual({ serial: SECRET });
      const encoded = await post(`${server.url}/encode`, { payloads }, { authorization });
      expect(await encoded.text()).not.toContain(payloads[0]!.data);
      const foreign = { authorization, origin: 'https://evil.example' };
      expect((await post(`${server.url}/decode`, { payloads: json }, foreign)).status).toBe(403);
      const preflight = await fetch(`${server.url}/decode`, { method: 'OPTIONS', headers: { origin: uiOrigin } });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get('access-control-allow-headers')).toContain('x-namespace');
      for (const wrong of [
        {},
        { payloads: [1] },
        { payloads: [{ data: '§' }] },
        { payloads: [{ metadata: { a: 1 } }] },
      ]) {
        expect((await post(`${server.url}/decode`, wrong, { authorization })).status).toBe(400);
      }
      const unknown = await createPayloadCodec([key('gone')]).encode([payload()]);
      const metadata = { encoding: 'YmluYXJ5L2VuY3J5cHRlZA==', 'encryption-key-id': 'Z29uZQ==' };
      const data = Buffer.from(unknown[0]!.data!).toString('base64');
      const refused = await post(`${server.url}/decode`, { payloads: [{ metadata, data }] }, { authorization });
      expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('gone')]);
    } finally {
      await server.close();
    }
  });

  it('the codec server listens beyond loopback only with a token, and wants an origin', async () => {
    const codec = createPayloadCodec([key('a')]);
    await expect(startCodecServer({ host: '0.0.0.0', port: 0, codec })).rejects.toThrow('Expected a token');
    const options = { host: '127.0.0.1', port: 0, codec, uiOrigin: 'http://x/path' };
    await expect(startCodecServer(options)).rejects.toThrow('--ui-origin');
  });
});
