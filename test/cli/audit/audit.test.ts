import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPostgresAuditStore } from '../../../src/audit/stores/postgres/store';
import { openAuditDatabase } from '../../../src/audit/stores/postgres/open-audit-database';
import { aRecord } from '../../audit/a-record';
import { runCli } from '../run-cli';

const FIRST = '3f1c9a52-7d0e-4f0b-9a55-0c7d3c1f2a10';
let folder: string;
const audit = (...args: string[]) =>
  runCli(folder, ['audit', ...args], { GATE_SETTINGS: join(folder, 'settings.json') });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gate-audit-'));
  mkdirSync(join(folder, 'store'));
  writeFileSync(join(folder, 'settings.json'), JSON.stringify({ audit: { store: { folder: join(folder, 'store') } } }));
  const store = createPostgresAuditStore(await openAuditDatabase({ folder: join(folder, 'store') }));
  await store.record(aRecord({ decisionID: FIRST }));
  await store.record(aRecord({ decisionID: 'bbbbbbbb-1', deploymentID: 'other', actor: 'ann' }));
  await store.record(aRecord({ decisionID: 'bbbbbbbb-2', deploymentID: 'other', actor: 'ann' }));
  await store.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('gate audit, of the embedded store that no worker holds', () => {
  it('gate audit lists one deployment on one short line a record, without naming it in every row', async () => {
    const { code, stdout, stderr } = await audit('list', '--deployment', 'firmware-1.4.0');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [head, row, ...rest] = stdout.trimEnd().split('\n');
    expect(head?.split(/ +/)).toEqual(['TIME', 'STAGE', 'KIND', 'OUTCOME', 'ACTOR', 'ID', 'WHY']);
    expect(row).toContain('3f1c9a52  max_pending limit exceeded: current 3100 > configured 2000');
    expect(row).not.toContain('firmware-1.4.0');
    expect(row?.length).toBeLessThanOrEqual(130);
    expect(rest).toEqual([]);
  });

  it('gate audit names the deployment where several are listed', async () => {
    const { stdout } = await audit('list');
    expect(stdout).toContain('DEPLOYMENT');
    expect(stdout).toContain('other');
  });

  it.each([
    ['jsonl', 3, /^\{"schemaVersion":1,/],
    ['csv', 4, /^timestamp,decisionID,/],
    ['opa', 3, /^\{"labels":\{/],
  ])('gate audit lists as %s, a record a line', async (format, lines, beginning) => {
    const { code, stdout } = await audit('list', '-o', format);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(lines);
    expect(stdout).toMatch(beginning);
  });

  it.each([FIRST, FIRST.slice(0, 8)])('gate audit shows the record %s', async (id) => {
    const { code, stdout } = await audit('show', id, '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ decisionID: FIRST });
  });

  it.each([
    ['3f1c9a5', 'no audit record has the id 3f1c9a5'],
    ['cccccccc', 'no audit record has the id cccccccc'],
    ['bbbbbbbb', '2 audit records begin with bbbbbbbb: '],
  ])('gate audit does not guess at the id %s', async (id, said) => {
    const { code, stdout, stderr } = await audit('show', id);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(said);
  });
});

describe('gate audit export', () => {
  it('gate audit export writes a record a line, oldest first, and their number to stderr', async () => {
    const { code, stdout, stderr } = await audit('export');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '3 records\n' });
    const ids = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { decisionID: string }).decisionID);
    expect(ids).toEqual([FIRST, 'bbbbbbbb-1', 'bbbbbbbb-2']);
  });

  it.each([
    ['7', 3],
    ['8', 0],
  ])('gate audit export takes --version %s for the manifest’s', async (version, count) => {
    const { stderr } = await audit('export', '--version', version);
    expect(stderr).toBe(`${count} records\n`);
    const { stdout } = await audit('list', '--version', version, '-o', 'json');
    expect(JSON.parse(stdout)).toHaveLength(count);
  });

  it('gate audit export writes events of OPA’s decision log', async () => {
    const { stdout } = await audit('export', '-o', 'opa', '--deployment', 'firmware-1.4.0');
    expect(JSON.parse(stdout)).toMatchObject({ decision_id: FIRST, result: { allow: false } });
  });

  it('gate audit export writes a file, whole, and leaves nothing beside it', async () => {
    const file = join(folder, 'out.csv');
    const { code, stdout } = await audit('export', '-o', 'csv', '--to', file);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(readFileSync(file, 'utf8').trimEnd().split('\r\n')).toHaveLength(4);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('gate audit export writes to stdout for the file -', async () => {
    const { code, stdout } = await audit('export', '--to', '-');
    expect({ code, lines: stdout.trimEnd().split('\n').length }).toEqual({ code: 0, lines: 3 });
  });

  it('gate audit export keeps a link, and writes the file that it points to', async () => {
    const [file, link] = [join(folder, 'target.jsonl'), join(folder, 'link.jsonl')];
    writeFileSync(file, 'before');
    symlinkSync(file, link);
    expect(await audit('export', '--to', link)).toMatchObject({ code: 0 });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toHaveLength(3);
  });

  it('gate audit export leaves a file as it was when it is stopped, and nothing beside it', async () => {
    const file = join(folder, 'stopped.jsonl');
    writeFileSync(file, 'before');
    const settings = { GATE_SETTINGS: join(folder, 'settings.json') };
    const argv = ['audit', 'export', '--to', file];
    const { code, stderr } = await runCli(folder, argv, settings, AbortSignal.abort());
    expect({ code, stderr }).toEqual({ code: 4, stderr: 'gate: stopped after 0 records\n' });
    expect(readFileSync(file, 'utf8')).toBe('before');
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('gate audit export says which file it cannot write', async () => {
    const { code, stderr } = await audit('export', '--to', join(folder, 'missing', 'out.jsonl'));
    expect(code).toBe(2);
    expect(stderr).toContain('cannot write ');
  });
});

describe('gate audit, with a damaged record among others', () => {
  it('gate audit shows all that it can read, and says so at the end with exit code 2', async () => {
    const database = await openAuditDatabase({ folder: join(folder, 'store') });
    await database.db
      .updateTable('deploymentgateauditlog')
      .set({ record: '{' })
      .where('decision_id', '=', 'bbbbbbbb-1')
      .execute();
    await database.close();
    for (const args of [['list'], ['export'], ['tail', '--for', '1ms'], ['show', 'bbbbbbbb-1']]) {
      const { code, stdout, stderr } = await audit(...args);
      expect({ args, code }).toEqual({ args, code: 2 });
      expect(stderr).toContain('1 record is damaged, bbbbbbbb-1: its column record cannot be read');
      expect(stdout).toContain('bbbbbbbb');
      if (args[0] !== 'show') expect(stdout).toContain(FIRST.slice(0, 8));
    }
  });
});
