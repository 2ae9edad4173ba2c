import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ObjectStoreError } from '../../../../src/platform/objects/object-store';
import { createFileObjects } from '../../../../src/platform/objects/stores/file-objects';
import { lockFolder } from '../../../../src/platform/database/lock';
import { ownIdentity } from '../../../../src/platform/database/process-identity';
import { describeObjectStore } from '../object-store.contract';

describe('objects in a folder', () => {
  let root: string;
  let opened = 0;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'gate-objects-'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  describeObjectStore(async () => createFileObjects(join(root, `store-${++opened}`)));

  it('the folder of objects leaves no half-written file behind when a write fails', async () => {
    const folder = join(root, `store-${++opened}`);
    const store = createFileObjects(folder);
    await store.put('a', new Uint8Array([1]));
    await expect(store.put('a/b', new Uint8Array([2]))).rejects.toBeInstanceOf(ObjectStoreError);
    expect(readdirSync(folder).filter((name) => name.startsWith('.objects-part'))).toEqual([]);
    expect((await store.get('a'))?.bytes).toEqual(new Uint8Array([1]));
  });

  it('the folder of objects does not read from a pipe, nor below a file', async () => {
    const folder = join(root, `store-${++opened}`);
    const store = createFileObjects(folder);
    await store.put('plain', new Uint8Array([1]));
    symlinkSync('/dev/zero', join(folder, 'endless'));
    await expect(store.get('endless')).rejects.toThrow('expected a file');
    await expect(store.delete('plain/below')).rejects.toBeInstanceOf(ObjectStoreError);
    await expect(createFileObjects(join(folder, 'plain')).list('')).rejects.toBeInstanceOf(ObjectStoreError);
  });

  it('the folder of objects lists its objects while other folders beside them come and go', async () => {
    const folder = join(root, `store-${++opened}`);
    const store = createFileObjects(folder);
    await store.put('a.history/1', new Uint8Array([1]));
    const others = Array.from({ length: 50 }, (_none, other) => join(folder, `other-${other}`, 'deep'));
    for (let round = 0; round < 10; round += 1) {
      for (const other of others) mkdirSync(other, { recursive: true });
      const found = Promise.all([store.list('a.history/'), store.list('')]);
      await Promise.all(others.map((other) => rm(join(other, '..'), { recursive: true })));
      expect(await found).toEqual([['a.history/1'], ['a.history/1']]);
    }
    await store.put('plain', new Uint8Array([1]));
    expect(await store.list('plain/')).toEqual([]);
    await expect(store.list('../')).rejects.toThrow('Expected a key below its place');
  });

  it('the folder of objects takes over from a writer that died while it replaced an object', async () => {
    const folder = join(root, `store-${++opened}`);
    const store = createFileObjects(folder);
    const { etag } = await store.put('a', new Uint8Array([1]));
    const lock = join(folder, '.objects-lock', 'owner.lock');
    const dead = Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }));
    writeFileSync(lock, JSON.stringify({ ...(await ownIdentity()), pid: dead, nonce: 'dead' }));
    await store.put('a', new Uint8Array([2]), { ifMatch: etag });
    expect((await store.get('a'))?.bytes).toEqual(new Uint8Array([2]));
  });

  it('the folder of objects does not wait for ever for its turn, and then writes nothing', async () => {
    const folder = join(root, `store-${++opened}`);
    const store = createFileObjects(folder, { lockWithinMs: 50 });
    const { etag } = await store.put('a', new Uint8Array([1]));
    const held = await lockFolder(join(folder, '.objects-lock'));
    await expect(store.put('a', new Uint8Array([2]), { ifMatch: etag })).rejects.toThrow('Cannot take the turn');
    await held.release();
    expect((await store.get('a'))?.etag).toBe(etag);
    await store.put('a', new Uint8Array([2]), { ifMatch: etag });
  });

  it('the folder of objects lets exactly one of several processes at once win', async () => {
    const folder = join(root, `store-${++opened}`);
    const { etag } = await createFileObjects(folder).put('a', new Uint8Array([0]));
    const hook = join(__dirname, '..', '..', '..', 'support', 'ts-require.cjs');
    const module = JSON.stringify(
      join(__dirname, '..', '..', '..', '..', 'src', 'platform', 'objects', 'stores', 'file-objects.ts'),
    );
    const write = (by: number): string => `
      require(${module}).createFileObjects(${JSON.stringify(folder)})
        .put('a', new Uint8Array([${by}]), { ifMatch: ${JSON.stringify(etag)} })
        .then(() => console.log('won'), (error) => console.log(error.name));`;
    const writers = [1, 2, 3].map((by) => promisify(execFile)(process.execPath, ['-r', hook, '-e', write(by)]));
    const ends = (await Promise.all(writers)).map(({ stdout }) => stdout.trim());
    expect([...ends].sort()).toEqual(['PreconditionFailedError', 'PreconditionFailedError', 'won']);
    expect((await createFileObjects(folder).get('a'))?.bytes).toEqual(new Uint8Array([ends.indexOf('won') + 1]));
  });
});
