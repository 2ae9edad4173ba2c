import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startOciRegistry } from '../../support/oci-registry/oci-registry';
import { sampleImage } from '../../support/oci-registry/sample-image';
import { runCli } from '../run-cli';

const POLICIES = `policies:
  - id: production
    name: Production images
    priority: 100
    conditions: [ { type: label, operator: equals, value: "environment=production" } ]
    actions: [ { type: replicate, target_registry: ecr, target_repo: "production/{repository}", parameters: { keepKey: 1 } } ]
  - id: scans
    name: Scans
    priority: 200
    conditions: [ { type: label, operator: not_exists, value: security.scan.status } ]
    actions: [ { type: block, parameters: { reason: "Missing security scan" } } ]
`;

describe('gate images', () => {
  let folder: string;
  const image = (name: string, labels: object) =>
    writeFileSync(
      join(folder, name),
      JSON.stringify({ registry: 'docker.example', repository: 'team/app', tag: 'v1', labels }),
    );

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gate-images-'));
    mkdirSync(join(folder, 'policies'));
    writeFileSync(join(folder, 'policies', 'a.yaml'), POLICIES);
    image('scanned.json', { environment: 'production', 'security.scan.status': 'passed' });
    image('unscanned.json', { environment: 'production' });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const evaluate = (...args: string[]) => runCli(folder, ['images', 'evaluate', '--policies', 'policies', ...args]);

  it('evaluate prints the decision', async () => {
    const { code, stdout } = await evaluate('--image', 'scanned.json', '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      should_replicate: true,
      matched_policies: ['production'],
      reason: 'replicated by production',
      metadata: { image: 'docker.example/team/app:v1' },
      actions: [{ type: 'replicate', policy_id: 'production', parameters: { keepKey: 1 } }],
      results: [
        { policy_id: 'scans', matched: false, evaluation_time: expect.any(Number) },
        { policy_id: 'production', matched: true, condition_results: [{ matched: true }] },
      ],
    });
  });

  it('evaluate ends with code 1 for an image that is blocked', async () => {
    const { code, stdout } = await evaluate('--image', 'unscanned.json');
    expect(code).toBe(1);
    expect(stdout).toContain('docker.example/team/app:v1: do not replicate: Missing security scan');
    expect(stdout).toContain('scans: matched');
  });

  it.each([
    [
      'a policy that does not exist',
      ['--policy', 'scan'],
      'POLICY_NOT_FOUND: no policy in policies has the id scan; did you mean scans?',
    ],
    ['a registry without a name', ['--registry', 'gcr=gcr.example'], 'unknown registry ecr'],
    ['an invalid mapping', ['--map', 'team=x'], '--map: expected a registry and a pattern'],
  ])('evaluate refuses %s', async (_what, args, sentence) => {
    const { code, stderr } = await evaluate('--image', 'scanned.json', ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(sentence);
  });

  it('evaluate names every fault of an image', async () => {
    writeFileSync(join(folder, 'bad.json'), '{"registry": "a b", "repository": "Team"}');
    const { code, stderr } = await evaluate('--image', 'bad.json');
    expect(code).toBe(2);
    expect(stderr).toMatch(/bad\.json:1:\d+: expected a registry's host/);
    expect(stderr).toMatch(/bad\.json:1:\d+: expected a repository in lower case/);
  });

  it('evaluate reads an image from its registry', async () => {
    const server = await startOciRegistry();
    try {
      const { config, layers, manifest } = sampleImage({ labels: { environment: 'production' } });
      const content = server.content.open('team/app');
      for (const blob of [config, ...layers]) content.blobs.set(blob.digest, blob.bytes);
      content.manifests.set(manifest.digest, manifest);
      content.tags.set('v1', manifest.digest);
      const blocked = await evaluate('--plain-http', server.host, `${server.host}/team/app:v1`, '-o', 'json');
      expect(blocked.code).toBe(1);
      expect(JSON.parse(blocked.stdout)).toMatchObject({
        reason: 'Missing security scan',
        metadata: { image: `${server.host}/team/app:v1@${manifest.digest}` },
      });
      const absent = await evaluate('--plain-http', server.host, `${server.host}/team/app:v2`);
      expect(absent).toMatchObject({ code: 2, stderr: expect.stringContaining('IMAGE_NOT_FOUND: ') });
    } finally {
      await server.stop();
    }
  });

  it('evaluate takes one image', async () => {
    const { code, stderr } = await evaluate();
    expect(code).toBe(2);
    expect(stderr).toContain('expected one image');
  });

  it('schema prints the JSON Schema of policies', async () => {
    const { code, stdout } = await runCli(folder, ['images', 'schema']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ title: 'Image policies' });
  });
});
