import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { s3ClientConfig } from '../../../../src/platform/aws/clients';
import { startS3Server, type S3Server } from '../../../../src/dev/s3-server';
import { ObjectStoreError, type ObjectStore } from '../../../../src/platform/objects/object-store';
import { createS3Objects } from '../../../../src/platform/objects/stores/s3-objects';
import { describeObjectStore } from '../object-store.contract';

const credentials = { accessKeyId: 'local-access-key', secretAccessKey: 'local-secret-key' };

describe('objects in S3', () => {
  let folder: string;
  let server: S3Server;
  let client: S3Client;
  let opened = 0;
  const at = (endpoint: string, over: object = {}): S3Client =>
    new S3Client({ ...s3ClientConfig({ endpoint, region: 'us-east-1', forcePathStyle: true }), credentials, ...over });
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-s3-'));
    server = await startS3Server({ folder, logFile: join(folder, 's3.log'), buckets: ['gate'] });
    client = at(server.endpoint);
  });
  afterAll(async () => {
    client?.destroy();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  describeObjectStore(async () => createS3Objects(client, { bucket: 'gate', prefix: `store-${++opened}/` }));

  it('the S3 store lists more than one page of keys', async () => {
    const store = createS3Objects(client, { bucket: 'gate', prefix: 'many/' });
    const keys = Array.from({ length: 1_010 }, (_value, index) => `k${String(index).padStart(4, '0')}`);
    for (let from = 0; from < keys.length; from += 50) {
      await Promise.all(keys.slice(from, from + 50).map((key) => store.put(key, new Uint8Array([1]))));
    }
    expect(await store.list('k')).toEqual(keys);
  });

  it.each([
    ['a bucket that is not there', { bucket: 'absent', prefix: '' }, {}, 'NoSuchBucket'],
    [
      'credentials that are not known',
      { bucket: 'gate', prefix: '' },
      { credentials: { accessKeyId: 'someone', secretAccessKey: 'else' } },
      'access key',
    ],
  ])('the S3 store says what is wrong with %s', async (_what, place, over, why) => {
    const other = at(server.endpoint, over);
    const store = createS3Objects(other, place);
    for (const ask of [
      () => store.get('a'),
      () => store.put('a', new Uint8Array([1]), { ifMatch: '"x"' }),
      () => store.delete('a'),
      () => store.list(''),
    ]) {
      const error = await ask().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ObjectStoreError);
      expect((error as Error).message).toContain(why);
    }
    other.destroy();
  });

  describe('when the server misbehaves', () => {
    let broken: Server;
    let requests = 0;
    let answer: (request: IncomingMessage, response: ServerResponse) => void;
    let store: ObjectStore;
    let quick: S3Client;
    beforeAll(async () => {
      broken = createServer((request, response) => {
        requests += 1;
        answer(request, response);
      });
      await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
      quick = at(`http://127.0.0.1:${(broken.address() as AddressInfo).port}`, {
        maxAttempts: 2,
        requestHandler: { connectionTimeout: 2_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
      });
      store = createS3Objects(quick, { bucket: 'gate', prefix: 'p/' }, { bodyTimeoutMs: 2_000 });
    });
    afterEach(() => {
      requests = 0;
    });
    afterAll(() => {
      quick.destroy();
      broken.closeAllConnections();
      broken.close();
    });

    it('the S3 store asks once for an object that has not changed', async () => {
      answer = (request, response) => {
        expect(request.headers['if-none-match']).toBe('"tag"');
        response.writeHead(304).end();
      };
      expect(await store.getUnlessSame('a', '"tag"')).toBe('unchanged');
      expect(requests).toBe(1);
    });

    it.each([500, 503])('the S3 store tries again on %d, and gives up with its status', async (status) => {
      answer = (_request, response) => void response.writeHead(status).end('<Error><Code>SlowDown</Code></Error>');
      await expect(store.get('a')).rejects.toMatchObject({ name: 'ObjectStoreError', status });
      expect(requests).toBe(2);
    });

    it('the S3 store gives up on a server that never answers', async () => {
      answer = () => undefined;
      await expect(store.get('a')).rejects.toBeInstanceOf(ObjectStoreError);
    });

    it.each([
      [
        'breaks off',
        (response: ServerResponse) => {
          response.write('half', () => response.destroy());
        },
      ],
      ['stalls', (response: ServerResponse) => void response.write('half')],
    ])('the S3 store takes no half of a body that %s', async (_how, send) => {
      answer = (_request, response) => {
        response.writeHead(200, { etag: '"tag"', 'content-length': '8' });
        send(response);
      };
      await expect(store.get('a')).rejects.toBeInstanceOf(ObjectStoreError);
    });

    it('the S3 store stops reading a body of unknown length where the limit is', async () => {
      answer = (_request, response) => {
        response.writeHead(200, { etag: '"tag"' });
        const more = (): void =>
          void (response.destroyed || response.write('x'.repeat(1_000), () => setImmediate(more)));
        more();
      };
      await expect(store.get('a', { maxBytes: 10_000 })).rejects.toThrow('at most 10000 bytes');
    });

    it('the S3 store does not take an answer without a tag', async () => {
      answer = (_request, response) => void response.writeHead(200, { 'content-length': '1' }).end('x');
      await expect(store.get('a')).rejects.toThrow('no tag');
      await expect(store.put('a', new Uint8Array([1]))).rejects.toThrow('no tag');
    });

    it('the S3 store does not take 304 for an answer to a plain question', async () => {
      answer = (_request, response) => void response.writeHead(304).end();
      await expect(store.get('a')).rejects.toThrow('304');
    });

    it('the S3 store has nothing against deleting what the server says is not there', async () => {
      answer = (_request, response) =>
        void response
          .writeHead(404, { 'content-type': 'application/xml' })
          .end('<Error><Code>NoSuchKey</Code></Error>');
      await store.delete('a');
    });
  });

  it('the S3 store says that no one answers', async () => {
    const nobody = at('http://127.0.0.1:9', { maxAttempts: 1 });
    const store = createS3Objects(nobody, { bucket: 'gate', prefix: '' });
    await expect(store.list('')).rejects.toThrow('ECONNREFUSED');
    nobody.destroy();
  });
});
