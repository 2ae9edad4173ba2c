import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AUDIT_COLUMNS } from '../../../src/audit/format';
import { CSV_HEAD, toCsvLine } from '../../../src/audit/to-csv';
import { readPieces } from '../../../src/replay/sources/read-pieces';
import { itemsOf } from '../../../src/replay/text-piece';
import { aRecord } from '../../audit/a-record';

/** What is read of a text that comes in chunks of so many bytes. */
async function read(text: string | Uint8Array, size = 1_000): Promise<string[]> {
  const bytes = Buffer.from(text);
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_chunk, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
  const found: string[] = [];
  for await (const piece of readPieces(Readable.from(chunks), 'export')) {
    const items = itemsOf(piece);
    expect(items).toHaveLength(piece.lines);
    expect(items[0]).toMatchObject({ line: found.length + 1 });
    found.push(...items.map((item) => ('text' in item ? item.text : '')));
  }
  return found;
}
const values = async (text: string | Uint8Array, size?: number): Promise<unknown[]> =>
  (await read(text, size)).map((value) => JSON.parse(value) as unknown);

describe('a reader of exports', () => {
  const two = [
    { a: ['}', '"]\\'], b: { c: null } },
    { d: 'ü€😀', e: [] },
  ];

  it.each<[string, string, unknown[]]>([
    ['lines', two.map((one) => JSON.stringify(one)).join('\n'), two],
    ['a list in one line, as OPA uploads it', JSON.stringify(two), two],
    ['a list over many lines, as -o json prints it', JSON.stringify(two, null, 2), two],
    ['one record over many lines, as audit show -o json prints it', JSON.stringify(two[0], null, 2), two.slice(0, 1)],
    ['records over many lines one after the other', two.map((one) => JSON.stringify(one, null, 2)).join('\n'), two],
    ['several lists', `${JSON.stringify(two)}\n${JSON.stringify(two)}\n`, [...two, ...two]],
    ['a list of anything', '[1, "a" ,true,[2],{}]', [1, 'a', true, [2], {}]],
    ['an empty list', ' [ ] ', []],
    ['nothing', '\n \n', []],
  ])('a reader of exports reads %s, compressed or not, however it is cut', async (what, text, expected) => {
    const isNothing = what === 'nothing';
    for (const size of [1, 2, 7, 10_000]) {
      expect(isNothing ? (await read(text, size)).join('').trim() : await values(text, size)).toEqual(
        isNothing ? '' : expected,
      );
      const compressed = gzipSync(text);
      if (!isNothing) expect(await values(compressed, size)).toEqual(expected);
    }
  });

  it('a reader of exports finds the items of any list', async () => {
    const size = fc.integer({ min: 1, max: 40 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue()), size, fc.boolean(), async (list, cut, isSpread) => {
        const text = JSON.stringify(list, null, isSpread ? 2 : 0);
        expect(await values(text, cut)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('a reader of exports passes on a broken item of a list, and the one that a cut has left', async () => {
    expect(await read('[{"a": tru}, {"b": 1}, {"c": ')).toEqual(['{"a": tru}', '{"b": 1}', '{"c": ']);
    expect(await read('[}, ], {"a"\n:1}')).toEqual(['}', '{"a"\t:1}']);
  });

  it('a reader of exports reads compressed parts one after the other', async () => {
    const parts = two.map((one) => gzipSync(`${JSON.stringify(one)}\n`));
    expect(await values(Buffer.concat(parts))).toEqual(two);
  });

  it.each<[string, string | Uint8Array, string]>([
    ['a CSV export', `${CSV_HEAD}${toCsvLine(aRecord({}))}`, 'a CSV export, which does not hold the deployment'],
    ['a table', `${AUDIT_COLUMNS.join('   ')}\n2026-11-01`, 'replay one of `gate audit export -o jsonl`'],
    ['a compressed text without its end', gzipSync('{"a": 1}\n').subarray(0, 20), 'is damaged or has no end'],
    ['a list whose item is too long', `["${'x'.repeat(17 * 1024 * 1024)}"]`, 'found one of more than 16 MiB'],
  ])('a reader of exports refuses %s, and says what it is', async (_what, text, why) => {
    await expect(read(text, 100_000)).rejects.toMatchObject({
      type: 'ConfigInvalid',
      message: expect.stringContaining(why),
    });
  });
});
