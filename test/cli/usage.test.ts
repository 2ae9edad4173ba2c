import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import stringWidth from 'string-width';
import { fitColumns } from '../../src/cli/fit-columns';
import { formatAge, printTable } from '../../src/cli/output';
import { run } from '../../src/cli/run';
import { createTerminal } from '../../src/platform/observability/terminal';
import { anIo } from './an-io';
import { everyCommand } from './every-command';
import { runCli } from './run-cli';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-usage-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the command line', () => {
  it('every duration needs a unit, and its default is shown as one', async () => {
    const tried: string[] = [];
    for (const { words, command } of await everyCommand(folder)) {
      for (const { long, flags, defaultValue } of command.options.filter((one) => one.flags.includes('<duration>'))) {
        const { code, stderr } = await runCli(folder, [...words, long ?? '', '30']);
        expect({ flags, code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('such as 45s') });
        if (defaultValue !== undefined) expect(command.helpInformation()).not.toContain(`default: ${defaultValue}`);
        tried.push(`${words.join(' ')} ${long}`);
      }
    }
    expect(tried).toEqual(expect.arrayContaining(['deploy --timeout', 'dev --recheck-every', 'policy check --fuzz']));
  });

  it('help marks the options that must be given', async () => {
    const { stdout } = await runCli(folder, ['resume', '--help']);
    expect(stdout).toMatch(/--actor <name> +who acts \(required\)/);
    expect(stdout).toContain('(default: 10s)');
    expect(stdout).not.toMatch(/--for <id>.*required/);
  });

  it.each([
    ['firmware-9', '--id firmware-9'],
    ['firmware.yaml', '--file firmware.yaml'],
  ])('gate deploy %s proposes %s', async (name, proposed) => {
    const { code, stderr } = await runCli(folder, ['deploy', name]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `gate: expected no argument, got ${name}; did you mean ${proposed}?\n`,
    });
  });

  it('gate deploy -f - reads YAML and JSON from standard input', async () => {
    for (const text of ['id: d1\nstages: [{nam: canary}]\n', '{"id": "d1",\n"stages": [{"nam": "canary"}]}']) {
      let stderr = '';
      const stdin = (async function* () {
        yield Buffer.from(text.slice(0, 9));
        yield Buffer.from(text.slice(9));
      })();
      const io = { ...anIo(folder), stdin, stderr: { write: (said: string) => (stderr += said) } };
      expect(await run(['deploy', '-f', '-'], io)).toBe(2);
      expect(stderr).toContain('standard input:2');
      expect(stderr).toContain('nam');
    }
  });

  it('a table fits the terminal: its widest columns are cut, and nothing is where nothing bounds it', () => {
    const rows = [
      ['ID', 'STATE', 'PAUSED ON'],
      ['firmware-1.4.0', 'paused', 'x'.repeat(60)],
    ];
    expect(fitColumns(rows, undefined)).toEqual(rows);
    const [, fitted = []] = fitColumns(rows, 50) ?? [];
    expect(fitted.join('  ')).toHaveLength(50);
    expect(fitted.slice(0, 2)).toEqual(['firmware-1.4.0', 'paused']);
    expect(fitted[2]).toMatch(/^x+…$/);
  });

  it.each([40, 80, 200])('a table of hostile and wide texts fits a terminal of %i columns', async (columns) => {
    const head = ['time', 'deployment', 'stage', 'kind', 'outcome', 'actor', 'id', 'why'];
    const wide = '日本語の理由 👩‍👩‍👧 '.repeat(4);
    const rows = [
      ['2026-11-27 18:24:58Z', 'd4', 'a', 'pause', '', 'ann\u202e', '9ac8d316', `${wide}\u001b[2J`],
      ['2026-11-27 18:24:56Z', 'd4', 'a', 'decision', 'deny', 'gate', '788e0e21', 'short\nsecond'],
    ];
    let written = '';
    const terminal = createTerminal({ isTTY: true, columns, write: (text) => (written += text) });
    await printTable({ ...anIo(folder), stdout: terminal }, head, rows);
    const lines = written.trimEnd().split('\n');
    const widest = Math.max(...lines.map((line) => stringWidth(line)));
    if (columns === 40) {
      // Too many columns: a line for each cell, and an empty one between the rows.
      expect(lines.filter((line) => line === '')).toHaveLength(1);
      expect(lines).toContain('WHY         short\\u000asecond');
      expect(lines).toContain('OUTCOME     deny');
    } else {
      expect(lines).toHaveLength(3);
      expect(widest).toBeLessThanOrEqual(columns);
      expect(new Set(lines.map((line) => stringWidth(line.slice(0, line.search(/ID|9ac|788/))))).size).toBe(1);
    }
  });

  it.each([
    [192_000, '3m 12s'],
    [45_400, '45s'],
    [0, '0s'],
    [90_061_000, '1d 1h'],
  ])('%i milliseconds ago is %s', (ms, text) => expect(formatAge(0, ms)).toBe(text));
});
