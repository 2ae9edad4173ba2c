import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { s3ClientConfig } from '../platform/aws/clients';
import { summaryOf } from './alert-receiver';
import { startAwsEnvironment, type AwsEnvironment } from './aws-environment';
import { setLevel } from './dev-environment';
import { createStory, tell, type Story } from './story';

const ROOT = resolve(__dirname, '..', '..');
const MANIFEST = 's3://gate/releases/latest.json';
const POLICY = join(ROOT, 'policy');

/** The life of releases on real servers, as people would go through it by hand, told step by step. */
async function demo(keep: boolean, stopped: AbortSignal): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'gate-releases-'));
  let environment: AwsEnvironment | undefined;
  try {
    const quiet = createStory(process.env, stopped);
    quiet.title('Setting the stage');
    environment = await startAwsEnvironment({ folder: root, env: process.env, say: quiet.told, signal: stopped });
    const shorten = (text: string): string => text.replaceAll(`${root}/`, '').replaceAll(`${ROOT}/`, './');
    const { ended } = environment;
    const story = createStory(environment.env, stopped, ended, shorten);
    const http = await play(story, environment, root);
    if (keep && !stopped.aborted) {
      story.told('Kept running; Ctrl-C ends it. In another shell:');
      for (const name of Object.keys(environment.env).sort()) {
        if (/^(AWS_|TEMPORAL_|GATE_|ALERT_|XDG_DATA)/.test(name))
          story.told(`  export ${name}=${environment.env[name]}`);
      }
      story.told(
        `The worker answers at ${http} (/healthz, /readyz, /metrics), Temporal’s UI at ${environment.temporal.uiUrl}`,
      );
      await once(stopped, 'abort');
    }
  } finally {
    await environment?.stop(stopped.aborted ? 0 : undefined);
    rmSync(root, { recursive: true, force: true });
  }
}

