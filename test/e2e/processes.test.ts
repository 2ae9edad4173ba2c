import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { run } from '../../src/cli/run';
import { startShardManager, type ShardManagerServer } from '../../src/dev/shard-manager';
import { PolicyService } from '../../src/proto/planning_engine/rules/v1/policy_service_pb';
import { startServer } from '../../src/server';
import { loadSettings } from '../../src/settings/load-settings';
import { runCli } from '../cli/run-cli';
import { startGateHarness, WAIT, type GateHarness } from '../support/gate-harness';
import { eventually } from '../support/temporal-env';

/** A command that runs until it is stopped, in this process. */
function startCommand(argv: string[], env: NodeJS.ProcessEnv, cwd: string) {
  const stop = new AbortController();
  const printed = { stdout: '', stderr: '' };
  const ended = run(argv, {
    stdout: { write: (text: string) => (printed.stdout += text) },
    stderr: { write: (text: string) => (printed.stderr += text) },
    env,
    cwd,
    signal: stop.signal,
  });
  return { printed, ended, stop: () => stop.abort('SIGTERM') };
}

describe('gate dev', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gate-dev-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('gate dev starts one whole gate that other commands find by themselves, and ends all of it', async () => {
    const { PATH, HOME, XDG_CACHE_HOME } = process.env;
    const env = { PATH, HOME, XDG_CACHE_HOME, XDG_DATA_HOME: folder };
    const dev = startCommand(['dev', '--recheck-every', '1s'], env, folder);
    const addresses = await eventually(
      'the addresses',
      () =>
        dev.printed.stdout.includes('\n') &&
        (JSON.parse(dev.printed.stdout) as Record<'temporal_address' | 'level_server' | 'settings' | 'server', string>),
    );
    try {
      expect(await runCli(folder, ['dev'])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`process ${process.pid}`),
      });
      expect(await runCli(folder, ['deploy', '--id', 'first', '--stage', 'canary', ...WAIT])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('canary: done (allow)'),
      });
      expect(await runCli(folder, ['doctor'])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(addresses.temporal_address),
      });
      expect((await runCli(folder, ['audit', 'list', '--deployment', 'first'])).stdout).toContain('allow');
      const dry = [
        'evaluate',
        '--policy',
        join(__dirname, '..', '..', 'policy'),
        '--config',
        join(folder, 'planning-engine', 'dev', 'release.json'),
        '--collect',
      ];
      expect(await runCli(folder, dry)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('max_pending = 800'),
      });
      const policy = {
        ...{ name: 'anywhere', type: 'placement', conditions: { metric: 'node.cpu_usage', operator: 'lt', value: 80 } },
        actions: { placement: { strategy: 'least_loaded' } },
      };
      writeFileSync(join(folder, 'policy.json'), JSON.stringify(policy));
      const why = ['--actor', 'ann', '--reason', 'first policies'];
      expect(await runCli(folder, ['rules', 'apply', '-f', 'policy.json', ...why])).toMatchObject({
        code: 0,
        stdout: 'anywhere created (revision 1)\n',
      });
      expect(await (await fetch(`${addresses.server}/healthz`)).text()).toBe('ok');
      const shard = ['--policy', 'anywhere', '--shard', 's6'];
      expect(await runCli(folder, ['rules', 'execute', ...shard, ...why])).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/anywhere \(revision 1\)[^]*put a replica of s6/),
      });
    } finally {
      dev.stop();
    }
    expect(await dev.ended).toBe(0);
    for (const url of [addresses.level_server, addresses.server]) await expect(fetch(url)).rejects.toThrow();
    expect(await runCli(folder, ['status', 'first', '--settings', addresses.settings])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot be reached: the connection was refused'),
    });
  });
});

