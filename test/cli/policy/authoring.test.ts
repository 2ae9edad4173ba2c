import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../run-cli';

const ROOT = join(__dirname, '..', '..', '..');

describe('every command that takes a policy folder', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gate-no-policy-'));
    mkdirSync(join(folder, 'empty'));
    writeFileSync(join(folder, 'file'), 'no folder');
    writeFileSync(join(folder, 'facts.json'), '{}');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const commands = [
    'build',
    'check',
    'fmt',
    'test',
    'types',
    'optional --facts facts.json',
    'optional --records facts.json',
  ];
  const places: [string, string, RegExp][] = [
    [
      'is not there',
      'nowhere',
      /^gate: PolicyInvalid: Expected (a policy folder|the policy) at nowhere, but .*(none|ENOENT)/,
    ],
    [
      'is a file',
      'file',
      /^gate: PolicyInvalid: (Expected a policy folder at file, but it is no folder|The policy bundle)/,
    ],
    ['holds no Rego', 'empty', /^gate: PolicyInvalid: Expected Rego files in empty, found none$/],
  ];
  it.each(commands.flatMap((command) => places.map((place) => [command, ...place] as const)))(
    'gate policy %s says what is wrong with a policy folder that %s, and blames nothing else',
    async (command, _, dir, said) => {
      const { code, stderr } = await runCli(folder, ['policy', ...command.split(' '), dir]);
      expect(code).toBe(2);
      expect(stderr.trim()).toMatch(said);
      expect(stderr).not.toMatch(/spawn|scandir|ENOTDIR/);
    },
  );
});

describe('gate policy build, fmt and check', () => {
  let folder: string;
  let rego: string;
  const gate = (...args: string[]) => runCli(folder, ['policy', ...args]);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gate-authoring-'));
    cpSync(join(ROOT, 'policy'), join(folder, 'policy'), { recursive: true });
    rego = join(folder, 'policy', 'gate.rego');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('gate policy build refuses what gate policy check refuses, and gate policy fmt mends it', async () => {
    const tidy = readFileSync(rego, 'utf8');
    writeFileSync(rego, tidy.replace('default allow', 'default   allow'));
    expect(await gate('build', 'policy')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('gate.rego:10:9: is not formatted; run gate policy fmt'),
    });
    expect(existsSync(join(folder, 'bundle.tar.gz'))).toBe(false);
    expect(await gate('fmt', 'policy', '--check')).toMatchObject({ code: 1, stdout: 'not formatted: gate.rego\n' });
    expect(await gate('fmt', 'policy')).toMatchObject({ code: 0, stdout: 'formatted: gate.rego\n' });
    expect(readFileSync(rego, 'utf8')).toBe(tidy);
    expect(await gate('fmt', 'policy', '--check')).toMatchObject({ code: 0, stdout: 'every file is formatted\n' });
    expect(await gate('build', 'policy')).toMatchObject({ code: 0 });
  });

  it.each<[string, string, string | undefined]>([
    [
      'decides with any parameters',
      'response := {"allow": data.config.parameters.open, "deny_reasons": []}',
      undefined,
    ],
    ['gives another document', 'response := {"allowed": data.config.parameters.open}', '"allowed":'],
    [
      'decides with none that can be found',
      'response := {"allow": false, "deny_reasons": []} if data.config.parameters.open == "the word"',
      'tried with samples of its parameters',
    ],
  ])('gate policy build loads a policy and evaluates it before it is written: it %s', async (_, rule, said) => {
    mkdirSync(join(folder, 'own'), { recursive: true });
    writeFileSync(join(folder, 'own', 'gate.rego'), `package gate\n\n${rule}\n`);
    writeFileSync(join(folder, 'own', 'input.json'), '{ "type": "object" }');
    rmSync(join(folder, 'own.tar.gz'), { force: true });
    const { code, stderr } = await gate('build', 'own', '--to', 'own.tar.gz');
    expect({ code, stderr }).toMatchObject(said === undefined ? { code: 0 } : { code: 2 });
    expect(stderr).toContain(said ?? '');
    expect(existsSync(join(folder, 'own.tar.gz'))).toBe(said === undefined);
    if (said === undefined || said.startsWith('"')) return;
    // The author says which ones there are.
    const schema = { properties: { open: { enum: ['the word'] } } };
    writeFileSync(join(folder, 'own', 'parameters.json'), JSON.stringify(schema));
    expect((await gate('build', 'own', '--to', 'own.tar.gz')).stderr).toBe('');
    rmSync(join(folder, 'own', 'parameters.json'));
  });

  it('gate policy check names unused variables beside what does not compile', async () => {
    mkdirSync(join(folder, 'two'), { recursive: true });
    const rules = [
      'deny contains "a" if {',
      '\tunused := 1',
      '\tinput.a > 1',
      '}',
      '',
      'deny contains "b" if cuont([])',
    ];
    writeFileSync(join(folder, 'two', 'gate.rego'), `package gate\n\n${rules.join('\n')}\n`);
    const { stdout } = await gate('check', 'two');
    expect(stdout).toMatch(/gate\.rego:8:22: undefined function cuont; did you mean count\?/);
    expect(stdout).toMatch(/input\.json: missing/);
    expect(stdout).toMatch(/gate\/response: expected a rule response/);
  });

  it('gate policy check without settings does not run the modules that a configuration names, and warns of them', async () => {
    writeFileSync(join(folder, 'evil.mjs'), `import { writeFileSync } from 'node:fs';\nwriteFileSync('ran', '');\n`);
    const provider = '{ type: levelServer, base: "http://127.0.0.1:9999" }';
    const facts = ['max_pending', 'pending_delta'].map((id) => `  ${id}: ${provider}`);
    const config = ['facts:', ...facts, '  region_health: { type: module, module: ./evil.mjs }', ''];
    writeFileSync(join(folder, 'modules.yaml'), config.join('\n'));
    const { code, stdout } = await gate('check', 'policy', '--config', 'modules.yaml');
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('names the module ./evil.mjs') });
    expect(existsSync('ran') || existsSync(join(folder, 'ran'))).toBe(false);
  });

  it('gate policy check lists what is wrong with the configuration, its providers and the policy at once', async () => {
    const facts = ['max_pending', 'pending_deltas', 'region_health'];
    const config = [
      'surprise: 1',
      'facts:',
      ...facts.map((id) => `  ${id}: { type: levelServer, base: "localhost:9", bearerToken: { env: TOKEN } }`),
    ];
    writeFileSync(join(folder, 'release.yaml'), config.join('\n'));
    const { code, stdout } = await gate('check', 'policy', '--config', 'release.yaml');
    expect(code).toBe(1);
    const wanted = [
      /release\.yaml:1:1: unknown key surprise/,
      /release\.yaml:3:37: Expected facts\.max_pending\.base to be an http:\/\/ or https:\/\/ URL/,
      /release\.yaml:4:40: Expected facts\.pending_deltas\.base/,
      /gate\.rego:\d+:\d+: The policy reads pending_delta, .* did you mean pending_deltas\?/,
      /warning \S*release\.yaml:3:58: facts\.max_pending\.bearerToken names the environment variable TOKEN/,
    ];
    expect(wanted.filter((line) => !line.test(stdout))).toEqual([]);
  });
});
