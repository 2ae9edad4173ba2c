import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { GateRecord } from '../../src/audit/audit-record';
import { startAlertReceiver, type AlertReceiverServer } from '../../src/dev/alert-receiver';
import { decisionRecord } from '../../src/gate/decisions/to-audit-record';
import { maskRecord } from '../../src/gate/masking/mask-record';
import { createServices, type Services } from '../../src/gate/services';
import { readArchive } from '../../src/rego/bundle/archive/read-archive';
import { writeArchive } from '../../src/rego/bundle/archive/write-archive';
import { toHealthRelease } from '../../src/releases/release-health';
import { parseSettings } from '../../src/settings/load-settings';
import { runCli } from '../cli/run-cli';
import { metricSum } from '../support/metric-sum';
import { LIMIT_POLICY, plainBundle, withoutPlan } from '../support/plain-bundle';
import { eventually } from '../support/temporal-env';
import { knownResult } from '../cli/known-result';

const SECRET = 'SECRET-4711';
const RESPONSE = 'response := {"allow": count(reasons) == 0, "deny_reasons": reasons}\n';
/** What the module is compiled from; the plan is always that of LIMIT_POLICY. */
const MODULES = {
  denies: `package gate\n\n${RESPONSE}\nreasons contains sprintf("no: %v", [input.deployment.attributes])\n`,
  throws:
    'package gate\n\nresponse := {"allow": x}\n\nx := true if input.deployment\n\nx := false if input.decision_time\n',
  hangs: `package gate

response := {"allow": count(n) < 0}

members := {x | some x in numbers.range(1, 2000)}

n := {1 | some _ in members; some _ in members; some c in members; c == input.own}
`,
};
const ALLOW = '{"allow":true,"deny_reasons":[]}';

