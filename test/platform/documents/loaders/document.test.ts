import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { loadDocument } from '../../../../src/platform/documents/loaders/document';
import { messagesOf, withFile } from '../../../support/in-folder';

describe('a document', () => {
  it.each([
    ['a.json', '{"a": [1, true, null, "x"]}'],
    ['a.json', '\uFEFF{\n\t"a":\n\t\t[1, true, null, "x"]\n}\n'],
    ['a.yaml', 'a: [1, true, null, x]'],
    ['a.yml', '\uFEFFa:\n  - 1\n  - true\n  - ~\n  - x\n'],
    ['a.YAML', 'a: &l [1, true, null, x]'],
    ['a.pkl', 'a = List(1, true, null, "x")'],
  ])('a document is read from %s: %j', async (name, text) => {
    await withFile(name, text, async (path) => {
      const { document, bytes } = await loadDocument(path);
      expect(document).toEqual({ a: [1, true, null, 'x'] });
      expect(Buffer.from(bytes).toString()).toBe(text);
    });
  });

  const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${[...'bcdefgh'].map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcdefg'[index]}`).join(', ')}]`).join('\n')}\n`;
  it.each<[string, string, string | Uint8Array, RegExp]>([
    ['empty', 'a.json', '', /^a.json: expected a document, but the file is empty$/],
    ['blank', 'a.yaml', ' \n', /^a.yaml: expected a document, but the file is blank$/],
    ['blank behind a byte order mark', 'a.yaml', '\uFEFF', /but the file is blank$/],
    ['one byte above 1 MiB', 'a.json', ' '.repeat(2 ** 20 + 1), /^a.json: expected at most 1 MiB, got 1048577 bytes$/],
    [
      'in Latin-1',
      'a.yaml',
      Buffer.from('a: caf\xe9', 'latin1'),
      /^a.yaml: expected text in UTF-8, but it is in another encoding or binary$/,
    ],
    ['in UTF-16', 'a.json', Buffer.from('\uFEFF{}', 'utf16le'), /expected text in UTF-8/],
    ['binary', 'a.yaml', new Uint8Array([97, 0, 98]), /^a.yaml: expected text, but it is binary$/],
    ['of another kind', 'a.toml', 'a = 1', /^a.toml: expected a file that ends in .pkl, .json, .yaml or .yml$/],
    [
      'cut off JSON',
      'a.json',
      '{\n"a": [1,\n',
      /^a.json:3:1: expected JSON, but it cannot be parsed: Array item expected but reached end of input$/,
    ],
    ['JSON with a comma too many', 'a.json', '{\n"a": 1,\n}', /^a.json:3:1: expected JSON/],
    ['JSON with a comment', 'a.json', '// x\n{}', /^a.json:1:1: expected JSON/],
    ['JSON with a bare key', 'a.json', '{a: 1}', /^a.json:1:2: expected JSON/],
    [
      'JSON with a key twice',
      'a.json',
      '{"a": 1,\n "b": {"c": 1,\n "c": 1}}',
      /^a.json:3:2: the same key is twice in one object$/,
    ],
    ['YAML with a key twice', 'a.yaml', 'a: 1\nb: 2\na: 3\n', /^a.yaml:3:1: the same key is twice in one object$/],
    [
      'JSON with a number that would be rounded',
      'a.json',
      '{"a":\n [9007199254740993]}',
      /^a.json:2:3: expected a\[0\] to be a whole number within ±\(2\^53 − 1\), got 9007199254740993$/,
    ],
    [
      'YAML with a number that would be rounded',
      'a.yaml',
      'a:\n - 0x20000000000000\n',
      /^a.yaml:2:4: expected a\[0\] to be a whole number within ±\(2\^53 − 1\), got 0x20000000000000$/,
    ],
    [
      'YAML with a key twice, once in quotes',
      'a.yaml',
      'a:\n  b: 1\n  "\\u0062": 2\n',
      /^a.yaml:3:3: the same key is twice in one object$/,
    ],
    [
      'YAML of 202 levels',
      'a.yaml',
      `${'['.repeat(202)}${']'.repeat(202)}`,
      /^a.yaml(:1)?: expected at most 200 levels, got more$/,
    ],
    [
      'YAML of 100,000 levels',
      'a.yaml',
      `${'['.repeat(1e5)}${']'.repeat(1e5)}`,
      /^a.yaml(:1)?: expected at most 200 levels, got more$/,
    ],
    ['YAML of two documents', 'a.yaml', 'a: 1\n---\nb: 1\n', /^a.yaml:\d:\d: .*multiple documents/],
    ['YAML with an unknown tag', 'a.yaml', 'a: !env HOME\n', /^a.yaml:1:4: Unresolved tag: !env$/],
    ['YAML with a key that is no text', 'a.yaml', '? [a]\n: x\n', /^a.yaml:1:3: .*keys/i],
    ['YAML that is not closed', 'a.yaml', 'a: [1\nb: 2\n', /^a.yaml:\d:\d: /],
    [
      'YAML with aliases without measure',
      'a.yaml',
      bomb,
      /^a.yaml: expected aliases that stay small: Excessive alias count/,
    ],
    ['YAML with an alias of nothing', 'a.yaml', 'a: *nobody\n', /^a.yaml(:1)?: .*nobody/],
  ])('a document is refused when it is %s', async (_, name, content, message) => {
    await withFile(name, content, async (path) => {
      expect((await messagesOf(() => loadDocument(path)))[0]).toMatch(message);
    });
  });

  it('a document of exactly 1 MiB is read', async () => {
    const text = '{}'.padEnd(2 ** 20);
    await withFile('a.json', text, async (path) => expect((await loadDocument(path)).document).toEqual({}));
  });

  it('a document shows nothing of broken JSON, where a secret may stand', async () => {
    await withFile('a.json', '{"password": tok-123}', async (path) => {
      expect((await messagesOf(() => loadDocument(path)))[0]).not.toContain('tok-123');
    });
  });

  it('a document is refused when it is missing or a folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'config-'));
    await mkdir(join(folder, 'x.json'));
    expect(await messagesOf(() => loadDocument(join(folder, 'none.json')))).toEqual([
      'none.json: expected a file, but there is none',
    ]);
    expect(await messagesOf(() => loadDocument(join(folder, 'x.json')))).toEqual([
      'x.json: expected a file, but it is a directory',
    ]);
    await rm(folder, { recursive: true });
    await expect(loadDocument('/dev/null.json')).rejects.toThrow('there is none');
  });
});

