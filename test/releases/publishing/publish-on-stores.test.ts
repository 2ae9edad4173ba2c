import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { s3ClientConfig } from '../../../src/platform/aws/clients';
import { startS3Server, type S3Server } from '../../../src/dev/s3-server';
import type { ObjectStore } from '../../../src/platform/objects/object-store';
import { createFileObjects } from '../../../src/platform/objects/stores/file-objects';
import { createS3Objects } from '../../../src/platform/objects/stores/s3-objects';
import { releasesInForce } from '../../../src/releases/publishing/in-force';
import { carryOut, planPublish } from '../../../src/releases/publishing/publish';
import { readNamed, readCurrent, type ManifestPlace } from '../../../src/releases/publishing/published-release';
import { readHistory } from '../../../src/releases/publishing/release-history';

const SUPPORT = join(__dirname, '..', '..', 'support');
const text = (content: string): Uint8Array => new TextEncoder().encode(content);

describe('publishing on real stores', () => {
  let folder: string;
  let s3: S3Server;
  let client: S3Client;
  let acts = 0;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-publishing-'));
    s3 = await startS3Server({ folder, logFile: join(folder, 's3.log'), buckets: ['gate'] });
    const credentials = {
      accessKeyId: s3.env.AWS_ACCESS_KEY_ID as string,
      secretAccessKey: s3.env.AWS_SECRET_ACCESS_KEY as string,
    };
    const access = { endpoint: s3.endpoint, region: s3.region, forcePathStyle: true };
    client = new S3Client({ ...s3ClientConfig(access), credentials });
  });
  afterAll(async () => {
    client?.destroy();
    await s3?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const inS3 = (name: string): ObjectStore => createS3Objects(client, { bucket: 'gate', prefix: `${name}/` });
  const inFolder = (name: string): ObjectStore => createFileObjects(join(folder, name));
  const history = (place: ManifestPlace) =>
    readHistory(place, (key, why) => {
      throw new Error(`${key}: ${why}`);
    });
  const took = async (place: ManifestPlace): Promise<string[]> =>
    releasesInForce(await readCurrent(place), await history(place)).map(({ manifest }) => manifest.version);

  async function publish(place: ManifestPlace, version: string, by = 'ada', read = readCurrent(place)): Promise<void> {
    const current = await read;
    const done = { by, at: new Date(Date.UTC(2026, 10, 3) + (acts += 1)).toISOString() };
    const planned = await planPublish(place, current, await history(place), {
      ...done,
      version,
      policy: { bytes: text(version.replace('v', 'p')), extension: 'tar.gz' },
      config: { bytes: text(version.replace('v', 'c')), extension: 'json' },
    });
    await carryOut(place, current, planned!, done);
  }

  it.each([
    ['S3', inS3],
    ['a folder', inFolder],
  ])('exactly one of several publishers at once wins in %s, and the others are told who did', async (_where, open) => {
    const place = { store: open('race'), key: 'latest.json' };
    for (const [round, versions] of [
      ['v1', 'v2', 'v3', 'v4'],
      ['v5', 'v6', 'v7', 'v8'],
    ].entries()) {
      // All have read the same manifest, or that there is none.
      const current = await readCurrent(place);
      const ends = await Promise.allSettled(
        versions.map((version) => publish(place, version, `by-${version}`, Promise.resolve(current))),
      );
      const winners = versions.filter((_version, index) => ends[index]?.status === 'fulfilled');
      expect(winners).toHaveLength(1);
      expect((await readCurrent(place))?.manifest).toMatchObject({
        version: winners[0],
        publishedBy: `by-${winners[0]}`,
      });
      for (const end of ends) {
        if (end.status === 'fulfilled') continue;
        expect(end.reason).toMatchObject({
          type: 'RevisionConflict',
          message: expect.stringContaining(`it names ${winners[0]}, published by by-${winners[0]}`),
        });
      }
      expect(await history(place)).toHaveLength(round + 1);
    }
  });

  describe('by a process that is killed', () => {
    let killing: Server;
    let doomed: ChildProcess | undefined;
    /** the request that is the process's last, such as `PUT /gate/kill/latest.json` */
    let last = '';
    beforeAll(async () => {
      killing = createServer((near, response) => {
        if (last !== '' && `${near.method} ${near.url}`.startsWith(last)) return void doomed?.kill('SIGKILL');
        const { method, url, headers } = near;
        const far = forward({ host: '127.0.0.1', port: s3.port, method, path: url, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        });
        far.on('error', () => response.destroy());
        near.on('error', () => far.destroy());
        near.pipe(far);
      });
      killing.listen(0, '127.0.0.1');
      await once(killing, 'listening');
    });
    afterAll(async () => {
      doomed?.kill('SIGKILL');
      killing.closeAllConnections();
      killing.close();
      await once(killing, 'close');
    });

    async function startDoomed(place: ManifestPlace, to: string, endpoint: string): Promise<ChildProcess> {
      const script = ['-r', join(SUPPORT, 'ts-require.cjs'), join(SUPPORT, 'carry-out-release.ts')];
      const current = JSON.stringify(await readCurrent(place));
      doomed = spawn(process.execPath, [...script, to, endpoint, current], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, ...s3.env },
      });
      return doomed;
    }

    it.each(['policy-v2.tar.gz', 'config-v2.json', 'latest.history/', 'latest.json'])(
      'a publisher that dies at %s leaves the old release in force, and the next try publishes',
      async (key) => {
        const name = `killed-${key.replace(/\W/g, '')}`;
        const place = { store: inS3(name), key: 'latest.json' };
        await publish(place, 'v1');
        last = `PUT /gate/${name}/${key}`;
        const child = await startDoomed(
          place,
          `${name}/`,
          `http://127.0.0.1:${(killing.address() as AddressInfo).port}`,
        );
        expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
        expect(await took(place)).toEqual(['v1']);
        await publish(place, 'v2');
        expect(await took(place)).toEqual(['v2', 'v1']);
      },
    );

    it('a publisher leaves a whole release in a folder, whenever it dies', async () => {
      const place = { store: inFolder('killed'), key: 'latest.json' };
      await publish(place, 'v1');
      const child = await startDoomed(place, join(folder, 'killed'), '');
      let published = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        published += String(chunk);
        if (published.split('\n').length > 20) child.kill('SIGKILL');
      });
      await once(child, 'exit');
      const { manifest } = (await readCurrent(place))!;
      await readNamed(place, manifest.policy, manifest.policySHA256, 100);
      await readNamed(place, manifest.config, manifest.configSHA256, 100);
      const versions = await took(place);
      // Every release that it said was published was in force, and at most the next one besides.
      const said = published.trim().split('\n').reverse();
      expect(versions.slice(versions.length - said.length - 1)).toEqual([...said, 'v1']);
      expect(versions.length - said.length - 1).toBeLessThanOrEqual(1);
      await publish(place, 'v1000');
      expect((await took(place))[0]).toBe('v1000');
      expect(readdirSync(join(folder, 'killed')).filter((name) => name.includes('.lock'))).toEqual([]);
    });
  });
});
