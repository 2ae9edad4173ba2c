import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ObjectStoreError } from '../../../src/objects/object-store';
import { createFileObjects } from '../../../src/objects/stores/file-objects';
import { ownIdentity } from '../../../src/store/process-identity';
import { describeObjectStore } from '../object-store.contract';

describe('objects in a folder', () => {
  let root: string;
  let opened = 0;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'gate-objects-'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  describeObjectStore(async () => createFileObjects(join(root, `store-${++opened}`)));

  it('leaves no half-written file behind when a write fails', async () => {
    const folder = join(root, `store-${++opened}`);
    const store = createFileObjects(folder);
    await store.put('a', new Uint8Array([1]));
    await expect(store.put('a/b', new Uint8Array([2]))).rejects.toBeInstanceOf(ObjectStoreError);
    expect(readdirSync(folder).filter((name) => name.startsWith('.objects-part'))).toEqual([]);
    expect((await store.get('a'))?.bytes).toEqual(new Uint8Array([1]));
  });

  it('does not read from a pipe, nor below a file', async () => {
    const folder = join(root, `store-${++opened}`);
    const store = createFileObjects(folder);
    await store.put('plain', new Uint8Array([1]));
    symlinkSync('/dev/zero', join(folder, 'endless'));
    await expect(store.get('endless')).rejects.toThrow('expected a file');
    await expect(store.delete('plain/below')).rejects.toBeInstanceOf(ObjectStoreError);
    await expect(createFileObjects(join(folder, 'plain')).list('')).rejects.toBeInstanceOf(ObjectStoreError);
  });

  it('takes over from a writer that died while it replaced an object', async () => {
    const folder = join(root, `store-${++opened}`);
    const store = createFileObjects(folder);
    const { etag } = await store.put('a', new Uint8Array([1]));
    const lock = join(folder, '.objects-lock', 'owner.lock');
    const dead = Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }));
    writeFileSync(lock, JSON.stringify({ ...(await ownIdentity()), pid: dead, nonce: 'dead' }));
    await store.put('a', new Uint8Array([2]), { ifMatch: etag });
    expect((await store.get('a'))?.bytes).toEqual(new Uint8Array([2]));
  });
});
