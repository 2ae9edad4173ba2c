import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditRecord } from '../../src/audit/audit-record';
import type { Explanation } from '../../src/gate/deployments/deployment-state';
import type { ShownStatus } from '../support/shown-status';
import type { RunningWorker } from '../../src/worker';
import {
  FACT_TIMEOUT_MS,
  type GateHarness,
  OPERATOR,
  quickRelease,
  ROOT,
  startGateHarness,
  WAIT,
} from '../support/gate-harness';
import { gateOnPath, runGitHubAction, runGitLabComponent, runShell } from '../support/pipeline-runners';
import { eventually } from '../support/temporal-env';

/** Through the command line, with a real Temporal server, the shipped policy, the embedded store and real HTTP. */
describe('a deployment, from the command line', () => {
  let gate: GateHarness;
  let worker: RunningWorker;
  let id: string;

  beforeAll(async () => {
    gate = await startGateHarness({ factTimeoutMs: FACT_TIMEOUT_MS });
    worker = await gate.startWorker();
  });
  afterAll(async () => {
    await gate?.stop();
  });
  beforeEach(() => {
    id = `d-${randomUUID()}`;
    gate.heal();
  });

  const patch = (devices = 500) => ({
    type: 'http',
    method: 'PATCH',
    url: `${gate.levels.url}/devices`,
    body: { target: devices },
    expect: 202,
  });
  const deploy = (stages: Record<string, unknown>[], ...args: string[]) =>
    gate.cli('deploy', '-f', gate.deployment(id, stages), ...args);
  const records = () => gate.json<AuditRecord[]>('audit', 'list', '--deployment', id, '--oldest-first');
  const actedFor = (stage: string): number => gate.levels.requests().byIdempotencyKey[`${id}/${stage}`] ?? 0;

  it('a deployment that is allowed acts once and ends with exit code 0', async () => {
    const result = await deploy([{ name: 'canary', attributes: { devices: 500 }, action: patch() }], ...WAIT);
    expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining('canary: done (allow)') });
    expect(actedFor('canary')).toBe(1);
    const [record, ...others] = await records();
    expect(others).toMatchObject([
      { kind: 'acted', details: { result: 'done', attempts: 1, statuses: [202], compensation: 'none' } },
      { kind: 'ended', actor: 'gate', details: { end: 'done', stages: { canary: 'done' } } },
    ]);
    expect(record).toMatchObject({
      kind: 'decision',
      outcome: 'allow',
      stage: 'canary',
      manifestVersion: 'v1',
      policySHA: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(record?.usedFacts.map((fact) => fact.id)).toEqual(['max_pending', 'pending_delta', 'region_health']);
    expect((await gate.cli('audit', 'show', record?.decisionID ?? '')).stdout).toContain('max_pending');
    expect((await gate.cli('audit', 'list', '--deployment', id)).stdout).toContain('allow');
  });

  it('a deployment that is denied names the reasons and ends with exit code 1', async () => {
    gate.levels.setMetric('max_pending', { value: 3100 });
    const result = await deploy([{ name: 'canary', action: patch() }], ...WAIT);
    expect(result).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('max_pending limit exceeded: current 3100 > configured 2000'),
    });
    expect(actedFor('canary')).toBe(0);
    expect(await gate.cli('status', id)).toMatchObject({ code: 1 });
    expect(await gate.cli('explain', id)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('max_pending limit exceeded'),
    });
    expect(await deploy([{ name: 'canary', action: patch() }], '--wait')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('was started before'),
    });
  });

  it.each([
    ['stale', { value: 100, ageMs: 60_000 }, 'FactStale'],
    ['down', { behaviour: { status: 503 } }, 'FactSourceUnavailable'],
    ['hung', { behaviour: 'hang' as const }, 'FactSourceUnavailable'],
    ['of another shape', { behaviour: 'wrongShape' as const, value: 1 }, 'FactInvalid'],
    ['null', { value: null }, 'FactInvalid'],
  ])(
    'a deployment whose source is %s pauses with exit code 3, alerts, and continues when an operator resumes it',
    async (_what, metric, type) => {
      const before = gate.alerts.received.length;
      gate.levels.setMetric('pending_delta', metric);
      expect(await deploy([{ name: 'canary', action: patch() }], ...WAIT)).toMatchObject({
        code: 3,
        stdout: expect.stringContaining(type),
      });
      await eventually('the alert', () => gate.alerts.received.length > before);
      expect(actedFor('canary')).toBe(0);
      expect(await gate.cli('explain', id)).toMatchObject({
        code: 3,
        stdout: expect.stringContaining('pending_delta'),
      });
      gate.heal();
      await eventually('recovery', async () => (await gate.json<ShownStatus>('status', id)).pause?.recovered);
      expect(await gate.cli('resume', id, ...OPERATOR)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('Resumed'),
      });
      await gate.reaches(id, 'done');
      expect(actedFor('canary')).toBe(1);
      const kinds = (await records()).map((record) => record.kind);
      expect(kinds.filter((kind) => kind !== 'recheck')).toEqual([
        ...['decision', 'pause', 'resume', 'decision', 'resolved'],
        ...['acted', 'ended'],
      ]);
      await eventually('the resolved message', () =>
        gate.alerts.received.some(
          ({ body }) => (body as { status?: string }).status === 'resolved' && JSON.stringify(body).includes(id),
        ),
      );
    },
  );

  it('a pause names every failing fact at once', async () => {
    gate.levels.setMetric('pending_delta', { value: 100, ageMs: 60_000 });
    gate.levels.setMetric('max_pending', { behaviour: { status: 500 } });
    gate.levels.setMetric('region_health', { value: 'green' });
    await deploy([{ name: 'canary' }], ...WAIT);
    const { why } = await gate.json<Explanation>('explain', id);
    expect(why.join('\n')).toMatch(/FactStale[^]*pending_delta|pending_delta[^]*FactStale/);
    expect(why.join('\n')).toContain('max_pending');
    expect(why.join('\n')).toContain('region_health');
    await gate.cli('abort', id, ...OPERATOR);
  });

  it('a stage with autoResume continues by itself when its source recovers', async () => {
    gate.levels.setMetric('pending_delta', { behaviour: { status: 503 } });
    await deploy([{ name: 'canary', autoResume: true, action: patch() }], ...WAIT);
    gate.heal();
    await gate.reaches(id, 'done');
    expect(actedFor('canary')).toBe(1);
  });

  it('a stage with onDeny: wait continues when the level falls', async () => {
    gate.levels.setMetric('max_pending', { value: 2001 });
    await deploy([{ name: 'canary', onDeny: 'wait', action: patch() }]);
    await gate.reaches(id, 'waiting');
    gate.levels.setMetric('max_pending', { value: 2000 });
    await gate.reaches(id, 'done');
    expect(actedFor('canary')).toBe(1);
  });

  it('gate deploy --wait ends with exit code 4 at its time-out, and the deployment continues to wait', async () => {
    gate.levels.setMetric('max_pending', { value: 3100 });
    const stages = [{ name: 'canary', onDeny: 'wait', recheckEvery: '10m' }];
    await deploy(stages);
    await gate.reaches(id, 'waiting');
    expect(await deploy(stages, '--wait', '--timeout', '1s')).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('still waiting'),
    });
    expect(await gate.cli('status', id)).toMatchObject({ code: 0 });
    expect(await gate.cli('abort', id, ...OPERATOR)).toMatchObject({ code: 0 });
    expect(await gate.cli('status', id)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('aborted by ann: checked by hand'),
    });
  });

  it('an override continues a denied stage, and its record names the operator', async () => {
    gate.levels.setMetric('max_pending', { value: 3100 });
    await deploy([{ name: 'canary', onDeny: 'wait', recheckEvery: '10m', action: patch() }]);
    await gate.reaches(id, 'waiting');
    expect(await gate.cli('override', id, ...OPERATOR)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Overridden'),
    });
    await gate.reaches(id, 'done');
    expect((await records()).find((record) => record.kind === 'override')).toMatchObject({
      actor: 'ann',
      outcome: 'allow',
    });
    expect(actedFor('canary')).toBe(1);
  });

  it('gate pause --all pauses what runs, one line each, and gate resume ends each pause', async () => {
    gate.levels.setMetric('max_pending', { value: 3100 });
    const other = `${id}-b`;
    const stages = [{ name: 'canary', onDeny: 'wait', recheckEvery: '10m' }];
    await deploy(stages);
    await gate.cli('deploy', '-f', gate.deployment(other, stages));
    for (const one of [id, other]) await gate.reaches(one, 'waiting');
    await eventually('both in the list', async () => {
      const running = await gate.running();
      return [id, other].every((one) => running.includes(one));
    });
    const all = await gate.cli('pause', '--all', '--for', '2h', ...OPERATOR);
    expect(all).toMatchObject({ code: 0, stderr: '' });
    for (const one of [id, other]) {
      expect(all.stdout.split('\n').filter((line) => line.startsWith(`${one}: Paused until`))).toHaveLength(1);
      expect((await gate.cli('status', one)).stdout).toContain('paused by ann until');
    }
    expect(await gate.cli('pause', id, '--all', ...OPERATOR)).toMatchObject({ code: 2 });
    expect(await gate.cli('pause', id, '--for', 'soon', ...OPERATOR)).toMatchObject({ code: 2 });
    gate.heal();
    for (const one of [id, other]) {
      expect(await gate.cli('resume', one, ...OPERATOR)).toMatchObject({ code: 0 });
      await gate.reaches(one, 'done');
    }
    expect(await gate.cli('pause', id, ...OPERATOR)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('nothing to pause'),
    });
  });

  it.each([
    ['resume', 'not paused'],
    ['override', 'an-old-decision'],
  ])('%s in the wrong state is refused with exit code 2 and the state found', async (command, message) => {
    gate.levels.setMetric('max_pending', { value: 3100 });
    await deploy([{ name: 'canary', onDeny: 'wait', recheckEvery: '10m' }]);
    await gate.reaches(id, 'waiting');
    const meantFor = command === 'override' ? ['--for', 'an-old-decision'] : [];
    expect(await gate.cli(command, id, ...OPERATOR, ...meantFor)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message),
    });
    await gate.cli('abort', id, ...OPERATOR);
  });

  it.each([
    ['status'],
    ['explain'],
    ['resume', ...OPERATOR],
    ['abort', ...OPERATOR],
    ['override', ...OPERATOR],
    ['pause', ...OPERATOR],
  ])('gate %s of an unknown id ends with exit code 2', async (command, ...args) => {
    expect(await gate.cli(command, 'no-such-deployment', ...args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('unknown'),
      stdout: '',
    });
  });

  it('a deployment with a used id and another input is refused with the difference', async () => {
    await deploy([{ name: 'canary' }], ...WAIT);
    expect(await deploy([{ name: 'canary', onDeny: 'wait' }])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('stages[0].onDeny'),
    });
    const again = await deploy([{ name: 'canary', onDeny: 'wait' }], '--again', ...WAIT);
    expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining(`Started deployment ${id}.2`) });
  });

  it.each([
    ['done', 800, 0],
    ['denied', 3100, 1],
  ])(
    'a deployment that ended as %s and that Temporal has forgotten is not run again unless --again says so',
    async (state, level, code) => {
      gate.levels.setMetric('max_pending', { value: level });
      expect(await deploy([{ name: 'canary' }], ...WAIT)).toMatchObject({ code });
      const { address, namespace } = gate.temporal;
      const connection = await Connection.connect({ address });
      const workflowExecution = { workflowId: `deployment/${id}` };
      await connection.workflowService.deleteWorkflowExecution({ namespace, workflowExecution });
      await eventually('Temporal to forget it', async () => (await gate.cli('status', id)).code === 2);
      await connection.close();
      gate.heal();
      const past = await deploy([{ name: 'canary' }]);
      expect(past).toMatchObject({
        code,
        stdout: expect.stringContaining(`${state} at stage canary (from the audit store)`),
      });
      expect((await records()).filter(({ kind }) => kind === 'ended')).toHaveLength(1);
      const again = await deploy([{ name: 'canary' }], '--again', ...WAIT);
      expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining(`Started deployment ${id}.2`) });
    },
  );

  it('gate deploy without --wait on a paused deployment shows why and ends with exit code 3', async () => {
    gate.levels.setMetric('pending_delta', { behaviour: { status: 503 } });
    const stages = [{ name: 'canary' }];
    expect(await deploy(stages)).toMatchObject({ code: 0, stderr: expect.stringContaining('Started deployment') });
    await gate.reaches(id, 'paused');
    const found = await deploy(stages);
    expect(found).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('paused on FactSourceUnavailable'),
      stderr: expect.stringContaining('was started before'),
    });
    const shown = await deploy(stages, '-o', 'json');
    expect(shown.code).toBe(3);
    expect(JSON.parse(shown.stdout)).toMatchObject({ state: 'paused', pause: { reason: 'FactSourceUnavailable' } });
    await gate.cli('abort', id, ...OPERATOR);
  });

  it('gate list shows a deployment, and gate list --running only until it ends', async () => {
    await deploy([{ name: 'canary' }], ...WAIT);
    await eventually('the deployment in the list', async () => (await gate.cli('list')).stdout.includes(id));
    expect(await gate.running()).not.toContain(id);
  });

  it('the worker names the release in force on /readyz and /healthz, and counts decisions on /metrics', async () => {
    await deploy([{ name: 'canary' }], ...WAIT);
    const ready = await fetch(`${worker.httpUrl}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({
      manifestVersion: 'v1',
      policySHA: expect.any(String),
      configRev: expect.any(String),
    });
    expect((await fetch(`${worker.httpUrl}/healthz`)).status).toBe(200);
    const metrics = await (await fetch(`${worker.httpUrl}/metrics`)).text();
    expect(metrics).toMatch(/gate_decisions_total\{[^}]*outcome="allow"[^}]*\} [1-9]/);
    expect((await fetch(`${worker.httpUrl}/audit/records`)).status).toBe(401);
  });

  describe('with a release that changes', () => {
    const oneStage = [{ name: 'canary' }];
    it('the worker takes a new configuration within the refresh interval, and keeps the last good policy when the next is broken', async () => {
      gate.writeRelease(quickRelease(gate.levels.url, { limits: { maxDelta: 50, maxPending: 2000 } }));
      gate.writeManifest({ policy: join(ROOT, 'policy'), config: 'release.json', version: 'v2' });
      const readyz = async () =>
        (await (await fetch(`${worker.httpUrl}/readyz`)).json()) as { manifestVersion?: string; lastError?: string };
      await eventually('v2 in force', async () => (await readyz()).manifestVersion === 'v2');
      expect(await deploy(oneStage, ...WAIT)).toMatchObject({
        code: 1,
        stdout: expect.stringContaining('pending_delta limit exceeded: current 100 > configured 50'),
      });

      const broken = join(gate.folder, 'broken');
      mkdirSync(broken, { recursive: true });
      writeFileSync(join(broken, 'gate.rego'), 'package gate\n\nresponse := {"allow": \n');
      writeFileSync(join(broken, 'input.json'), '{"type": "object", "properties": {}, "additionalProperties": false}');
      gate.writeManifest({ policy: broken, config: 'release.json', version: 'v3' });
      await eventually('the refusal', async () => (await readyz()).lastError !== undefined);
      expect((await readyz()).manifestVersion).toBe('v2');
      await eventually('the alert', () => JSON.stringify(gate.alerts.received).includes('ReleaseRefused'));
      expect(await (await fetch(`${worker.httpUrl}/metrics`)).text()).toMatch(
        /gate_release\w*_total\{[^}]*refused[^}]*\} [1-9]/,
      );

      gate.writeRelease(quickRelease(gate.levels.url));
      gate.writeManifest({ policy: join(ROOT, 'policy'), config: 'release.json', version: 'v4' });
      await eventually(
        'v4 in force',
        async () => (await readyz()).manifestVersion === 'v4' && (await readyz()).lastError === undefined,
      );
    });
  });

  describe('bad input', () => {
    it.each([
      ['no stages', '{"id": "x", "stages": []}', 'stages'],
      ['an unknown key', '{"id": "x", "stages": [{"name": "a", "onDenial": "wait"}]}', 'onDenial'],
      ['a bad id', '{"id": "-x", "stages": [{"name": "a"}]}', 'id'],
      ['a stage twice', '{"id": "x", "stages": [{"name": "a"}, {"name": "a"}]}', 'a'],
      [
        'an unknown template',
        '{"id": "x", "stages": [{"name": "a", "action": {"type": "http", "method": "POST", "url": "http://127.0.0.1/{{ nothing.here }}"}}]}',
        'nothing',
      ],
      ['an empty file', '', 'deployment'],
      ['something else', '\u0000\u0001', 'deployment'],
    ])(
      'a deployment file with %s is refused with exit code 2 and the fault named, and nothing starts',
      async (_what, text, named) => {
        const file = join(gate.folder, 'bad-deployment.json');
        writeFileSync(file, text);
        const result = await gate.cli('deploy', '-f', file);
        expect(result).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(named) });
        expect(result.stderr).not.toMatch(/^\s+at /m);
      },
    );

    it.each([
      [['deploy'], '--file'],
      [['deploy', '-f', 'missing.yaml'], 'missing.yaml'],
      [['deploy', '--stage', 'a'], '--id'],
      [['deploy', '-f', 'x', '--stage', 'a'], 'either'],
      [['resume', 'x'], '--actor'],
      [['status'], 'id'],
      [['nonsense'], 'nonsense'],
      [['audit', 'list', '--since', 'yesterday', '--outcome', 'maybe'], 'since'],
      [['audit', 'show', 'no-such-id'], 'no-such-id'],
      [['deploy', '--timeout', 'soon', '--id', 'x', '--stage', 'a'], 'soon'],
      [['status', 'x', '--settings', 'missing.pkl'], 'missing.pkl'],
    ])('the arguments %j end gate with exit code 2 and the fault named', async (args, named) => {
      const result = await gate.cli(...args);
      expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining(named) });
      expect(result.stderr).not.toMatch(/^\s+at /m);
    });
  });

  it('gate setup and gate doctor print what they found', async () => {
    expect(await gate.cli('setup')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('already there: DeploymentId'),
    });
    expect(await gate.cli('doctor')).toMatchObject({ code: 0, stdout: expect.stringContaining('temporal server') });
  });

  describe('in a pipeline', () => {
    /** A checkout with a deployment file, and what a runner's environment holds beside its own variables. */
    const job = (stages: Record<string, unknown>[], { hasGate = true } = {}) => {
      const folder = join(gate.folder, id);
      mkdirSync(folder);
      cpSync(gate.deployment(id, stages), join(folder, 'deployment.json'));
      const PATH = hasGate
        ? `${gateOnPath(folder)}:${process.env.PATH ?? ''}`
        : `${dirname(process.execPath)}:/usr/bin:/bin`;
      // A job that silences npm still hears why its package could not be had.
      const silent = { npm_config_loglevel: 'silent', npm_config_update_notifier: 'false' };
      const npm = { npm_config_cache: join(gate.folder, 'npm'), ...silent };
      return { folder, env: { ...gate.env, PATH, ...npm, GATE_SETTINGS: gate.settingsFile } };
    };
    const HOSTILE = '"; touch injected; $(touch injected) `touch injected`';

    it('the action for GitHub starts a deployment, waits, and shows it on the page of the run', async () => {
      const { folder, env } = job([{ name: 'canary', action: patch() }]);
      const inputs = { file: 'deployment.json', attributes: `risk=low\r\n\nnote=${HOSTILE}\n`, junit: 'gate.xml' };
      const result = await runGitHubAction({ folder, env, inputs: { ...inputs, timeout: '5m' } });
      expect(result).toMatchObject({ code: 0, outputs: { 'exit-code': '0', state: 'done' } });
      expect(actedFor('canary')).toBe(1);
      expect(result.file('runner-temp/summary.md')).toContain('| <code>canary</code> | done | allow |');
      expect(result.file('gate.xml')).toContain('name="canary" time="0"/>');
      const [record] = await records();
      expect(record).toMatchObject({ deployment: { attributes: { risk: 'low', note: HOSTILE } } });
      expect(() => result.file('injected')).toThrow('ENOENT');
      expect(JSON.parse(readFileSync(result.outputs.result!, 'utf8'))).toMatchObject({ state: 'done' });
    });

    it('a runner without the gate command runs the package that the action for GitHub names', async () => {
      const { folder, env } = job([{ name: 'canary', action: patch() }], { hasGate: false });
      expect((await runShell('command -v gate || echo none', folder, env)).log).toBe('none\n');
      const inputs = { file: 'deployment.json', timeout: '5m', package: ROOT };
      const result = await runGitHubAction({ folder, env, inputs });
      expect(result).toMatchObject({ code: 0, outputs: { 'exit-code': '0', state: 'done' } });
      expect(actedFor('canary')).toBe(1);
      expect(JSON.parse(readFileSync(result.outputs.result!, 'utf8'))).toMatchObject({ deployment_id: id });
    });

    it('the action for GitHub fails where its package cannot be had, and names it', async () => {
      const { folder, env } = job([{ name: 'canary' }], { hasGate: false });
      const inputs = { file: 'deployment.json', package: join(folder, 'no-such-package') };
      const result = await runGitHubAction({ folder, env, inputs });
      expect(result).toMatchObject({ log: expect.stringContaining('no-such-package'), outputs: { state: '' } });
      expect(result.code).toBeGreaterThan(0);
      expect(result.outputs['exit-code']).toBe(String(result.code));
    });

    it('the action for GitHub fails with the exit code of a denial, and its reasons are on the page', async () => {
      gate.levels.setMetric('max_pending', { value: 3100 });
      const { folder, env } = job([{ name: 'canary', action: patch() }]);
      const result = await runGitHubAction({ folder, env, inputs: { file: 'deployment.json', timeout: '5m' } });
      expect(result).toMatchObject({ code: 1, outputs: { 'exit-code': '1', state: 'denied' } });
      expect(
        result.file('runner-temp/summary.md').replaceAll(/&#(\d+);/g, (_all, code) => String.fromCharCode(code)),
      ).toContain('max_pending limit exceeded: current 3100 > configured 2000');
    });

    it('the component for GitLab leaves a report, the state and the result of a paused deployment', async () => {
      gate.levels.setMetric('max_pending', { behaviour: { status: 503 } });
      const { folder, env } = job([{ name: 'canary', action: patch() }]);
      const inputs = { file: 'deployment.json', id: `${id}-$CI_COMMIT_TAG`, attributes: `risk=low\nnote=${HOSTILE}` };
      const result = await runGitLabComponent({ folder, env, inputs: { ...inputs, timeout: '5m' } });
      expect(result).toMatchObject({ code: 3, outputs: { GATE_EXIT_CODE: '3', GATE_STATE: 'paused' } });
      expect(result.file('gate-deploy.xml')).toMatch(
        /<error message="[^"]*paused on FactSourceUnavailable" type="paused">/,
      );
      expect(JSON.parse(result.file('gate-deploy.json'))).toMatchObject({ state: 'paused' });
      expect(() => result.file('injected')).toThrow('ENOENT');
      expect(await gate.cli('abort', `${id}-v1.4.0`, ...OPERATOR)).toMatchObject({ code: 0 });
    });

    it('a pipeline whose deployment file is wrong gets exit code 2 and a report with an error, by npx too', async () => {
      const { folder, env } = job([{ name: 'no name' }], { hasGate: false });
      const result = await runGitLabComponent({ folder, env, inputs: { file: 'deployment.json', package: ROOT } });
      expect(result).toMatchObject({ code: 2, outputs: { GATE_EXIT_CODE: '2', GATE_STATE: '' } });
      expect(result.file('gate-deploy.xml')).toContain('errors="1"');
    });

    it('the commands of docs/ci.md work as printed', async () => {
      const { folder, env } = job([{ name: 'canary' }]);
      cpSync(join(folder, 'deployment.json'), join(folder, 'deployment.yaml'));
      const [, script = ''] = /```sh\n([^]*?)```/.exec(readFileSync(join(ROOT, 'docs', 'ci.md'), 'utf8')) ?? [];
      const hasJq = (await runShell('jq --version', folder, env)).code === 0;
      const result = await runShell(script.replaceAll(hasJq ? /$^/g : /^jq .*$/gm, ''), folder, env);
      expect(result).toMatchObject({ code: 0, log: expect.stringContaining(hasJq ? 'true\ncanary done' : '') });
    });
  });
});
