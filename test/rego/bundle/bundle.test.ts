import { describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { readArchive } from '../../../src/rego/bundle/archive/read-archive';
import { writeArchive } from '../../../src/rego/bundle/archive/write-archive';
import { readBundle } from '../../../src/rego/bundle/bundle';

const manifest = { wasm: [{ entrypoint: 'gate/response', module: '/policy.wasm' }] };
const plain: Record<string, string> = {
  'policy.wasm': 'wasm',
  'data.json': '{}',
  '.manifest': JSON.stringify(manifest),
  'input.json': JSON.stringify({
    type: 'object',
    properties: { b: { type: 'integer' }, a: {} },
    additionalProperties: false,
  }),
  'gate.rego': 'package gate\n# data.config.limits.no\nx := data.config.limits.max\n',
};
const schema = (properties: object): string =>
  JSON.stringify({ type: 'object', properties, additionalProperties: false });
const READS_NOTHING = { facts: [], inputPaths: [], configPaths: [], collections: [], wholeInput: false };
const archive = (files: Record<string, string | undefined>): Promise<Uint8Array> =>
  writeArchive(
    new Map(Object.entries(files).flatMap(([name, text]) => (text === undefined ? [] : [[name, Buffer.from(text)]]))),
  );
async function tar(...headers: { name: string; type?: 'file' | 'symlink'; linkname?: string }[]): Promise<Uint8Array> {
  const packer = pack();
  for (const header of headers) {
    if (header.type === 'symlink') packer.entry(header);
    else packer.entry(header, 'x');
  }
  packer.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of packer) chunks.push(chunk as Uint8Array);
  return gzipSync(Buffer.concat(chunks));
}

describe('readBundle', () => {
  it('readBundle takes a plain OPA bundle to read all that its input.json describes and its source names', async () => {
    const { reads } = await readBundle(await archive(plain));
    expect(reads).toEqual({
      facts: ['a', 'b'],
      inputPaths: [['a'], ['b']],
      configPaths: [['limits', 'max']],
      collections: [['a']],
      wholeInput: true,
    });
  });

  it.each([
    [{ 'input.json': undefined }, 'input.json: missing'],
    [{ 'input.json': '{' }, 'input.json:1:2: expected JSON'],
    [{ 'input.json': schema({ a: { type: 'nothing' } }) }, 'input.json:1:37: expected a JSON Schema'],
    [{ 'input.json': schema({ a: { minimun: 1 } }) }, 'unknown keyword: "minimun"'],
    [{ 'input.json': schema({ deployment: {} }) }, 'input.json:1:32: describes deployment, which is reserved'],
    [
      { 'gate.rego': 'package gate\nx if input.c > 1 # input.d\n' },
      'input.json:1:18: does not describe c, which gate.rego:2:6 reads',
    ],
    [{ 'gate.rego': 'package gate\nx := "input.q" if input["bb"]\n' }, 'does not describe bb'],
    [
      {
        'gate.rego': 'package gate\nx if input.a > 1\n',
        '.manifest': JSON.stringify({
          ...manifest,
          metadata: { planning_engine: { format: 1, reads: READS_NOTHING } },
        }),
      },
      '.manifest: leaves out a of what the policy reads, which gate.rego:2:6 reads',
    ],
    [{ 'policy.wasm': undefined }, 'policy.wasm: missing'],
    [{ 'data.json': '{"config": {}}' }, 'data.json:1:2: holds config'],
    [{ '.manifest': undefined }, '.manifest: expected an entrypoint gate/response'],
    [{ '.manifest': JSON.stringify({ ...manifest, metadata: { planning_engine: { format: 2 } } }) }, 'in format 1'],
    [
      { '.manifest': JSON.stringify({ ...manifest, metadata: { planning_engine: { format: 1, reads: {} } } }) },
      'reads',
    ],
  ])('readBundle refuses %j: %s', async (change, message) => {
    const bytes = await archive({ ...plain, ...change });
    await expect(readBundle(bytes)).rejects.toMatchObject({
      type: 'PolicyInvalid',
      message: expect.stringContaining(message),
    });
  });

  it.each(['{', '[]', ''])(
    'readBundle tells of a manifest %j that it cannot read, and not what it does not find in it',
    async (text) => {
      const bytes = await archive({ ...plain, '.manifest': text });
      await expect(readBundle(bytes)).rejects.toMatchObject({
        faults: [{ message: expect.stringMatching(/^\.manifest(:1:\d+)?: expected /) }],
      });
    },
  );

  it('readBundle gives all faults at once', async () => {
    const bytes = await archive({ 'data.json': '[]' });
    await expect(readBundle(bytes)).rejects.toMatchObject({ faults: { length: 3 } });
  });
});

describe('readArchive', () => {
  it.each(['../evil', '/a/../../evil', 'a//b', 'a\\b', '/'])('readArchive refuses the path %s', async (name) => {
    await expect(readArchive(await tar({ name }))).rejects.toMatchObject({ type: 'PolicyInvalid' });
  });

  it('readArchive refuses links, a path that comes twice, and bytes that are no archive', async () => {
    const link = tar({ name: 'a', type: 'symlink', linkname: '/etc/passwd' });
    await expect(readArchive(await link)).rejects.toThrow('"a": expected plain files only, found a symlink');
    await expect(readArchive(await tar({ name: 'a' }, { name: '/a' }))).rejects.toThrow('a: found twice');
    await expect(readArchive(Buffer.from('text'))).rejects.toThrow('expected a gzip archive');
    await expect(readArchive(gzipSync('no tar at all '.repeat(99)))).rejects.toThrow('expected a tar archive');
  });

  it('readArchive refuses a bomb before it is unpacked, one file too many and an archive that is too large', async () => {
    const limits = { maxArchiveBytes: 100_000, maxUnpackedBytes: 4_000, maxFiles: 1 };
    await expect(readArchive(gzipSync(Buffer.alloc(1_000_000)), limits)).rejects.toThrow('at most 4000 bytes unpacked');
    await expect(readArchive(await tar({ name: 'a' }, { name: 'b' }), limits)).rejects.toThrow('at most 1 files');
    expect((await readArchive(await tar({ name: 'a' }), limits)).size).toBe(1);
    await expect(readArchive(new Uint8Array(100_001), limits)).rejects.toThrow('found 100001');
  });
});
