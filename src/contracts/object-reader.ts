import type { ObjectReader } from '../platform/objects/object-store';
import { rejection, type TestFramework } from './test-framework';

/** A reader under test, and how what it reads comes to be there. */
export interface ReaderUnderTest {
  reader: ObjectReader;
  /** makes these the objects that there are; others may be gone */
  publish(objects: Readonly<Record<string, Uint8Array>>): Promise<void>;
  close(): Promise<void>;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/**
 * What every place keeps to that releases are read from. The manifest's key is `latest.json`: what is published with it is
 * there once it is read.
 */
export function describeObjectReader(
  { describe, it, expect }: TestFramework,
  name: string,
  open: () => Promise<ReaderUnderTest>,
): void {
  describe(`object reader contract on ${name}`, () => {
    const using = async (work: (opened: ReaderUnderTest) => Promise<void>): Promise<void> => {
      const opened = await open();
      try {
        await work(opened);
      } finally {
        await opened.close();
      }
    };

    it('the reader gives exactly the bytes that were published, under a tag that changes with them', () =>
      using(async ({ reader, publish }) => {
        const bytes = Uint8Array.from({ length: 70_000 }, (_value, index) => index % 256);
        await publish({ 'latest.json': text('1'), 'policies/one.tar.gz': bytes });
        const first = await reader.get('latest.json');
        expect(Buffer.from(first!.bytes).toString()).toBe('1');
        expect(Buffer.from(bytes).equals((await reader.get('policies/one.tar.gz'))!.bytes)).toBe(true);
        await publish({ 'latest.json': text('2') });
        const second = await reader.get('latest.json');
        expect(Buffer.from(second!.bytes).toString()).toBe('2');
        expect(second!.etag === first!.etag).toBe(false);
      }));

    it('the reader says unchanged for the tag that it gave, and gives the object for any other', () =>
      using(async ({ reader, publish }) => {
        await publish({ 'latest.json': text('1') });
        const { etag } = (await reader.get('latest.json'))!;
        expect(await reader.getUnlessSame('latest.json', etag)).toBe('unchanged');
        await publish({ 'latest.json': text('2') });
        expect(
          Buffer.from(((await reader.getUnlessSame('latest.json', etag)) as { bytes: Uint8Array }).bytes).toString(),
        ).toBe('2');
        expect(await reader.getUnlessSame('none', etag)).toBeUndefined();
      }));

    it('the reader keeps an empty object apart from none', () =>
      using(async ({ reader, publish }) => {
        await publish({ 'latest.json': text('1'), empty: new Uint8Array() });
        await reader.get('latest.json');
        expect((await reader.get('empty'))?.bytes).toHaveLength(0);
        expect(await reader.get('none')).toBeUndefined();
        expect([await reader.has('empty'), await reader.has('none')]).toEqual([true, false]);
      }));

    it('the reader refuses an object that is larger than allowed, as one that no later try will find smaller', () =>
      using(async ({ reader, publish }) => {
        await publish({ 'latest.json': text('12345') });
        expect((await reader.get('latest.json', { maxBytes: 5 }))?.bytes).toHaveLength(5);
        const wanted = { name: 'ObjectStoreError', isTooLarge: true };
        expect(await rejection(reader.get('latest.json', { maxBytes: 4 }))).toMatchObject(wanted);
        expect(await rejection(reader.getUnlessSame('latest.json', '"other"', { maxBytes: 4 }))).toMatchObject(wanted);
      }));
  });
}
