import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { readArchive } from '../../../../src/rego/bundle/archive/read-archive';
import { writeArchive } from '../../../../src/rego/bundle/archive/write-archive';
import { inFolder, opa } from '../../../support/build-policy';

type Made = Partial<Header> & { content?: string };

async function tar(...entries: Made[]): Promise<Buffer> {
  const packer = pack();
  for (const { content, ...header } of entries) {
    const { name = 'a', ...rest } = header;
    packer.entry({ name, ...rest }, content ?? '');
  }
  packer.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of packer) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

/** Changes a header's block in place and mends its checksum. */
function edit(archive: Buffer, change: (block: Buffer) => void, at = 0): Buffer {
  const block = archive.subarray(at, at + 512);
  change(block);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return archive;
}

const withType = (flag: string) => async (): Promise<Buffer> =>
  edit(await tar({ content: 'x' }), (block) => block.write(flag, 156, 'latin1'));
const withSize = (octal: string) => async (): Promise<Buffer> =>
  edit(await tar({ content: 'x' }), (block) => block.write(octal, 124, 'latin1'));
const withName = (name: string) => () => tar({ name, content: 'x' });
const withPax = (pax: Record<string, string>) => () => tar({ pax, content: 'x' });
const END = 1024;

describe('readArchive', () => {
  it.each<[string, () => Promise<Buffer>, string]>([
    ['a hard link', () => tar({ type: 'link', linkname: '/etc/passwd' }), 'plain files only, found a link'],
    ['a symbolic link', () => tar({ type: 'symlink', linkname: '..' }), 'plain files only, found a symlink'],
    ['a device', () => tar({ type: 'character-device' }), 'plain files only, found a character-device'],
    ['a pipe', () => tar({ type: 'fifo' }), 'plain files only, found a fifo'],
    ['a sparse file of GNU tar', withType('S'), 'plain files only, found a file of an unknown kind'],
    ['a sparse file of pax', withPax({ 'GNU.sparse.major': '1' }), 'expected no sparse file'],
    ['a directory with content', withType('5'), 'expected a directory without content'],
    ['a header for all files', async () => globalHeader(), 'expected no header for all files'],
    ['a size beyond the archive', withSize('00077777777'), 'expected a tar archive'],
    ['a size that is less than what is there', withSize('00000000000'), 'expected a tar archive'],
    ['a size that is no number', withSize('zzzzzzzzzzz'), 'expected a tar archive'],
    ['a negative size in pax', withPax({ size: '-1' }), 'expected a tar archive'],
    ['a huge size in pax', withPax({ size: '9007199254740993' }), 'expected a'],
    ['a size in pax that is no number', withPax({ size: 'x' }), 'expected a tar archive'],
    ['a header that is altered', async () => (await tar({ content: 'x' })).fill('y', 0, 1), 'expected a tar archive'],
    ['a path of 5,000 bytes', withName(`${'a'.repeat(4_999)}b`), 'at most 4096 bytes, found one of 5000'],
    ['a path of 100,000 bytes', withName('a/'.repeat(50_000) + 'a'), 'expected headers of at most 16384 bytes'],
    ['a path of 10 MB', withName('a'.repeat(10_000_000)), 'expected a tar archive'],
    ['a path of pax that leaves the bundle', withPax({ path: '../evil' }), 'expected a path within the bundle'],
    ['an absolute path that goes up', withName('/../evil'), 'expected a path within the bundle'],
    ['a directory that goes up', () => tar({ name: '../', type: 'directory' }), 'expected a path within the bundle'],
    ['a backslash', withName('..\\evil'), 'expected a path within the bundle'],
    ['a NUL', withPax({ path: 'a\0b' }), 'expected a path within the bundle'],
    ['a line break', withName('a\nb'), 'expected a path within the bundle'],
    ['a name that turns its direction', withName('a\u202eb'), 'expected a path within the bundle'],
    ['a name that is no UTF-8', async () => latin1Name(), 'expected a path within the bundle'],
    ['one path under two names', () => tar({ name: '/a' }, { name: './a' }), 'a: found twice'],
    ['one letter written in two ways', () => tar({ name: 'caf\u00e9' }, { name: 'cafe\u0301' }), 'found twice'],
    ['an entry behind the end', async () => Buffer.concat([await tar({}), await tar({ name: 'b' })]), 'behind the end'],
    ['text behind the end', async () => Buffer.concat([await tar({}), Buffer.from('more')]), 'expected a tar archive'],
    ['no end', async () => (await tar({ content: 'x' })).subarray(0, -END), 'ends with two blocks of zeros'],
    ['half an entry', async () => (await tar({ content: 'x' })).subarray(0, 700), 'expected a tar archive'],
    ['nothing', async () => Buffer.alloc(0), 'ends with two blocks of zeros'],
  ])('readArchive refuses %s', async (_what, make, message) => {
    await expect(readArchive(gzipSync(await make()))).rejects.toMatchObject({
      type: 'PolicyInvalid',
      message: expect.stringContaining(message),
    });
  });

  it.each<[string, (archive: Buffer) => Buffer, string]>([
    ['zeros behind it', (archive) => Buffer.concat([archive, Buffer.alloc(8)]), 'found 8 bytes'],
    ['text behind it', (archive) => Buffer.concat([archive, Buffer.from('text')]), 'expected a gzip archive'],
    ['its end cut off', (archive) => archive.subarray(0, -1), 'expected a gzip archive'],
    [
      'a wrong checksum',
      (archive) => archive.fill(0, archive.length - 8, archive.length - 4),
      'expected a gzip archive',
    ],
    ['a second archive behind it', (archive) => Buffer.concat([archive, archive]), '"a": found behind the end'],
    ['no bytes at all', () => Buffer.alloc(0), 'expected a gzip archive'],
  ])('readArchive refuses a gzip file with %s', async (_what, change, message) => {
    const archive = gzipSync(await tar({ content: 'x' }));
    await expect(readArchive(change(archive))).rejects.toMatchObject({
      type: 'PolicyInvalid',
      message: expect.stringContaining(message),
    });
  });

  it('readArchive counts directories, however they are named, and stops at the limit', async () => {
    const limits = { maxArchiveBytes: 10_000_000, maxUnpackedBytes: 100_000_000, maxFiles: 2000 };
    const folders = (count: number): Promise<Buffer> =>
      tar(...Array.from({ length: count }, (_, at): Made => ({ name: `d${at}/`, type: 'directory' })));
    expect((await readArchive(gzipSync(await folders(2000)), limits)).size).toBe(0);
    await expect(readArchive(gzipSync(await folders(2001)), limits)).rejects.toThrow('at most 2000 files');
    const roots = Array.from({ length: 2001 }, (): Made => ({ name: './', type: 'directory' }));
    await expect(readArchive(gzipSync(await tar(...roots)), limits)).rejects.toThrow('at most 2000 files');
    const folder = (await folders(1)).subarray(0, 512);
    const many = Buffer.concat([...Array.from({ length: 100_000 }, () => folder), Buffer.alloc(END)]);
    await expect(readArchive(gzipSync(many), limits)).rejects.toThrow('at most 2000 files');
  });

  it('readArchive holds files together to the limit, just at it and just over', async () => {
    const limits = { maxArchiveBytes: 100_000, maxUnpackedBytes: 1000, maxFiles: 10 };
    const two = (size: number): Promise<Buffer> =>
      tar({ content: 'x'.repeat(500) }, { name: 'b', content: 'x'.repeat(size) });
    expect((await readArchive(gzipSync(await two(500)), limits)).size).toBe(2);
    await expect(readArchive(gzipSync(await two(501)), limits)).rejects.toThrow('at most 1000 bytes unpacked');
  });

  it('readArchive stops a bomb of gigabytes, in one member or in many, in little memory', async () => {
    const limits = { maxArchiveBytes: 10_000_000, maxUnpackedBytes: 1_000_000, maxFiles: 10 };
    const member = gzipSync(Buffer.alloc(4_000_000));
    const before = process.memoryUsage().rss;
    const bomb = Buffer.concat(Array.from({ length: 500 }, () => member));
    await expect(readArchive(bomb, limits)).rejects.toThrow('at most 1000000 bytes unpacked');
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
  });

  it('readArchive reads members of gzip that make one tar archive, long paths, and the root as an entry', async () => {
    const whole = await tar({ name: './', type: 'directory' }, { name: `${'long/'.repeat(60)}a`, content: 'é' });
    const parts = [whole.subarray(0, 600), whole.subarray(600)].map((part) => gzipSync(part));
    const files = await readArchive(Buffer.concat(parts));
    expect([...files]).toEqual([[`${'long/'.repeat(60)}a`, new Uint8Array(Buffer.from('é'))]]);
  });

  it('readArchive reads what opa and tar write, and what it reads can be written again', async () => {
    await inFolder(async (folder) => {
      const [policy, bundle, archive] = ['policy', 'bundle.tar.gz', 'tar.tar.gz'].map((name) => join(folder, name));
      mkdirSync(join(policy!, 'sub'), { recursive: true });
      writeFileSync(join(policy!, 'sub', 'p.rego'), 'package sub\nx := 1\n');
      writeFileSync(join(policy!, 'data.json'), '{"a": 1}');
      await opa('build', '-t', 'wasm', '-e', 'sub/x', '-b', policy!, '-o', bundle!);
      const files = await readArchive(readFileSync(bundle!));
      expect([...files.keys()].sort()).toEqual([
        '.manifest',
        'data.json',
        'policy.wasm',
        expect.stringContaining('p.rego'),
      ]);
      expect(await readArchive(await writeArchive(files))).toEqual(files);
      execFileSync('tar', ['-czf', archive!, '-C', policy!, '.']);
      expect([...(await readArchive(readFileSync(archive!))).keys()].sort()).toEqual(['data.json', 'sub/p.rego']);
    });
  });
});

async function globalHeader(): Promise<Buffer> {
  const made = await tar({ pax: { path: 'b' } });
  return edit(made, (block) => block.write('g', 156, 'latin1'));
}

async function latin1Name(): Promise<Buffer> {
  return edit(await tar({ content: 'x' }), (block) => block.write('\xe9', 0, 'latin1'));
}