/** @returns where the worker answers */
async function play(story: Story, environment: AwsEnvironment, root: string): Promise<string> {
  const { title, told, gate, ask, waitFor } = story;
  const { levelServerUrl, alerts } = environment;
  const config = (version: string, maxPending: number): string => {
    const file = join(root, `release-${version}.json`);
    writeFileSync(file, `${JSON.stringify(releaseConfig(levelServerUrl, maxPending), null, 2)}\n`);
    return file;
  };
  const levels = (stage: string, maxPending: number): Promise<void> =>
    setLevel(levelServerUrl, `${stage}/max_pending`, { value: maxPending });
  await setLevel(levelServerUrl, 'pending_delta', { value: 120 });
  await setLevel(levelServerUrl, 'max_pending', { value: 800 });
  await setLevel(levelServerUrl, 'region_health', { value: { eu: { status: 'green' }, us: { status: 'green' } } });
  const [v1, v2] = [config('v1', 2000), config('v2', 1000)];

  title('An operator prepares the namespace and the audit table, once');
  await gate(0, 'setup');
  await gate(0, 'audit', 'setup');

  title('A policy author publishes v1: at most 2000 devices may be in transition');
  await gate(
    0,
    'policy',
    'publish',
    '--policy',
    POLICY,
    '--config',
    v1,
    '--to',
    MANIFEST,
    '--version',
    'v1',
    '--by',
    'ada',
  );
  const worker = await environment.startWorker('worker');
  const http = String(worker.ready.http);
  told(`A worker runs; health and metrics at ${http}`);
  const inForce = async (): Promise<string | undefined> =>
    ((await (await fetch(`${http}/healthz`)).json()) as { manifestVersion?: string }).manifestVersion;
  await waitFor('v1 to be in force', async () => (await inForce()) === 'v1');

  title('One deployment is allowed, one is denied, one pauses on a dead source');
  await levels('canary', 1500);
  await gate(0, 'deploy', '--id', 'firmware-1', '--stage', 'canary', '--wait');
  await levels('region', 3100);
  await gate(1, 'deploy', '--id', 'firmware-2', '--stage', 'region', '--wait');
  await setLevel(levelServerUrl, 'fleet/max_pending', { behaviour: { status: 503 } });
  await gate(3, 'deploy', '--id', 'firmware-3', '--stage', 'fleet', '--wait');
  await waitFor('the alert', () => alerts.received.length > 0);
  told(`The alert receiver got one message: ${summaryOf(alerts.received[0]?.body)}`);

  title('The auditor sees all three, in DynamoDB');
  await gate(0, 'audit', 'list', '--kind', 'decision', '--oldest-first');

  title('What would v2 have decided, with a limit of 1000?');
  await gate(0, 'replay', '--policy', POLICY, '--config', v2, '--since', '1h');

  title('The source is back, and an operator resumes the one that waits');
  await setLevel(levelServerUrl, 'fleet/max_pending', { value: 1500 });
  await waitFor('the recovery', async () => {
    const { stdout } = await ask('status', 'firmware-3', '-o', 'json');
    return (JSON.parse(stdout) as { pause?: { recovered?: boolean } }).pause?.recovered === true;
  });
  await gate(0, 'resume', 'firmware-3', '--actor', 'ann', '--reason', 'LevelServer answers again');
  await waitFor('firmware-3 to be done', async () => (await ask('status', 'firmware-3')).code === 0);
  told('firmware-3 was decided again, on fresh facts, and is done');

  title('v2 is published: only the configuration changes');
  await gate(0, 'policy', 'publish', '--config', v2, '--to', MANIFEST, '--version', 'v2', '--by', 'ada');
  await waitFor('v2 to be in force within the refresh interval', async () => (await inForce()) === 'v2');
  told(`/healthz: ${await (await fetch(`${http}/healthz`)).text()}`);
  const metrics = await (await fetch(`${http}/metrics`)).text();
  told(`/metrics: ${metrics.split('\n').find((line) => line.startsWith('gate_release_info{')) ?? ''}`);
  await gate(1, 'deploy', '--id', 'firmware-4', '--stage', 'canary', '--wait');
  const listed = (await ask('audit', 'list', '--deployment', 'firmware-4', '-o', 'json')).stdout;
  const [decided] = JSON.parse(listed) as { manifestVersion?: string }[];
  if (decided?.manifestVersion !== 'v2') throw new Error(`Expected a decision under v2, got ${listed}`);
  told('The same 1500 devices that v1 let pass are denied; the record names v2');

  title('Somebody puts a broken v3 there by hand, past all checks');
  await putByHand(environment.env, {
    'releases/policy-v3.tar.gz': 'no bundle',
    'releases/latest.json': JSON.stringify({
      ...{ policy: 'policy-v3.tar.gz', config: 'config-v2.json', version: 'v3' },
      ...{ policySHA256: '0'.repeat(64), configSHA256: '0'.repeat(64) },
    }),
  });
  await gate(1, 'policy', 'reload');
  const { lastError } = (await (await fetch(`${http}/readyz`)).json()) as { lastError?: string };
  if ((await inForce()) !== 'v2' || lastError === undefined)
    throw new Error('Expected v3 to be refused and v2 to stay');
  told(`v2 stays in force, and /readyz says why: ${lastError}`);
  await waitFor('the alert', () => alerts.received.some(({ body }) => summaryOf(body).includes('refused')));
  told(
    `The alert receiver was told: ${summaryOf(alerts.received.find(({ body }) => summaryOf(body).includes('refused'))?.body)}`,
  );

  title('Back to v1');
  await gate(0, 'policy', 'rollback', '--to', MANIFEST, '--version', 'v1', '--by', 'ann');
  await waitFor('v1 to be in force again', async () => (await inForce()) === 'v1');
  await gate(0, 'policy', 'history', '--to', MANIFEST);
  await gate(0, 'policy', 'status');
  return http;
}

/** Facts that are collected again for each decision, and a source that is given up soon. */
function releaseConfig(levelServer: string, maxPending: number): object {
  const provider = { type: 'levelServer', base: levelServer, maxAge: '5s', ttl: '0s', timeout: '1s' };
  return {
    limits: { maxDelta: 500, maxPending },
    facts: { pending_delta: provider, max_pending: provider, region_health: provider },
    stages: { recheckEvery: '1s' },
    activities: { collectFacts: { maximumAttempts: 2, initialInterval: '100ms' } },
  };
}

async function putByHand(env: NodeJS.ProcessEnv, objects: Record<string, string>): Promise<void> {
  const client = new S3Client({
    ...s3ClientConfig({ endpoint: env.AWS_ENDPOINT_URL_S3, region: env.AWS_REGION, forcePathStyle: true }),
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '' },
  });
  try {
    for (const [Key, Body] of Object.entries(objects))
      await client.send(new PutObjectCommand({ Bucket: 'gate', Key, Body }));
  } finally {
    client.destroy();
  }
}

tell(demo);
