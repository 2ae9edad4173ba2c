import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditRecord } from '../../src/audit/audit-record';
import { startNodeChild, type NodeChild } from '../../src/dev/child-process';
import { replicateImage } from '../../src/images/copying/replicate-image';
import { openRegistries, withoutTls, type Registries } from '../../src/images/registries/open-registries';
import { startCraneRegistry } from '../support/crane-registry';
import { quickRelease, ROOT, startGateHarness, WAIT, type GateHarness } from '../support/gate-harness';
import { startOciRegistry } from '../support/oci-registry/oci-registry';
import { pushImage } from '../support/oci-registry/push-image';
import { sampleImage } from '../support/oci-registry/sample-image';

/** A stage may roll out an image only once the mirror has it. */
const POLICY = `
# METADATA
# description: An image is rolled out once the mirror has it.
package gate

# METADATA
# description: The decision document read by the worker.
# entrypoint: true
response := {"allow": allow, "deny_reasons": deny_reasons}

default allow := false

allow if count(deny_reasons) == 0

deny_reasons contains "image_not_replicated" if {
	input.deployment.stage != "mirror"
	input.app_image.exists == false
}
`;
const INPUT = {
  type: 'object',
  properties: {
    app_image: { type: 'object', properties: { exists: { type: 'boolean' } }, required: ['exists'] },
  },
  required: ['app_image'],
};

/** Real processes: Temporal, a registry of another make, `gate server` of the built package. */
describe('a deployment that replicates an image', () => {
  let gate: GateHarness;
  let crane: Awaited<ReturnType<typeof startCraneRegistry>>;
  let registries: Registries;
  let server: NodeChild;

  beforeAll(async () => {
    crane = await startCraneRegistry(join(tmpdir(), `crane-actions-${process.pid}.log`));
    registries = openRegistries({ env: {}, access: withoutTls([crane.host]) });
    gate = await startGateHarness({
      settings: { registries: { mirror: { host: crane.host, plainHttp: true } }, server: { port: 0 } },
    });
    const policy = join(gate.folder, 'policy');
    mkdirSync(policy);
    writeFileSync(join(policy, 'gate.rego'), POLICY);
    writeFileSync(join(policy, 'input.json'), JSON.stringify(INPUT));
    const image = 'mirror/prod/app:{attributes.version}';
    gate.writeRelease(
      quickRelease(gate.levels.url, { facts: { app_image: { type: 'image', image, ttl: '0s', timeout: '1m' } } }),
    );
    gate.writeManifest({ policy, config: 'release.json', version: 'v1' });
    server = await startNodeChild(join(ROOT, 'dist', 'cli', 'main.js'), {
      args: ['server', '--settings', gate.settingsFile],
      env: { ...gate.env, GATE_READY_LINE: '1' },
      logFile: join(gate.folder, 'server.log'),
    });
  });
  afterAll(async () => {
    await server?.stop();
    await gate?.stop();
    await registries?.close();
    await crane?.stop();
  });

  /** An image in the registry, under a tag of its own. */
  async function pushed(version: string): Promise<string> {
    const stand = await startOciRegistry();
    const own = openRegistries({ env: {}, access: withoutTls([stand.host]) });
    try {
      const image = sampleImage();
      pushImage(stand, 'team/app', image);
      const source = { registry: own.open(stand.host), repository: 'team/app' };
      const target = { registry: registries.open(crane.host), repository: 'team/app' };
      await replicateImage({ source, digest: image.manifest.digest, target, tag: version });
      return image.manifest.digest;
    } finally {
      await own.close();
      await stand.stop();
    }
  }
  const mirrored = async (version: string): Promise<string | undefined> =>
    (await registries.open(crane.host).headManifest('prod/app', version))?.digest;
  const config = { source: 'mirror/team/app:{{ attributes.version }}', target: 'mirror/prod/app' };
  const action = { type: 'replicate-image', ...config };
  const deploy = (id: string, version: string, stages: object[]) => {
    const file = join(gate.folder, `${id}.json`);
    writeFileSync(file, JSON.stringify({ id, attributes: { version }, stages }));
    return gate.cli('deploy', '-f', file, ...WAIT);
  };

  it('rolls out once its mirror has the image, and not before', async () => {
    const version = 'v1';
    const digest = await pushed(version);
    const early = await deploy(`d-${randomUUID()}`, version, [{ name: 'rollout' }]);
    expect(early).toMatchObject({ code: 1, stdout: expect.stringContaining('image_not_replicated') });
    expect(await mirrored(version)).toBeUndefined();

    const id = `d-${randomUUID()}`;
    const result = await deploy(id, version, [{ name: 'mirror', action }, { name: 'rollout' }]);
    expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining('rollout: done (allow)') });
    expect(await mirrored(version)).toBe(digest);

    const records = await gate.json<AuditRecord[]>('audit', 'list', '--domain', 'images', '--oldest-first');
    const own = records.filter(({ details }) => details?.deployment === id);
    expect(own).toMatchObject([
      { kind: 'decision', outcome: 'allow', details: { digest, stage: 'mirror' } },
      { kind: 'acted', details: { outcome: 'copied', target: `${crane.host}/prod/app:${version}` } },
    ]);
    const decided = await gate.json<AuditRecord[]>('audit', 'list', '--deployment', id, '--oldest-first');
    const acted = decided.find(({ kind }) => kind === 'acted');
    expect(acted).toMatchObject({ details: { type: 'replicate-image', result: 'done', attempts: 1 } });
    // The copy was decided by the gate first.
    expect(own[0]?.refersTo).toBe(decided[0]?.decisionID);
  });

  it('says what is wrong with its action before it starts, in the place of the file', async () => {
    const id = `d-${randomUUID()}`;
    const wrong = { ...action, source: 'mirror/team/app:{{ attributes.tag }}', target: 'prod' };
    const result = await deploy(id, 'v1', [{ name: 'mirror', action: wrong }]);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('Unknown path attributes.tag');
    expect(result.stderr).toContain('expected REGISTRY/REPOSITORY:TAG');
  });

  it('can be a plan, whose binding names the action', async () => {
    const version = 'v2';
    const digest = await pushed(version);
    const at = (kind: string, name: string, spec: object) => ({
      apiVersion: 'planspec.io/v1alpha1',
      kind,
      metadata: { name, namespace: 'ns' },
      spec,
    });
    const objects = [
      at('Goal', 'ship', { description: 'mirrored' }),
      at('Plan', 'steps', {
        description: 'one step',
        goalRef: { name: 'ship' },
        graph: { nodes: [{ id: 'mirror', kind: 'Task', capabilityRefs: [{ name: 'mirror' }] }] },
      }),
      at('Binding', 'mirrors', {
        rules: [{ selector: { capabilityRef: { name: 'mirror' } }, target: { provider: 'replicate-image', config } }],
      }),
    ];
    const reply = await fetch(`${String(server.ready.url)}/apis/planspec.io/v1alpha1/namespaces/ns/apply`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(objects),
    });
    expect(reply.status).toBe(200);
    const parameters = JSON.stringify({ version });
    const where = ['-n', 'ns', '--server', String(server.ready.url), '--name', 'go', '--wait', '--timeout', '5m'];
    const { code, stdout, stderr } = await gate.cli('plans', 'run', 'ship', ...where, '--parameters', parameters);
    expect({ code, stderr, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('Succeeded') });
    expect(await mirrored(version)).toBe(digest);
  });
});
