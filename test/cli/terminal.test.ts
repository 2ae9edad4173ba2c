import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { colorsFor } from '../../src/cli/output';
import { createProgram } from '../../src/cli/program';
import { run } from '../../src/cli/run';
import { createTerminal } from '../../src/platform/observability/terminal';
import { createLogger } from '../../src/platform/observability/logger';
import { anIo } from './an-io';

/** Clears the screen, sets its title, turns the text around, and ends a line early. */
const HOSTILE = '\u001b[2J\u001b]0;owned\u0007\u202eabc\u2066\u009b31m\r\u0000';
const STEERS = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-terminal-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One command on a terminal with colours off, where only line ends and tabs may steer. */
async function onTerminal(argv: readonly string[]) {
  let [stdout, stderr] = ['', ''];
  const code = await run(argv, {
    stdout: { isTTY: true, write: (text) => (stdout += text) },
    stderr: { isTTY: true, write: (text) => (stderr += text) },
    env: { ...process.env, NO_COLOR: '1', XDG_DATA_HOME: folder, TEMPORAL_ADDRESS: '127.0.0.1:1' },
    cwd: folder,
    signal: AbortSignal.abort(),
  });
  return { code, stdout, stderr };
}

const withoutLines = (text: string): string => text.replaceAll(/\r?\n|\t/g, '');

async function everyCommand(): Promise<string[][]> {
  const leaves = (command: Command, words: string[]): string[][] =>
    command.commands.length === 0
      ? [words]
      : command.commands.flatMap((child) => leaves(child, [...words, child.name()]));
  return leaves(await createProgram({ io: anIo(folder), exit: () => undefined }), []);
}

describe('what reaches a terminal', () => {
  it('no command lets a control character or a bidirectional mark of its arguments through', async () => {
    for (const words of await everyCommand()) {
      for (const given of [`--no-${HOSTILE}`, '--settings']) {
        const { code, stdout, stderr } = await onTerminal([...words, given, `/none/${HOSTILE}`]);
        expect({ words, code }).toEqual({ words, code: 2 });
        expect(withoutLines(stdout + stderr)).not.toMatch(STEERS);
      }
    }
  });

  it('JSON stays the same value, and text shows what was there', async () => {
    const path = join(folder, `${HOSTILE.replaceAll('\0', '')}.json`);
    const { stdout, stderr } = await onTerminal(['evaluate', '--policy', 'p', '--facts', path, '-o', 'json']);
    expect(withoutLines(stdout + stderr)).not.toMatch(STEERS);
    const { error } = JSON.parse(stdout) as { error: { message: string } };
    expect(error.message).toContain('\u001b[2J\u001b]0;owned\u0007\u202eabc');
    expect(stderr).toContain('\\u001b[2J\\u001b]0;owned\\u0007\\u202eabc');
  });

  it('colours are this program’s own: a text cannot paint', () => {
    let written = '';
    const io = { ...anIo(folder), stdout: { isTTY: true, write: (text: string) => (written += text) } };
    createTerminal(io.stdout).write(`${colorsFor(io).red(`denied \u001b[32mallow\u001b[39m`)}\n`);
    expect(written).toBe('\u001b[31mdenied \\u001b[32mallow\\u001b[39m\u001b[39m\n');
  });

  it('a file that a command writes, and records in a pipe, stay exact', async () => {
    writeFileSync(join(folder, 'input.json'), JSON.stringify({ properties: { a: { description: '\u202eabc' } } }));
    writeFileSync(join(folder, 'gate.rego'), 'package gate\n');
    const { stdout } = await onTerminal(['policy', 'types', '.']);
    await onTerminal(['policy', 'types', '.', '--to', 'types.d.ts']);
    const file = readFileSync(join(folder, 'types.d.ts'), 'utf8');
    expect(file).toContain('\u202eabc');
    expect(stdout).toBe(file.replaceAll('\u202e', '\\u202e'));
    let piped = '';
    await run(['policy', 'types', '.'], { ...anIo(folder), stdout: { write: (text) => (piped += text) } });
    expect(piped).toBe(file);
  });

  it.each(['json', 'pretty'] as const)('a line of the log (%s) holds none either', (format) => {
    let written = '';
    createLogger({ format, destination: { write: (line) => (written += line) } }).warn({ source: HOSTILE }, HOSTILE);
    expect(withoutLines(written)).not.toMatch(STEERS);
    expect(written).toContain('\\u202eabc');
  });
});
