import { expect } from '@jest/globals';
import type { TestFramework } from '../../../src/contracts/test-framework';
import { describeObjectReader } from '../../../src/contracts/object-reader';
import { jestFramework } from '../../support/jest-framework';
import { PreconditionFailedError, type ObjectStore } from '../../../src/platform/objects/object-store';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const read = async (store: ObjectStore, key: string): Promise<string | undefined> => {
  const found = await store.get(key);
  return found && new TextDecoder().decode(found.bytes);
};

/** What holds of every object store; `open` gives an empty one. */
export function describeObjectStore(open: () => Promise<ObjectStore>, framework: TestFramework = jestFramework): void {
  const { it } = framework;
  describeObjectReader(framework, 'an object store', async () => {
    const store = await open();
    return {
      reader: store,
      publish: async (objects) => {
        for (const [key, bytes] of Object.entries(objects)) await store.put(key, bytes);
      },
      close: () => Promise.resolve(),
    };
  });

  it('the store gives back exactly the bytes that were put, under a tag that changes with them', async () => {
    const store = await open();
    const bytes = Uint8Array.from({ length: 70_000 }, (_value, index) => index % 256);
    const { etag } = await store.put('a/deep/key.bin', bytes);
    expect(await store.get('a/deep/key.bin')).toEqual({ bytes, etag });
    expect((await store.put('a/deep/key.bin', text('other'))).etag).not.toBe(etag);
    expect(await read(store, 'a/deep/key.bin')).toBe('other');
  });

  it('the store keeps an empty object apart from none', async () => {
    const store = await open();
    await store.put('empty', new Uint8Array());
    expect((await store.get('empty'))?.bytes).toHaveLength(0);
    expect(await store.get('none')).toBeUndefined();
    expect(await store.get('empty/below')).toBeUndefined();
    expect([await store.has('empty'), await store.has('none'), await store.has('empty/below')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('the store creates only where no object exists when told so', async () => {
    const store = await open();
    await store.put('one', text('first'), { ifAbsent: true });
    await expect(store.put('one', text('second'), { ifAbsent: true })).rejects.toBeInstanceOf(PreconditionFailedError);
    expect(await read(store, 'one')).toBe('first');
  });

  it('the store replaces only what it was told to replace', async () => {
    const store = await open();
    const { etag } = await store.put('one', text('first'));
    await store.put('one', text('second'), { ifMatch: etag });
    await expect(store.put('one', text('third'), { ifMatch: etag })).rejects.toBeInstanceOf(PreconditionFailedError);
    await expect(store.put('none', text('x'), { ifMatch: etag })).rejects.toBeInstanceOf(PreconditionFailedError);
    expect([await read(store, 'one'), await read(store, 'none')]).toEqual(['second', undefined]);
  });

  it('the store lets exactly one of many writers at once win', async () => {
    const store = await open();
    const { etag } = await store.put('one', text('start'));
    const writers = Array.from({ length: 8 }, (_value, index) => index);
    const replaced = await Promise.allSettled(
      writers.map((writer) => store.put('one', text(`by ${writer}`), { ifMatch: etag })),
    );
    const winners = writers.filter((writer) => replaced[writer]?.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    expect(await read(store, 'one')).toBe(`by ${winners[0]}`);
    const created = await Promise.allSettled(
      writers.map((writer) => store.put('new', text(`by ${writer}`), { ifAbsent: true })),
    );
    expect(created.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('the store lists what begins so, in order, and nothing of its own', async () => {
    const store = await open();
    for (const key of ['b', 'a/2', 'a/10', 'ab', 'a/deep/x']) await store.put(key, text(key));
    expect(await store.list('a/')).toEqual(['a/10', 'a/2', 'a/deep/x']);
    expect(await store.list('')).toEqual(['a/10', 'a/2', 'a/deep/x', 'ab', 'b']);
    expect(await store.list('none')).toEqual([]);
  });

  it('the store deletes, also what is not there', async () => {
    const store = await open();
    await store.put('one', text('1'));
    await store.delete('one');
    await store.delete('one');
    expect(await store.get('one')).toBeUndefined();
  });

  for (const key of ['', '/a', 'a/', 'a//b', '..', 'a/../b', './a', 'a\\b', 'a\0b']) {
    it(`the store refuses the key ${JSON.stringify(key)}`, async () => {
      const store = await open();
      await expect(store.get(key)).rejects.toBeInstanceOf(TypeError);
      await expect(store.put(key, text('x'))).rejects.toBeInstanceOf(TypeError);
      await expect(store.delete(key)).rejects.toBeInstanceOf(TypeError);
    });
  }
}
