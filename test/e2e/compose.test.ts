import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startDynamoDbServer, type DynamoDbServer } from '../../src/dev/dynamodb-server';
import { startS3Server, type S3Server } from '../../src/dev/s3-server';
import { startTemporalServer, type TemporalServer } from '../../src/dev/temporal-server';
import { findTool } from '../../src/platform/tools/find-tool';
import { COMPOSE, interpolated } from '../support/compose-file';
import { eventually } from '../support/eventually';
import { parseDockerfile, runImageSteps, type BuiltStage } from '../support/image-steps';

const ROOT = join(__dirname, '..', '..');
/** Ends a command that hangs. */
const LONGEST_MS = 300_000;

/** What docker-compose.yml starts of ours, without Docker: the image's steps in folders, its commands and variables as they
 * stand, with loopback addresses for the names of the network and a free port for 9100. */
describe('the image, and what docker-compose.yml does with it', () => {
  let folder: string;
  let stages: Map<string, BuiltStage>;
  let temporal: TemporalServer;
  let s3: S3Server;
  let dynamoDb: DynamoDbServer;
  const workers: { child: ChildProcess; http: string; log: () => string }[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-compose-'));
    const opa = await findTool('opa');
    const logFile = (name: string): string => join(folder, `${name}.log`);
    [temporal, s3, dynamoDb] = await Promise.all([
      startTemporalServer({ logFile: logFile('temporal'), searchAttributes: [] }),
      startS3Server({ folder, logFile: logFile('s3'), buckets: ['gate'] }),
      startDynamoDbServer({ logFile: logFile('dynamodb') }),
    ]);
    stages = runImageSteps(ROOT, join(folder, 'image'), { 'openpolicyagent/opa:1.22.2-static:/opa': opa.path });
    cpSync(join(ROOT, 'configs', 'compose'), join(folder, 'etc-gate'), { recursive: true });
    const settings = join(folder, 'etc-gate', 'worker.pkl');
    const text = readFileSync(settings, 'utf8');
    writeFileSync(settings, text.replace('host = "0.0.0.0"', 'host = "127.0.0.1"\n  port = 0'));
    expect(readFileSync(settings, 'utf8')).not.toBe(text);
  });
  afterAll(async () => {
    await Promise.all(workers.map(({ child }) => stopped(child)));
    await Promise.all([temporal?.stop(), s3?.stop(), dynamoDb?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Paths and addresses of the containers' network as they are here. */
  function here(text: string, stage: BuiltStage): string {
    return interpolated(text)
      .replaceAll('/app/', `${stage.root}/app/`)
      .replaceAll('/etc/gate', join(folder, 'etc-gate'))
      .replaceAll('temporal:7233', temporal.address)
      .replaceAll('http://s3:7070', s3.endpoint)
      .replaceAll('http://dynamodb:8000', dynamoDb.endpoint);
  }

  function environmentOf(service: string, stage: BuiltStage): NodeJS.ProcessEnv {
    const given = COMPOSE.services[service]?.environment ?? {};
    const path = `${join(stage.root, 'usr', 'local', 'bin')}:${process.env.PATH ?? ''}`;
    return {
      PATH: path,
      HOME: folder,
      ...stage.env,
      ...Object.fromEntries(Object.entries(given).map(([name, value]) => [name, here(value, stage)])),
    };
  }

  it('the production image has no more than a worker needs', () => {
    const worker = stages.get('worker')!;
    expect(() => execFileSync('ls', [join(worker.root, 'app', 'node_modules', 'jest')], { stdio: 'pipe' })).toThrow();
    const instructions = parseDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'));
    expect(instructions).toContainEqual({ name: 'USER', rest: 'node' });
  });

  it('the setup service sets everything up once, and may be repeated', () => {
    const author = stages.get('author')!;
    const [shell = '', ...args] = COMPOSE.services.setup?.entrypoint ?? [];
    const setup = (): string =>
      execFileSync(
        shell,
        args.map((arg) => here(arg, author)),
        {
          env: environmentOf('setup', author),
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
          timeout: LONGEST_MS,
        },
      );
    expect(setup()).toContain('v1');
    const again = setup();
    expect(again).toContain('search attributes created: none');
    expect(again).not.toContain('published');
  });

  it.each(['worker-1', 'worker-2'])(
    '%s starts by its command, is healthy, and decides under the published release',
    async (name) => {
      const stage = stages.get('worker')!;
      const service = COMPOSE.services[name]!;
      const env = { ...environmentOf(name, stage), GATE_READY_LINE: '1' };
      const [node = '', ...entrypoint] = stage.entrypoint.map((word) => here(word, stage));
      expect(node).toBe('node');
      const child = spawn(process.execPath, [...entrypoint, ...(service.command ?? stage.command)], {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let log = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
      const lines = createInterface({ input: child.stdout });
      const [first] = (await Promise.race([
        once(lines, 'line'),
        once(child, 'exit').then(() => Promise.reject(new Error(`${name} ended: ${log}`))),
      ])) as [string];
      const { http } = JSON.parse(first) as { http: string };
      workers.push({ child, http, log: () => log });

      const [kind, command = '', ...rest] = service.healthcheck?.test ?? [];
      expect([kind, command]).toEqual(['CMD', 'node']);
      const check = rest.map((word) => word.replace('http://127.0.0.1:9100', http));
      // As Compose does it: a check that fails is repeated.
      await eventually('a healthy worker', () =>
        execFileSync(process.execPath, check, { env, stdio: 'pipe', timeout: LONGEST_MS }),
      );
      const healthz = await fetch(`${http}/healthz`);
      expect(await healthz.json()).toMatchObject({ manifestVersion: 'v1' });
    },
  );

  it('the workers take a deployment together, and record it in DynamoDB', async () => {
    const stage = stages.get('worker')!;
    const env = environmentOf('worker-1', stage);
    const gate = (...args: string[]): { code: number; stdout: string } => {
      try {
        const stdout = execFileSync(process.execPath, [join(stage.root, 'app', 'dist', 'cli', 'main.js'), ...args], {
          env,
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
          timeout: LONGEST_MS,
        });
        return { code: 0, stdout };
      } catch (error) {
        const { status, stdout } = error as { status: number; stdout: string };
        return { code: status, stdout };
      }
    };
    // Nothing answers at the LevelServer's address of the example: a source that is out of reach pauses, and never allows.
    expect(gate('deploy', '--id', 'compose-1', '--stage', 'canary', '--wait', '--timeout', '4m').code).toBe(3);
    const { stdout } = gate('audit', 'list', '--deployment', 'compose-1', '-o', 'json');
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ kind: 'decision', outcome: 'error', manifestVersion: 'v1' }),
    );
  });

  it('a worker ends on SIGTERM with exit code 0', async () => {
    const codes = await Promise.all(workers.map(({ child }) => stopped(child)));
    expect(codes).toEqual([0, 0]);
  });
});

async function stopped(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  }
  return child.exitCode;
}
