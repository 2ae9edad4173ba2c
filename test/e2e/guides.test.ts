import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startAwsEnvironment, type AwsEnvironment } from '../../src/dev/aws-environment';
import { devFolder } from '../../src/dev/dev-addresses';
import { setLevel, startDevEnvironment, type DevEnvironment } from '../../src/dev/dev-environment';
import { runCli } from '../cli/run-cli';
import { expectInOrder, stepsOf } from '../support/guide-text';
import { eventually } from '../support/temporal-env';
import { canHaveTool, toolFolder } from '../support/tool-folder';

const ROOT = resolve(__dirname, '..', '..');
/** In the order in which they are read: each continues where the one before it ends. */
const GUIDES = ['docs/releases.md', 'docs/replay.md', 'docs/audit.md'];

const textOf = (guide: string): string => readFileSync(join(ROOT, guide), 'utf8');
/** Files that the guides show under their names. */
const files = [
  ...GUIDES.map(textOf)
    .join('\n')
    .matchAll(/`([\w-]+\.(?:pkl|json))`:\n\n```(?:pkl|json)\n([\s\S]*?)```/g),
].map(([, name = '', text = '']) => ({ name, text }));

it('the guides name their files and cover every command that they are about', () => {
  expect(files.map(({ name }) => name)).toEqual(['settings.pkl', 'release-v1.json']);
  const commands = GUIDES.flatMap((guide) => stepsOf(textOf(guide)))
    .flatMap((step) => step.commands)
    .join('\n');
  for (const named of [
    'gate setup',
    'gate audit setup',
    'gate policy publish',
    'gate policy rollback',
    'gate policy history',
    'gate policy status',
    'gate policy reload',
    'gate policy diff',
    'gate replay',
    'gate audit list',
    'gate audit show',
    'gate audit tail',
    'gate audit export',
  ]) {
    expect(commands).toContain(named);
  }
});

/** The guides' commands in order, as printed, in one folder; the LevelServer's address alone is another one. */
describe('on versitygw and dynalite, the guides', () => {
  let folder: string;
  let environment: AwsEnvironment | undefined;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-guide-'));
    environment = await startAwsEnvironment({
      folder: join(folder, 'servers'),
      env: process.env,
      say: () => undefined,
    });
    const { levelServerUrl } = environment;
    await setLevel(levelServerUrl, 'pending_delta', { value: 120 });
    await setLevel(levelServerUrl, 'max_pending', { value: 1500 });
    await setLevel(levelServerUrl, 'region_health', { value: { eu: { status: 'green' } } });
    for (const { name, text } of files) {
      writeFileSync(join(folder, name), text.replaceAll('http://127.0.0.1:7070', levelServerUrl));
    }
    cpSync(join(ROOT, 'policy'), join(folder, 'policy'), { recursive: true });
    mkdirSync(join(folder, 'bin'));
    writeFileSync(
      join(folder, 'bin', 'gate'),
      `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'dist', 'cli', 'main.js')}' "$@"\n`,
    );
    chmodSync(join(folder, 'bin', 'gate'), 0o755);
    env = { ...environment.env, PATH: `${join(folder, 'bin')}:${process.env.PATH ?? ''}` };
  });
  afterAll(async () => {
    await environment?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What the command prints, after its exit code was compared. */
  async function carryOut(line: string): Promise<string> {
    const exported = /^export (\w+)=(\S+)$/.exec(line);
    if (exported?.[1]) {
      env[exported[1]] = exported[2];
      return '';
    }
    if (line.startsWith('openssl ')) {
      writeKeys(folder);
      return '';
    }
    if (line === 'gate worker &') {
      await startWorker(environment!);
      return '';
    }
    const [command = '', comment] = line.split(' # ');
    const shown = command.replace(/\bID\b/, () => newestId);
    const child = spawn('/bin/sh', ['-c', shown], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
    const [code] = (await once(child, 'close')) as [number | null];
    const wanted = Number(/^exit code (\d)$/.exec(comment ?? '')?.[1] ?? 0);
    expect({ line, code, printed }).toEqual({ line, code: wanted, printed });
    newestId = /"decisionID": "([^"]+)"/.exec(printed)?.[1] ?? newestId;
    return printed;
  }
  let newestId = '';

  async function startWorker({ env: workerEnv, startWorker: start }: AwsEnvironment): Promise<void> {
    // Its own processes, as a guide's reader would have them, ended with the environment.
    workerEnv.GATE_SETTINGS = join(folder, env.GATE_SETTINGS ?? '');
    const worker = await start('worker');
    await eventually('a release', async () => {
      const answer = (await (await fetch(`${String(worker.ready.http)}/healthz`)).json()) as {
        manifestVersion?: string;
      };
      return answer.manifestVersion;
    });
  }

  it.each(GUIDES)('%s works as printed', async (guide) => {
    for (const { commands, output } of stepsOf(textOf(guide))) {
      let printed = '';
      for (const line of commands) printed += await carryOut(line);
      expectInOrder(printed, output);
    }
  });
});