describe('lines', () => {
  it.each([
    ['a.json', '{\n  "a": {\n    "b": [\n      1,\n      2\n    ]\n  }\n}'],
    ['a.yaml', '# first\na:\n  b:\n    - 1\n    - 2\n'],
  ])('lines of %s are known by JSON Pointer, for what is absent the nearest around it', async (name, text) => {
    await withFile(name, text, async (path) => {
      const { lineOf } = await loadDocument(path);
      expect(['/a', '/a/b', '/a/b/1', '/a/b/7', '/a/x'].map((pointer) => lineOf?.(pointer))).toEqual([2, 3, 5, 3, 2]);
    });
  });
});

describe('a PKL file', () => {
  it.each([
    ['an environment variable', 'a = read("env:HOME")', /^a.pkl:1:5: Refusing to read resource `env:HOME`/],
    ['a file', 'a = read("file:/etc/hostname")', /^a.pkl:1:5: Refusing to read resource `file:/],
    ['the network', '\na = read("http://127.0.0.1:1/x")', /^a.pkl:2:5: Refusing to read resource `http:/],
    [
      'a module from the network',
      'a = import("https://127.0.0.1:1/x.pkl")',
      /^a.pkl:1:5: Refusing to load module `https:/,
    ],
    [
      'a module outside its folder',
      'a = import("/etc/hosts.pkl")',
      /^a.pkl:1:5: Refusing to load module `file:\/\/\/etc/,
    ],
  ])('a PKL file cannot read %s', async (_, text, message) => {
    await withFile('a.pkl', text, async (path) => {
      expect((await messagesOf(() => loadDocument(path)))[0]).toMatch(message);
    });
  });

  it('a PKL file sends no request for a module that it must not load', async () => {
    let requests = 0;
    const server = createServer((_, response) => response.end(`x = ${(requests += 1)}`));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await withFile('a.pkl', `a = import("http://127.0.0.1:${port}/x.pkl")`, async (path) => {
      expect((await messagesOf(() => loadDocument(path)))[0]).toMatch(/^a.pkl:1:5: Refusing to load module/);
    });
    await new Promise((resolve) => server.close(resolve));
    expect(requests).toBe(0);
  });

  it.each([
    ['syntax', 'a = \n', /^a.pkl:1:4: Unexpected end of file\.$/],
    [
      'the name of a key',
      'amends "modulepath:/Release.pkl"\n\nstages { onDney = "fail" }',
      /^a.pkl:3:10: Cannot find property `onDney` .* Did you mean any of the following\? onDeny$/,
    ],
    [
      'a type',
      'amends "modulepath:/Release.pkl"\nstages { onDeny = "no" }',
      /^a.pkl:2:19: Expected value of type `"fail"\|"wait"`, but got `"no"`\.$/,
    ],
    [
      'a fact id',
      'amends "modulepath:/Release.pkl"\nfacts { ["a-b"] = new ConfigValue { path = "" } }',
      /^a.pkl:2:10: Type constraint .* violated\. Value: "a-b"$/,
    ],
    ['a number', 'a = NaN', /^a.pkl: Cannot render value `NaN` as JSON\.$/],
  ])('a PKL file with a fault in %s is refused with its line and no stack', async (_, text, message) => {
    await withFile('a.pkl', text, async (path) => {
      expect((await messagesOf(() => loadDocument(path)))[0]).toMatch(message);
    });
  });

  it('a PKL file may import from its own folder and be reached by a link, and its folder may have a space', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'config- '));
    await writeFile(join(folder, 'shared.pkl'), 'limit = 7');
    await writeFile(join(folder, 'a.pkl'), 'import "shared.pkl"\na = shared.limit');
    await writeFile(join(folder, 'bad.pkl'), '\na = read("env:X")');
    await symlink(folder, `${folder}-link`);
    expect((await loadDocument(join(`${folder}-link`, 'a.pkl'))).document).toEqual({ a: 7 });
    await expect(loadDocument(join(folder, 'bad.pkl'))).rejects.toThrow(/bad\.pkl:2:5: /);
    await rm(`${folder}-link`);
    await rm(folder, { recursive: true });
  });

  it('a document is no pipe, which is refused without waiting for a writer', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'config-'));
    const pipe = join(folder, 'a.yaml');
    await promisify(execFile)('mkfifo', [pipe]);
    await expect(loadDocument(pipe)).rejects.toThrow('expected a file, but it is a device or a pipe');
    await rm(folder, { recursive: true });
  });

  it.each([
    ['15.min', '15m'],
    ['2.h', '2h'],
    ['1.5.d', '1.5d'],
    ['2500.us', '2.5ms'],
    ['0.s', '0s'],
  ])('a PKL file renders the duration %s as %s', async (pkl, text) => {
    await withFile('a.pkl', `amends "modulepath:/Release.pkl"\nallowedClockSkew = ${pkl}`, async (path) => {
      expect((await loadDocument(path)).document).toMatchObject({ allowedClockSkew: text });
    });
  });
});