/** The second opinion through all parts of a worker but Temporal: decision, record, metric, alert, health and doctor. */
describe('the second opinion', () => {
  let folder: string;
  let alerts: AlertReceiverServer;
  /** messages of the tests before */
  let received = 0;
  let good: Uint8Array;
  const open: Services[] = [];

  const write = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(join(folder, 'new'), content);
    await rename(join(folder, 'new'), join(folder, name));
    return join(folder, name);
  };
  const publish = (policy: string, version: string): Promise<string> =>
    write('latest.json', JSON.stringify({ policy, config: 'config.json', version }));
  const settingsOf = (more: { release?: object; audit?: object } = {}) => ({
    release: { manifest: 'latest.json', refreshInterval: '1h', ...more.release },
    audit: { store: { type: 'none' }, ...more.audit },
    alerts: { receivers: [{ format: 'alertmanager', url: alerts.url }] },
    logLevel: 'silent',
  });
  const services = async (more = {}): Promise<Services> => {
    const settings = parseSettings(settingsOf(more), { file: 'settings' }, folder);
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done() });
    // What one leaves firing is not for the next.
    const env = { XDG_DATA_HOME: join(folder, `data-${randomUUID()}`) };
    const opened = await createServices({ settings, baseDir: folder }, { env, stdout });
    open.push(opened);
    return opened;
  };
  const decided = async (
    { releases, collect, evaluate }: Services,
    attributes: object = { n: 1 },
  ): Promise<GateRecord> => {
    const target = {
      deploymentId: 'd1',
      stage: 'canary',
      stageIndex: 0,
      attributes: { ...attributes },
      stageAttributes: {},
    };
    const snapshot = await collect(releases.current(), target);
    const decision = await evaluate(releases.current(), snapshot);
    return maskRecord(decisionRecord(snapshot, decision, {}), decision.mask);
  };
  const messages = () => alerts.received.slice(received).map(({ body }) => body as unknown as AlertmanagerBody);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-opinion-'));
    alerts = await startAlertReceiver();
    await write('config.json', '{"limits": {"max": 10}, "evaluation": {"deadline": "1s"}}');
    good = await plainBundle(LIMIT_POLICY);
    await write('good.tar.gz', good);
    await write('alone.tar.gz', await withoutPlan(good));
    for (const [name, rego] of Object.entries(MODULES)) {
      const files = new Map(await readArchive(good));
      files.set('policy.wasm', (await readArchive(await plainBundle(rego))).get('policy.wasm')!);
      await write(`${name}.tar.gz`, await writeArchive(files));
    }
  });
  afterAll(async () => {
    await alerts?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => void (received = alerts.received.length));
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
  });

  it.each<[keyof typeof MODULES, 'disagreed' | 'failed', object]>([
    ['denies', 'disagreed', { second: '{"allow":false,"deny_reasons":["no: {\\"n\\": 1}"]}' }],
    ['throws', 'failed', { secondFailure: expect.stringMatching(/conflict/) }],
    ['hangs', 'failed', { secondFailure: 'it ran longer than 1000 ms and was stopped' }],
  ])(
    'the second opinion that %s makes an error with both answers in the record, a metric and one alert',
    async (name, vote, second) => {
      await publish(`${name}.tar.gz`, 'v1');
      const worker = await services();
      const record = await decided(worker);
      expect(record).toMatchObject({
        outcome: 'error',
        reasons: [],
        errorDetails: [{ type: 'PolicyEvaluation', message: expect.stringContaining(ALLOW) }],
        evaluation: { evaluators: ['plan 1 (OPA 1.22.2)', 'opa-wasm 1.10.0'], secondOpinion: vote },
      });
      expect(record.evaluation?.disagreement).toEqual({ first: ALLOW, ...second });
      if (name === 'hangs') return;
      expect(record.evalDurationNS).toBeGreaterThan(0);
      await decided(worker);
      const metrics = await worker.registry.metrics();
      expect(metricSum(metrics, 'gate_second_opinions_total', { vote })).toBe(2);
      await eventually('the alert', () => messages().length > 0);
      expect(messages()).toMatchObject([
        {
          status: 'firing',
          alerts: [{ labels: { alertname: 'EvaluatorsDisagree', deployment_id: 'd1', stage: 'canary' } }],
        },
      ]);
      expect(messages()[0]!.alerts[0]!.annotations.description).toContain(`gate audit show ${record.decisionID}`);

      await publish('good.tar.gz', 'v2');
      await worker.reload();
      await eventually('the end of the alert', () => messages().length > 1);
      expect(messages()[1]).toMatchObject({ status: 'resolved' });
      expect(await decided(worker)).toMatchObject({ outcome: 'allow', evaluation: { secondOpinion: 'agreed' } });
    },
  );

  it('the second opinion that is not asked is none of these: a denial stays one', async () => {
    await publish('denies.tar.gz', 'v1');
    const worker = await services();
    expect(await decided(worker, { n: 11 })).toMatchObject({
      outcome: 'deny',
      evaluation: { secondOpinion: 'not-asked', evaluators: ['plan 1 (OPA 1.22.2)'] },
    });
    expect(metricSum(await worker.registry.metrics(), 'gate_second_opinions_total')).toBe(0);
  });

  it('the second opinion that quotes what is masked is masked in the record and in the alert', async () => {
    await publish('denies.tar.gz', 'v1');
    const worker = await services({ audit: { mask: ['/input/deployment/attributes/serial'] } });
    const record = await decided(worker, { n: 1, serial: SECRET });
    expect(record).toMatchObject({ outcome: 'error', masked: ['/input/deployment/attributes/serial'] });
    expect(record.evaluation?.disagreement).toMatchObject({ second: expect.stringContaining('masked') });
    await eventually('the alert', () => messages().length > 0);
    expect(JSON.stringify([record, messages()])).not.toContain(SECRET);
  });

  it('wasm that decides alone is named in the record, in health and by gate doctor', async () => {
    await publish('alone.tar.gz', 'v1');
    const worker = await services({ release: { allowWasmOnly: true } });
    expect(await decided(worker)).toMatchObject({
      outcome: 'allow',
      evaluation: {
        evaluators: ['opa-wasm 1.10.0'],
        secondOpinion: 'none',
        secondOpinionWhy: ['no-plan: wasm decides alone, and nothing notices what is missing'],
      },
    });
    expect(toHealthRelease(worker.releases.status())).toMatchObject({ manifestVersion: 'v1', wasmAlone: true });
    expect(await releaseFinding({ allowWasmOnly: true })).toMatchObject({
      state: 'note',
      found: expect.stringContaining('without a plan: wasm decides alone (release.allowWasmOnly)'),
    });
    expect(await releaseFinding({})).toMatchObject({
      state: 'missing',
      found: expect.stringContaining('plan.json: missing'),
      advice: 'Workers refuse it as it is',
    });

    await publish('good.tar.gz', 'v2');
    await worker.reload();
    expect(toHealthRelease(worker.releases.status())).not.toHaveProperty('wasmAlone');
    expect(await releaseFinding({})).toMatchObject({ state: 'ok' });
  });

  async function releaseFinding(release: object): Promise<object> {
    const settings = await write('settings.json', JSON.stringify(settingsOf({ release })));
    const argv = ['doctor', '--settings', settings, '-o', 'json'];
    const { stdout } = await runCli(folder, argv, { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    return knownResult<{ findings: { what: string }[] }>(stdout).findings.find(({ what }) => what === 'release')!;
  }
});

interface AlertmanagerBody {
  status: string;
  alerts: { labels: Record<string, string>; annotations: Record<string, string> }[];
}
