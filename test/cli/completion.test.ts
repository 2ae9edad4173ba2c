import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from './run-cli';

const run = promisify(execFile);
const SHELLS = ['bash', 'zsh', 'fish'] as const;
const has = (shell: string): boolean => spawnSync(shell, ['--version'], { stdio: 'ignore' }).status === 0;

/** What each shell offers after a line, by the means that the shell itself gives its users to ask. */
const ASK: Record<(typeof SHELLS)[number], (script: string, line: string) => [string, string[]]> = {
  // As readline does it, its breaking of words at `=` included.
  bash: (script, line) => [
    `source '${script}'
    COMP_WORDS=(${line.replaceAll('=', ' = ')}${/[ =]$/.test(line) ? " ''" : ''}) COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _gate 2> /dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`,
    [],
  ],
  // The completion system works in a terminal alone, which zpty is.
  zsh: (script, line) => [
    `zmodload zsh/zpty; zpty shell zsh -f -i
    zpty -w shell "PS1=; autoload -Uz compinit; compinit -u -D; source '${script}'; LISTMAX=1000"
    zpty -w shell "offer() { zle list-choices; zle -R; print -n FIN''ISHED }; zle -N offer; bindkey '^I' offer; print -n REA''DY"
    zpty -r shell ready '*READY*'; zpty -w -n shell $'${line}\\t'; zpty -r shell out '*FINISHED*'; print -r -- "$out"`,
    ['-f'],
  ],
  fish: (script, line) => [`source '${script}'; complete -C '${line}'`, ['--no-config']],
};

describe.each(SHELLS)('gate completion %s', (shell) => {
  let folder: string;
  let script: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-completion-'));
    script = join(folder, 'completion');
    const { code, stdout } = await runCli(folder, ['completion', shell]);
    expect(code).toBe(0);
    writeFileSync(script, stdout);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const maybe = has(shell) ? it : it.skip;
  const offered = async (line: string): Promise<string[]> => {
    const [commands, flags] = ASK[shell](script, line);
    const { stdout } = await run(shell, [...flags, '-c', commands], { cwd: folder });
    // eslint-disable-next-line no-control-regex -- what a terminal is told besides
    const escapes = /\u001b\[[\d;?]*[a-zA-Z]/g;
    return stdout
      .replace(escapes, ' ')
      .split(/\s+/)
      .filter((word) => word !== '');
  };

  maybe.each([
    ['gate dep', ['deploy'], ['status']],
    ['gate ', ['deploy', 'policy', 'completion', 'help'], ['--file']],
    ['gate policy pub', ['publish'], ['check']],
    ['gate deploy --ju', ['--junit'], ['--wait']],
    ['gate deploy -o ', ['text', 'json'], ['jsonl']],
    ['gate audit list --output=j', ['json', 'jsonl'], ['text']],
    ['gate completion ', ['bash', 'zsh', 'fish'], ['deploy']],
  ])(`${shell} offers after %j what the definitions say`, async (line, wanted, unwanted) => {
    const words = (await offered(line)).map((word) => word.replace(/^--output=/, ''));
    expect(words).toEqual(expect.arrayContaining(wanted));
    for (const word of unwanted) expect(words).not.toContain(word);
  });
});

it('gate completion refuses a shell that it does not know, and names those that it does', async () => {
  const { code, stderr } = await runCli(tmpdir(), ['completion', 'csh']);
  expect(code).toBe(2);
  expect(stderr).toContain('bash, zsh, fish');
});
