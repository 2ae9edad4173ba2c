import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { Agent } from 'undici';
import { copyBlobs } from '../../../src/images/copying/copy-blobs';
import { HttpRegistry } from '../../../src/images/registries/http-registry';
import { Pace } from '../../../src/images/registries/pace';
import type { RegistryHttpOptions } from '../../../src/images/registries/registry-http';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { pushImage } from '../../support/oci-registry/push-image';
import { sampleImage } from '../../support/oci-registry/sample-image';

describe('the limits of a registry', () => {
  const dispatcher = new Agent();
  const started: OciRegistry[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((one) => one.stop()));
  });
  afterAll(() => dispatcher.close());

  async function start(): Promise<OciRegistry> {
    const server = await startOciRegistry();
    started.push(server);
    return server;
  }

  const speakTo = (server: OciRegistry, over: Partial<RegistryHttpOptions> = {}) =>
    new HttpRegistry({
      registry: server.host,
      plainHttp: true,
      dispatcher,
      findCredentials: () => Promise.resolve(undefined),
      firstBackoffMs: 1,
      ...over,
    });

  it('one request at once is enough to copy within a registry that does not mount', async () => {
    const server = await start();
    const { layers, ...image } = sampleImage({ layerSizes: [300_000, 400_000, 500_000] });
    pushImage(server, 'team/app', { layers, ...image }, 'v1');
    const registry = speakTo(server, { concurrency: 1, timeoutMs: 60_000, attempts: 1 });
    for (const layer of layers) {
      const open = () => registry.readBlob('team/app', layer);
      // A name without the blob is what a registry that does not mount amounts to.
      expect(await registry.writeBlob('team/copy', layer, open, 'team/none')).toBe('sent');
    }
    const uploads = layers.map((layer) =>
      registry.writeBlob('team/other', layer, () => registry.readBlob('team/app', layer)),
    );
    expect(await Promise.all(uploads)).toEqual(['sent', 'sent', 'sent']);
  });

  it('copies in both directions between two registries do not wait for each other', async () => {
    const [one, other] = [await start(), await start()];
    const image = sampleImage({ layerSizes: [300_000, 400_000, 500_000] });
    for (const server of [one, other]) pushImage(server, 'team/app', image, 'v1');
    const [first, second] = [one, other].map((server) => speakTo(server, { concurrency: 1, timeoutMs: 2000 }));
    const copy = (from: HttpRegistry, to: HttpRegistry) =>
      copyBlobs({ registry: from, repository: 'team/app' }, { registry: to, repository: 'team/copy' }, image.layers, {
        concurrency: 3,
      });
    const copies = await Promise.all([copy(first!, second!), copy(second!, first!)]);
    expect(copies.map(({ counts }) => counts.blobsSent)).toEqual([3, 3]);
  });

  it('a download counts among the requests at once until its body is read', async () => {
    const server = await start();
    const { layers } = sampleImage({ layerSizes: [4_000_000] });
    server.content.open('team/app').blobs.set(layers[0]!.digest, layers[0]!.bytes);
    const registry = speakTo(server, { concurrency: 1 });
    const reading = registry.readBlob('team/app', layers[0]!)[Symbol.asyncIterator]();
    await reading.next();
    const waiting = registry.hasBlob('team/app', layers[0]!.digest);
    await speakTo(server).hasBlob('team/none', layers[0]!.digest);
    expect(server.asked.filter((asked) => asked.startsWith('HEAD') && asked.includes('team/app'))).toEqual([]);
    await reading.return!();
    expect(await waiting).toBe(true);
  });

  it('a download that is given up makes room for others', async () => {
    const server = await start();
    const { layers } = sampleImage({ layerSizes: [4_000_000] });
    server.content.open('team/app').blobs.set(layers[0]!.digest, layers[0]!.bytes);
    server.setFaults(({ method, before }) => (method === 'GET' && before < 3 ? { cutAfter: 0 } : undefined));
    const registry = speakTo(server, { concurrency: 1, attempts: 1 });
    await expect(
      (async () => {
        for await (const part of registry.readBlob('team/app', layers[0]!)) expect(part.length).toBeGreaterThan(0);
      })(),
    ).rejects.toMatchObject({ failure: 'unavailable' });
    expect(await registry.hasBlob('team/app', layers[0]!.digest)).toBe(true);
  });

  it('requests and bytes are held to so many a second', async () => {
    const server = await start();
    const { layers } = sampleImage({ layerSizes: [100_000] });
    server.content.open('team/app').blobs.set(layers[0]!.digest, layers[0]!.bytes);
    const registry = speakTo(server, { requestsPerSecond: 50, bytesPerSecond: 400_000 });
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 20 }, () => registry.hasBlob('team/app', layers[0]!.digest)));
    // 0.1 s of rest are given away, and the last one waits for those before it.
    expect(performance.now() - startedAt).toBeGreaterThan(250);
    const readAt = performance.now();
    for (let n = 0; n < 3; n++) {
      let length = 0;
      for await (const part of registry.readBlob('team/app', layers[0]!)) length += part.length;
      expect(length).toBe(100_000);
    }
    expect(performance.now() - readAt).toBeGreaterThan(300);
  });

  it('a blob that comes in pieces of next to nothing is given up after a few', async () => {
    const server = await start();
    const { layers } = sampleImage({ layerSizes: [100_000] });
    server.content.open('team/app').blobs.set(layers[0]!.digest, layers[0]!.bytes);
    const read = async (): Promise<number> => {
      let length = 0;
      for await (const part of speakTo(server).readBlob('team/app', layers[0]!)) length += part.length;
      return length;
    };
    server.setFaults(() => ({ cutAfter: 10 }));
    await expect(read()).rejects.toMatchObject({ failure: 'unavailable' });
    expect(server.asked).toHaveLength(3);
    // Pieces that are worth it may be as many as it takes.
    server.setFaults(() => ({ cutAfter: 5_000 }));
    expect(await read()).toBe(100_000);
  });

  it('what breaks off at the source does not count against the registry that it is sent to', async () => {
    const [down, up] = [await start(), await start()];
    const { layers } = sampleImage({ layerSizes: [100_000] });
    for (const server of [down, up]) server.content.open('team/app').blobs.set(layers[0]!.digest, layers[0]!.bytes);
    down.setFaults(({ method }) => (method === 'GET' ? { cutAfter: 10 } : undefined));
    const [source, target] = [speakTo(down), speakTo(up, { attempts: 4, breakAfter: 2 })];
    const open = () => source.readBlob('team/app', layers[0]!);
    await expect(target.writeBlob('team/copy', layers[0]!, open)).rejects.toMatchObject({ failure: 'unavailable' });
    expect(await target.hasBlob('team/app', layers[0]!.digest)).toBe(true);
  });

  it('a registry that rests after failures does not hold up another', async () => {
    const [down, up] = [await start(), await start()];
    down.setFaults(() => ({ hang: true }));
    const hung = speakTo(down, { timeoutMs: 1_000, attempts: 2, breakAfter: 2 });
    await expect(hung.hasBlob('team/app', `sha256:${'0'.repeat(64)}`)).rejects.toThrow('was not reached');
    await expect(hung.hasBlob('team/app', `sha256:${'0'.repeat(64)}`)).rejects.toThrow('is left alone for a while');
    expect(await speakTo(up).hasBlob('team/app', `sha256:${'0'.repeat(64)}`)).toBe(false);
    expect(down.asked).toHaveLength(2);
  });
});

describe('a pace', () => {
  /** Waits end when `pass` reaches them. */
  function clockOf() {
    let nowMs = 0;
    const waits: number[] = [];
    const clock = {
      now: () => nowMs,
      wait: (milliseconds: number) => {
        waits.push(milliseconds);
        return Promise.resolve();
      },
    };
    return { clock, waits, pass: (milliseconds: number) => (nowMs += milliseconds) };
  }

  it('gives a tenth of a second away after a rest, and then so much a second', async () => {
    const { clock, waits } = clockOf();
    const pace = new Pace(100, clock);
    for (let n = 0; n < 13; n++) await pace.take(1);
    expect(waits.map(Math.round)).toEqual([10, 20]);
  });

  it('lets more than a second is worth pass, and makes the next one wait for it', async () => {
    const { clock, waits, pass } = clockOf();
    const pace = new Pace(100, clock);
    await pace.take(500);
    expect(waits).toEqual([]);
    await pace.take(1);
    expect(waits.map(Math.round)).toEqual([4900]);
    pass(60_000);
    await pace.take(1);
    expect(waits).toHaveLength(1);
  });
});