describe('gate worker and gate server', () => {
  let gate: GateHarness;
  let manager: ShardManagerServer;
  beforeAll(async () => {
    manager = await startShardManager();
    gate = await startGateHarness({
      // Workers in this process log to its own output.
      settings: { server: { port: 0 }, shards: { manager: { url: manager.url } }, logLevel: 'error' },
    });
  });
  afterAll(async () => {
    await gate?.stop();
    await manager?.close();
  });

  it('gate worker serves until it is stopped, and a second one on its embedded store is refused with the way out', async () => {
    const worker = startCommand(['worker', '--settings', gate.settingsFile], gate.env, gate.folder);
    await eventually('the worker to run', () => worker.printed.stderr.includes('Worker runs'));
    const second = await run(['worker', '--settings', gate.settingsFile], {
      stdout: { write: () => true },
      stderr: { write: (text: string) => (worker.printed.stdout += text) },
      env: gate.env,
      cwd: gate.folder,
      signal: new AbortController().signal,
    });
    expect(second).toBe(2);
    expect(worker.printed.stdout).toMatch(new RegExp(`${process.pid}[^]*audit\\.store\\.url`));
    worker.stop();
    expect(await worker.ended).toBe(0);
  });

  it('gate worker takes no tasks before it has loaded a release, and says why', async () => {
    gate.writeManifest({ policy: 'nowhere', config: 'release.json', version: 'v0' });
    const worker = await gate.startWorker();
    const readyz = await fetch(`${worker.httpUrl}/readyz`);
    expect(readyz.status).toBe(503);
    expect(JSON.stringify(await readyz.json())).toContain('nowhere');
    const file = gate.deployment('early', [{ name: 'canary' }]);
    expect(await gate.cli('deploy', '-f', file)).toMatchObject({ code: 0 });
    gate.writeManifest({ policy: join(__dirname, '..', '..', 'policy'), config: 'release.json', version: 'v1' });
    await gate.reaches('early', 'done');
    expect((await fetch(`${worker.httpUrl}/readyz`)).status).toBe(200);
    await worker.stop();
  });

  it('gate server executes a stored policy on the shard manager, and keeps and records the execution', async () => {
    const loaded = await loadSettings(gate.settingsFile, gate.env, gate.folder);
    const server = await startServer(loaded, { env: gate.env, ...gate.quiet });
    try {
      const client = createClient(PolicyService, createGrpcTransport({ baseUrl: server.url }));
      const why = { actor: 'ann', reason: 'room for s6' };
      const definition = {
        ...{ version: '1.0', name: 'cool-nodes', type: 'placement' },
        conditions: { metric: 'node.cpu_usage', operator: 'lt', value: 80 },
        actions: { placement: { strategy: 'least_loaded' } },
      };
      const { policy } = await client.createPolicy({ definition, ...why });
      const question = { operation: 'place_shard', subject: 's6', ...why };
      const replicas = () =>
        (manager.state().shards as unknown as { id: string; replicas: string[] }[]).find(({ id }) => id === 's6')!
          .replicas;

      const { plan, executionId: none } = await client.executePolicy({ ...question, dryRun: true });
      expect([none, plan]).toMatchObject(['', { policies: [{ name: 'cool-nodes', revision: 1 }] }]);
      expect(plan!.steps).toHaveLength(1);
      const { before, predicted } = plan!.impact as Record<'before' | 'predicted', Record<string, number>>;
      expect([before!.replicas, predicted!.replicas]).toEqual([5, 6]);
      expect(replicas()).toEqual([]);

      const id = '3d9c5a52-0b0f-4a52-8a3e-3a1f6c2d7e10';
      const { executionId, workflowId } = await client.executePolicy({ ...question, id });
      expect([executionId, workflowId]).toEqual([id, `rules/execution/${id}`]);
      const execution = await eventually('the execution to be done', async () => {
        const found = await client.getExecution({ id }).catch(() => undefined);
        return found?.execution?.status === 'done' && found.execution;
      });
      expect(execution).toMatchObject({ actor: 'ann', policies: [{ policyId: policy!.id, revision: 1 }] });
      expect(execution.steps.map(({ status }) => status)).toEqual(['done']);
      expect(replicas()).toHaveLength(1);
      expect(await client.executePolicy({ ...question, id })).toMatchObject({ executionId: id });

      const which = { case: 'policyId', value: policy!.id } as const;
      const { events } = await client.getPolicyExecutionHistory({ policy: which });
      expect(events.map(({ eventType }) => eventType)).toEqual(['ended', 'acted', 'started', 'created']);
      const { result } = events[0]!.details as { result: Record<'predicted' | 'found', Record<string, number>> };
      expect(result.predicted).toEqual(predicted);
      // The stand-in's nodes report a usage that no shard changes.
      expect(result.found).toEqual({ ...predicted, utilization: before!.utilization });
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      for (const when of ['predicted', 'found'] as const) {
        const { load_spread: spread } = result[when];
        expect(metrics).toContain(
          `gate_rules_impact{policy_type="placement",when="${when}",measure="load_spread"} ${spread}\n`,
        );
      }
      expect(metrics).toContain('gate_rules_noncompliant_shards{policy="cool-nodes"} 0\n');
      await expect(client.executePolicy({ policies: ['no-such'], dryRun: true, ...why })).rejects.toThrow('no-such');
      expect(manager.requests().calls.filter((call) => call.startsWith('PUT'))).toHaveLength(1);

      const who = ['--actor', 'ann', '--reason', 'room for s5'];
      expect(await gate.cli('rules', 'execute', ...who)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('give --operation, or --policy'),
      });
      const tried = await gate.cli('rules', 'execute', '--policy', 'cool-nodes', '--shard', 's6', '--dry-run', ...who);
      expect(tried).toMatchObject({ code: 0, stderr: expect.stringContaining('Started execution') });
      const json = ['-o', 'json'];
      const asked = ['--operation', 'place_shard', '--shard', 's5', '--id', '0c9c5a52-0b0f-4a52-8a3e-3a1f6c2d7e11'];
      const begun = await gate.cli('rules', 'execute', ...asked, '--no-wait', ...who, ...json);
      expect(JSON.parse(begun.stdout)).toEqual({ execution_id: asked.at(-1), started: true });
      const again = await gate.cli('rules', 'execute', ...asked, ...who);
      expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('was started before') });
      const watched = await gate.cli('rules', 'executions', asked.at(-1)!, '--watch', ...json);
      expect(JSON.parse(watched.stdout)).toMatchObject({ state: 'done', actor: 'ann' });
      expect(await gate.cli('rules', 'executions', id)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/done[^]*s6[^]*Predicted: .*replicas 5 → 6[^]*Found: .*replicas 5 → 6/),
      });
      const listed = await eventually('both in the list', async () => {
        const { stdout } = await gate.cli('rules', 'executions');
        return stdout.includes(id) && stdout.includes(asked.at(-1)!) && stdout;
      });
      expect(listed).toMatch(/execution +status +started +ended/i);
      expect(await gate.cli('rules', 'executions', 'no-such')).toMatchObject({ code: 2 });
      expect(await gate.cli('rules', 'executions', 'abort', id, ...who)).toMatchObject({ code: 2 });
    } finally {
      await server.stop();
    }
  });
});