/** As a guide's openssl commands would, which not every machine has. */
function writeKeys(folder: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  writeFileSync(join(folder, 'release-key.pem'), privateKey);
  writeFileSync(join(folder, 'release-key.pub'), publicKey);
}

/** What a new user does after `docs/rules.md`, from an empty folder; `gate dev` is the same environment, in this process. */
describe('the guide to rule policies', () => {
  const text = readFileSync(join(ROOT, 'docs/rules.md'), 'utf8');
  let folder: string;
  let path = process.env.PATH ?? '';
  let dev: DevEnvironment | undefined;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gate-rules-'));
  });
  afterAll(async () => {
    await dev?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Writes what the guide shows as files, and changes the policy where it says so. */
  function writeFiles(): void {
    mkdirSync(join(folder, 'rules'));
    const shown = text.matchAll(/`([\w.]+\.(?:yaml|json))`[^`\n]*(?:`rules`)?:\n\n```(?:yaml|json)\n([\s\S]*?)```/g);
    for (const [, name = '', content = ''] of shown) {
      writeFileSync(join(folder, name === 'state.json' ? name : join('rules', name)), content);
    }
  }
  function changePolicy(): void {
    const file = join(folder, 'rules', 'placement.yaml');
    const [, conditions = ''] =
      /replace the `conditions` of `region-open` by:\n\n```yaml\n([\s\S]*?)```/.exec(text) ?? [];
    const before = readFileSync(file, 'utf8');
    const after = before.replace(/^conditions: .*cluster\.maintenance.*\n/m, conditions);
    expect(after).not.toBe(before);
    writeFileSync(file, after);
  }

  async function carryOut(line: string, variables: NodeJS.ProcessEnv): Promise<string> {
    const [command = '', comment] = line.split(' # ');
    const wanted = Number(/^exit code (\d)$/.exec(comment ?? '')?.[1] ?? 0);
    if (command.startsWith('gate ')) {
      const words = [...command.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
      const { code, stdout, stderr } = await runCli(folder, words.slice(1));
      expect({ line, code, stderr }).toEqual({ line, code: wanted, stderr });
      return stdout;
    }
    const child = spawn('/bin/sh', ['-c', command], { cwd: folder, env: { ...variables, PATH: path } });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (printed += part));
    const [code] = (await once(child, 'close')) as [number | null];
    expect({ line, code }).toEqual({ line, code: wanted });
    return `${printed}\n`;
  }

  it('docs/rules.md works as printed, from an empty folder to a roll back', async () => {
    writeFiles();
    const hasGrpcurl = canHaveTool('grpcurl');
    if (hasGrpcurl) path = `${await toolFolder('grpcurl')}${delimiter}${path}`;
    let variables: NodeJS.ProcessEnv = {};
    for (const { commands, output } of stepsOf(text)) {
      let printed = '';
      for (const line of commands) {
        if (line === 'gate dev') {
          const env = { ...process.env, XDG_DATA_HOME: folder };
          dev = await startDevEnvironment({ folder: devFolder(env), env, server: true, say: () => undefined });
          variables = { SERVER: dev.addresses.server, SHARD_MANAGER: dev.addresses.shardManager };
        } else if (hasGrpcurl || !line.startsWith('grpcurl ')) {
          if (line.startsWith('curl -s $SHARD_MANAGER/v1/state > ')) changePolicy();
          printed += await carryOut(line, variables);
        }
      }
      expectInOrder(printed, hasGrpcurl ? output : output.filter((line) => line !== '"revision": 2,'));
    }
  });
});

/** From an empty folder to an executed plan; `gate dev` is the same environment, in this process. */
describe('the guide to goals and plans', () => {
  const text = readFileSync(join(ROOT, 'docs/plans.md'), 'utf8');
  let folder: string;
  let dev: DevEnvironment | undefined;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gate-plans-guide-'));
  });
  afterAll(async () => {
    await dev?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('docs/plans.md works as printed, from an empty folder to an executed plan', async () => {
    for (const [, name = '', content = ''] of text.matchAll(/`([\w-]+\.yaml)`:\n\n```yaml\n([\s\S]*?)```/g)) {
      writeFileSync(join(folder, name), content);
    }
    const asReader = (line: string) => runCli(folder, line.split(' ').slice(1));
    for (const { commands, output } of stepsOf(text)) {
      let printed = '';
      for (const line of commands) {
        if (line === 'gate dev') {
          const env = { ...process.env, XDG_DATA_HOME: folder };
          dev = await startDevEnvironment({ folder: devFolder(env), env, server: true, say: () => undefined });
          continue;
        }
        const { code, stdout, stderr } = await asReader(line);
        expect({ line, code, stderr }).toEqual({ line, code: 0, stderr });
        printed += stdout;
        // A reader is slower than the controller.
        if (line.startsWith('gate plans apply')) {
          await eventually('the goal to have its plan', async () =>
            (await asReader('gate plans get goals')).stdout.includes('canary-first'),
          );
        }
      }
      expectInOrder(printed, output);
    }
  });
});
