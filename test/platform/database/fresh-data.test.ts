import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeFreshData } from '../../../src/platform/database/fresh-data';

describe('the files of an empty embedded database', () => {
  let folder: string;
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'gate-fresh-'))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const filesIn = (name: string) => readdirSync(join(folder, name), { recursive: true }).map(String).sort();
  const query = async (name: string) => {
    const database = await PGlite.create(join(folder, name));
    await database.exec('create table t (n int); insert into t values (7)');
    const { rows } = await database.query('select n from t');
    await database.close();
    return rows;
  };

  it('are the same unpacked as created by PGlite, and either is a database', async () => {
    await makeFreshData(join(folder, 'unpacked'));
    await makeFreshData(join(folder, 'created'), join(folder, 'nothing-is-packed-here'));
    expect(filesIn('unpacked')).toEqual(filesIn('created'));
    expect(await query('unpacked')).toEqual([{ n: 7 }]);
    expect(await query('created')).toEqual([{ n: 7 }]);
  });

  it('are refused where the packed file is damaged', async () => {
    const damaged = join(folder, 'damaged.tar.br');
    writeFileSync(damaged, 'no archive');
    await expect(makeFreshData(join(folder, 'from-damaged'), damaged)).rejects.toThrow('Decompression failed');
  });
});
