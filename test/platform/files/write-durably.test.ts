import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { beginFile, createDurably, replaceDurably } from '../../../src/platform/files/write-durably';

let folder: string;
let path: string;
let part: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-files-'));
  [path, part] = [join(folder, 'file'), join(folder, 'file.part')];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a file written whole or not at all', () => {
  it('keeps what is in its place until it is finished', async () => {
    writeFileSync(path, 'before');
    const file = await beginFile(path, { part });
    await file.write('af');
    await file.write('ter');
    expect(readFileSync(path, 'utf8')).toBe('before');
    await file.finish();
    expect(readFileSync(path, 'utf8')).toBe('after');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('leaves nothing when it is discarded', async () => {
    writeFileSync(path, 'before');
    const file = await beginFile(path, { part });
    await file.write('after');
    await file.discard();
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('takes the place of a part that was left behind, with its own mode', async () => {
    writeFileSync(part, 'left behind', { mode: 0o644 });
    await replaceDurably(path, 'after', { part, mode: 0o600 });
    expect(readFileSync(path, 'utf8')).toBe('after');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('leaves no part when its place cannot be taken', async () => {
    mkdirSync(join(path, 'inside'), { recursive: true });
    await expect(replaceDurably(path, 'after', { part })).rejects.toMatchObject({ code: expect.any(String) });
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('is not created over one that is there', async () => {
    await createDurably(path, 'first', 0o644);
    await expect(createDurably(path, 'second', 0o644)).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readFileSync(path, 'utf8')).toBe('first');
  });
});
