import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { runCli } from '../run-cli';

const text = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'rules.md'), 'utf8');
/** Commands that need files alone, each with the output that the guide prints after it. */
const steps = [
  ...text.split('\n## Store\n')[0]!.matchAll(/```sh\n(gate rules [^\n]*)\n```\n\n```text\n([\s\S]*?)```/g),
].map(([, command = '', output = '']) => ({ command, output }));
/** Files that the guide shows under their names. */
const files = [
  ...text.matchAll(/`([\w.]+\.(?:yaml|json))`[^`\n]*(?:`rules`)?:\n\n```(?:yaml|json)\n([\s\S]*?)```/g),
].map(([, name = '', content = '']) => ({ name, content }));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-rules-guide-'));
  mkdirSync(join(folder, 'rules'));
  for (const { name, content } of files) {
    writeFileSync(join(folder, name === 'state.json' ? name : join('rules', name)), content);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('the guide shows its files and covers the commands that need no server', () => {
  expect(files.map(({ name }) => name)).toEqual(['placement.yaml', 'state.json', 'placement.test.yaml']);
  const commands = steps.map(({ command }) => command.split(' ')[2]);
  expect(commands).toEqual(expect.arrayContaining(['validate', 'evaluate', 'lint', 'test', 'explain', 'graph']));
});

it.each(steps)('$command prints what the guide says', async ({ command, output }) => {
  const { code, stdout, stderr } = await runCli(folder, command.split(' ').slice(1));
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: output, stderr: '' });
});
