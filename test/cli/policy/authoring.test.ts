import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../run-cli';

const ROOT = join(__dirname, '..', '..', '..');

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
      stderr: expect.stringContaining('gate.rego: is not formatted; run gate policy fmt'),
    });
    expect(existsSync(join(folder, 'bundle.tar.gz'))).toBe(false);
    expect(await gate('fmt', 'policy', '--check')).toMatchObject({ code: 1, stdout: 'not formatted: gate.rego\n' });
    expect(await gate('fmt', 'policy')).toMatchObject({ code: 0, stdout: 'formatted: gate.rego\n' });
    expect(readFileSync(rego, 'utf8')).toBe(tidy);
    expect(await gate('fmt', 'policy', '--check')).toMatchObject({ code: 0, stdout: 'every file is formatted\n' });
    expect(await gate('build', 'policy')).toMatchObject({ code: 0 });
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
      /release\.yaml:1: unknown key surprise/,
      /release\.yaml:3: Expected facts\.max_pending\.base to be an http:\/\/ or https:\/\/ URL/,
      /release\.yaml:4: Expected facts\.pending_deltas\.base/,
      /gate\.rego:\d+:\d+: The policy reads pending_delta, .* did you mean pending_deltas\?/,
      /warning \S*release\.yaml:3: facts\.max_pending\.bearerToken names the environment variable TOKEN/,
    ];
    expect(wanted.filter((line) => !line.test(stdout))).toEqual([]);
  });
});
