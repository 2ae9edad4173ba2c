import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createColors } from 'picocolors';
import type { DeploymentStatus } from '../deployments/deployment-state';
import { startDevEnvironment, setLevel, type DevEnvironment } from './dev-environment';
import { devFolder } from './dev-addresses';

const ID = 'firmware-1.4.0';
const GATE = join(__dirname, '..', 'cli', 'main.js');
const colors = createColors(process.stdout.isTTY === true && process.env.NO_COLOR === undefined);

/** Three stages: the second is denied for a while, the third has a source that stands still. */
const deploymentFile = (levelServer: string): string => `id: ${ID}
attributes: { risk: low }
stages:
  - name: canary
    attributes: { devices: 500 }
    action: { type: http, method: PATCH, url: "${levelServer}/devices", body: { target: "{{ stage_attributes.devices }}" }, expect: 202 }
  - name: region
    attributes: { devices: 5000 }
    onDeny: wait
    recheckEvery: 1s
    action: { type: http, method: PATCH, url: "${levelServer}/devices", body: { target: "{{ stage_attributes.devices }}" }, expect: 202 }
  - name: fleet
    onDeny: wait
    recheckEvery: 1s
`;

interface CommandResult {
  code: number;
  stdout: string;
}

/** The main job on real parts, as a person would do it by hand, told step by step. */
async function demo(keep: boolean, stopped: AbortSignal): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'gate-demo-'));
  const env: NodeJS.ProcessEnv = { ...process.env, XDG_DATA_HOME: root };
  for (const name of Object.keys(env)) if (name.startsWith('TEMPORAL_') || name === 'GATE_SETTINGS') delete env[name];
  let environment: DevEnvironment | undefined;
  try {
    title('Setting the stage');
    const folder = devFolder(env);
    environment = await startDevEnvironment({
      folder,
      env,
      release: { recheckEvery: '1s', ttl: '200ms', maxAge: '5s' },
      say: told,
    });
    const { levelServer, uiUrl } = environment.addresses;
    const file = join(folder, 'deployment.yaml');
    writeFileSync(file, deploymentFile(levelServer));
    await setLevel(levelServer, 'region/max_pending', { value: 3100 });
    await setLevel(levelServer, 'fleet/pending_delta', { value: 120, ageMs: 60_000 });
    await play(environment, env, file, stopped);
    told(`The Temporal UI shows all of it: ${uiUrl}/namespaces/default/workflows/deployment%2F${ID}`);
    if (keep && !stopped.aborted) {
      told(`Kept running. In another shell: export XDG_DATA_HOME=${root}; npx gate status ${ID}. Ctrl-C ends it.`);
      await once(stopped, 'abort');
    }
  } finally {
    await environment?.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

async function play(
  environment: DevEnvironment,
  env: NodeJS.ProcessEnv,
  file: string,
  stopped: AbortSignal,
): Promise<void> {
  const { levelServer } = environment.addresses;
  const gate = (...args: string[]): Promise<CommandResult> => shown(args, env);
  const reaches = (state: string, stage: string): Promise<DeploymentStatus> => waitForState(env, state, stage, stopped);

  title('A CI engineer starts a deployment of three stages');
  expectCode(await gate('deploy', '-f', file), 0);
  await reaches('waiting', 'region');
  told('The canary stage was allowed and acted; the LevelServer has been asked:');
  told(`  ${JSON.stringify(await (await fetch(`${levelServer}/admin/requests`)).json())}`);

  title('The next stage is denied: too many devices are in transition');
  expectCode(await gate('explain', ID), 0);
  told('The level falls to 900; the stage asks again within a second');
  await setLevel(levelServer, 'region/max_pending', { value: 900 });

  title('Then LevelServer stands still: its value is a minute old, 5 seconds are allowed');
  await reaches('paused', 'fleet');
  expectCode(await gate('status', ID), 3);
  await waitFor('the alert', stopped, () => environment.alerts.received.length > 0);
  const [alert] = environment.alerts.received;
  told(`The alert receiver got one message: ${summaryOf(alert?.body)}`);

  title('An operator mends the source, and resumes');
  await setLevel(levelServer, 'fleet/pending_delta', { value: 130 });
  expectCode(await gate('resume', ID, '--actor', 'ann', '--reason', 'LevelServer restarted'), 0);
  expectCode(await gate('deploy', '-f', file, '--wait', '--timeout', '30s'), 0);

  title('The auditor sees what was decided, and by whom');
  expectCode(await gate('audit', 'list', '--deployment', ID, '--oldest-first'), 0);
}

function summaryOf(body: unknown): string {
  const alerts = (body as { alerts?: { annotations?: { summary?: string } }[] } | undefined)?.alerts;
  return alerts?.[0]?.annotations?.summary ?? JSON.stringify(body);
}

async function waitForState(
  env: NodeJS.ProcessEnv,
  state: string,
  stage: string,
  stopped: AbortSignal,
): Promise<DeploymentStatus> {
  let status: DeploymentStatus | undefined;
  await waitFor(`stage ${stage} to be ${state}`, stopped, async () => {
    const { stdout } = await run(['status', ID, '-o', 'json'], env);
    status = stdout === '' ? undefined : (JSON.parse(stdout) as DeploymentStatus);
    return status?.state === state && status.stage === stage;
  });
  return status as DeploymentStatus;
}

async function waitFor(what: string, stopped: AbortSignal, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + 30_000;
  while (!(await holds())) {
    if (stopped.aborted) throw new Error('stopped');
    if (Date.now() > deadlineMs) throw new Error(`Expected ${what} within 30 s`);
    await sleep(100);
  }
}

async function shown(args: string[], env: NodeJS.ProcessEnv): Promise<CommandResult> {
  process.stdout.write(
    `\n${colors.cyan(`$ gate ${args.map((arg) => (/\s/.test(arg) ? JSON.stringify(arg) : arg)).join(' ')}`)}\n`,
  );
  const result = await run(args, env, true);
  process.stdout.write(result.stdout);
  process.stdout.write(colors.dim(`(exit code ${result.code})\n`));
  return result;
}

async function run(args: string[], env: NodeJS.ProcessEnv, withErrors = false): Promise<CommandResult> {
  const child = spawn(process.execPath, [GATE, ...args], {
    env,
    stdio: ['ignore', 'pipe', withErrors ? 'inherit' : 'ignore'],
  });
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, stdout };
}

function expectCode({ code }: CommandResult, expected: number): void {
  if (code !== expected) throw new Error(`Expected exit code ${expected}, got ${code}`);
}

function title(text: string): void {
  process.stdout.write(`\n${colors.bold(`== ${text}`)}\n`);
}

function told(line: string): void {
  process.stdout.write(`   ${line}\n`);
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
demo(process.argv.includes('--keep'), stop.signal).then(
  () => process.stdout.write('\nThe demo is over; nothing is left running.\n'),
  (error: unknown) => {
    process.stderr.write(`The demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
