import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { summaryOf } from './alert-receiver';
import { startDevEnvironment, setLevel, type DevEnvironment } from './dev-environment';
import { devFolder } from './dev-addresses';
import { createStory, tell, type Story } from './story';

const ID = 'firmware-1.4.0';

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

/** The main job on real parts, as a person would do it by hand, told step by step. */
async function demo(keep: boolean, stopped: AbortSignal): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'gate-demo-'));
  const env: NodeJS.ProcessEnv = { ...process.env, XDG_DATA_HOME: root };
  for (const name of Object.keys(env)) if (name.startsWith('TEMPORAL_') || name === 'GATE_SETTINGS') delete env[name];
  let environment: DevEnvironment | undefined;
  const story = createStory(env, stopped, () => environment?.ended());
  try {
    story.title('Setting the stage');
    const folder = devFolder(env);
    environment = await startDevEnvironment({
      folder,
      env,
      release: { recheckEvery: '1s', ttl: '200ms', maxAge: '5s' },
      say: story.told,
      signal: stopped,
    });
    const { levelServer, uiUrl } = environment.addresses;
    const file = join(folder, 'deployment.yaml');
    writeFileSync(file, deploymentFile(levelServer));
    await setLevel(levelServer, 'region/max_pending', { value: 3100 });
    await setLevel(levelServer, 'fleet/pending_delta', { value: 120, ageMs: 60_000 });
    await play(story, environment, file);
    story.told(`The Temporal UI shows all of it: ${uiUrl}/namespaces/default/workflows/deployment%2F${ID}`);
    if (keep && !stopped.aborted) {
      story.told(
        `Kept running. In another shell: export XDG_DATA_HOME=${root}; npx gate status ${ID}. Ctrl-C ends it.`,
      );
      await once(stopped, 'abort');
    }
  } finally {
    await environment?.stop(stopped.aborted ? 0 : undefined);
    rmSync(root, { recursive: true, force: true });
  }
}

async function play(
  { title, told, gate, ask, waitFor }: Story,
  environment: DevEnvironment,
  file: string,
): Promise<void> {
  const { levelServer } = environment.addresses;
  const reaches = (state: string, stage: string): Promise<void> =>
    waitFor(`stage ${stage} to be ${state}`, async () => {
      const { stdout } = await ask('status', ID, '-o', 'json');
      const status = stdout === '' ? undefined : (JSON.parse(stdout) as { state?: string; stage?: string });
      return status?.state === state && status.stage === stage;
    });

  title('A CI engineer starts a deployment of three stages');
  await gate(0, 'deploy', '-f', file);
  await reaches('waiting', 'region');
  told('The canary stage was allowed and acted; the LevelServer has been asked:');
  told(`  ${JSON.stringify(await (await fetch(`${levelServer}/admin/requests`)).json())}`);

  title('The next stage is denied: too many devices are in transition');
  await gate(0, 'explain', ID);
  told('The level falls to 900; the stage asks again within a second');
  await setLevel(levelServer, 'region/max_pending', { value: 900 });

  title('Then LevelServer stands still: its value is a minute old, 5 seconds are allowed');
  await reaches('paused', 'fleet');
  await gate(3, 'status', ID);
  await waitFor('the alert', () => environment.alerts.received.length > 0);
  told(`The alert receiver got one message: ${summaryOf(environment.alerts.received[0]?.body)}`);

  title('An operator mends the source, and resumes');
  await setLevel(levelServer, 'fleet/pending_delta', { value: 130 });
  await gate(0, 'resume', ID, '--actor', 'ann', '--reason', 'LevelServer restarted');
  await gate(0, 'deploy', '-f', file, '--wait');

  title('The auditor sees what was decided, and by whom');
  await gate(0, 'audit', 'list', '--deployment', ID, '--oldest-first');
}

tell(demo);
