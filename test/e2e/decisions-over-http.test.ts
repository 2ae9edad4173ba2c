import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import Ajv2020 from 'ajv/dist/2020';
import { parse } from 'yaml';
import { startGateHarness, type GateHarness } from '../support/gate-harness';

const TOKEN = 'ask-me';
const QUESTION = { deployment_id: 'firmware-1.4.0', stage: 'canary', attributes: { risk: 'low' } };

/** Whether docs/openapi.yaml describes a body. */
const isDescribed = ((): ((name: string, body: unknown) => boolean) => {
  const document = parse(readFileSync(join(__dirname, '..', '..', 'docs', 'openapi.yaml'), 'utf8')) as object;
  const ajv = new Ajv2020({ strict: false }).addSchema({ $id: 'api', ...document });
  return (name, body) => ajv.validate({ $ref: `api#/components/schemas/${name}` }, body);
})();

describe('decisions over HTTP', () => {
  let gate: GateHarness;
  let url: string;

  beforeAll(async () => {
    gate = await startGateHarness();
    const settings = JSON.parse(readFileSync(gate.settingsFile, 'utf8')) as Record<string, object>;
    const secret = (name: string, text: string) => {
      writeFileSync(join(gate.folder, name), text);
      return { file: name };
    };
    Object.assign(settings.http!, {
      decisionToken: secret('decision-token', TOKEN),
      bearerToken: secret('bearer-token', 'look'),
    });
    Object.assign(settings.audit!, { mask: ['/input/deployment/attributes/owner'] });
    const key = secret('payload-key', 'ab'.repeat(32));
    Object.assign(settings.temporal!, { encryptionKeys: [{ id: 'k1', key }] });
    writeFileSync(gate.settingsFile, JSON.stringify(settings));
    url = (await gate.startWorker()).httpUrl;
  });
  afterAll(() => gate?.stop());
  beforeEach(() => gate.heal());

  async function ask(body: object | string, headers: Record<string, string> = {}) {
    const response = await fetch(new URL('/v1/decisions', url), {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    expect([response.status, isDescribed(response.status === 200 ? 'Decision' : 'Error', answer)]).toEqual([
      response.status,
      true,
    ]);
    return { status: response.status, body: answer };
  }
  const recordsOf = (id: string) => gate.json<{ decisionID: string }[]>('audit', 'list', '--deployment', id);

  it.each([
    ['allow', {}, { deny_reasons: [], faults: [], lease_expires_at: expect.any(String) }],
    ['deny', { max_pending: { value: 2001 } }, { deny_reasons: [expect.stringContaining('2001')], faults: [] }],
    [
      'error',
      { max_pending: { behaviour: { status: 503 } } },
      {
        deny_reasons: [],
        faults: [expect.objectContaining({ type: 'FactSourceUnavailable', fact_id: 'max_pending', status: 503 })],
      },
    ],
  ] as const)(
    'a decision over HTTP is %s, and its record is there before the answer',
    async (outcome, levels, rest) => {
      for (const [name, level] of Object.entries(levels)) gate.levels.setMetric(name, level);
      const { status, body } = await ask(QUESTION);
      expect([status, body]).toEqual([200, expect.objectContaining({ outcome, stage: 'canary', ...rest })]);
      const record = await gate.json<object>('audit', 'show', String(body.decision_id));
      expect(record).toMatchObject({ outcome, deploymentID: 'firmware-1.4.0', manifestVersion: 'v1' });
    },
  );

  it('a question asked again under its Idempotency-Key gets the recorded decision, whatever the facts say now', async () => {
    const headers = { 'idempotency-key': randomUUID().toUpperCase() };
    const question = { ...QUESTION, deployment_id: 'twice' };
    const first = await ask(question, headers);
    gate.levels.setMetric('max_pending', { value: 2001 });
    expect(await ask(question, headers)).toEqual(first);
    expect(first.body).toMatchObject({
      outcome: 'allow',
      decision_id: headers['idempotency-key'].toLowerCase(),
    });
    expect(await recordsOf('twice')).toHaveLength(1);
  });

  it('questions asked at once under one Idempotency-Key all get the one that was recorded', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const question = { ...QUESTION, deployment_id: 'at-once' };
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(question, headers)));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(await recordsOf('at-once')).toHaveLength(1);
  });

  it.each([
    ['deployment', { deployment_id: 'other' }],
    ['stage', { stage: 'fleet' }],
    ['attribute', { attributes: { risk: 'high' } }],
    ['attribute of the stage', { stage_attributes: { ring: 1 } }],
  ])('a question about another %s is refused under a key that is taken', async (_what, other) => {
    const headers = { 'idempotency-key': randomUUID() };
    await ask(QUESTION, headers);
    const { status, body } = await ask({ ...QUESTION, ...other }, headers);
    expect([status, body.error]).toEqual([
      400,
      expect.objectContaining({ message: expect.stringContaining('about something else') }),
    ]);
  });

  it('a key is matched by what the record shows when it hides a value', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const question = { ...QUESTION, attributes: { risk: 'low', owner: 'ann@example.org' } };
    const first = await ask(question, headers);
    expect(first.body.masked).toEqual(['/input/deployment/attributes/owner']);
    expect(await ask(question, headers)).toEqual(first);
    expect((await ask({ ...question, stage: 'fleet' }, headers)).status).toBe(400);
  });

  it('every fault of a question is told at once, its header too', async () => {
    const { status, body } = await ask(
      { deployment_id: '../x', attributes: [], stages: 1 },
      { 'idempotency-key': 'k' },
    );
    expect(status).toBe(400);
    const { faults } = body.error as { faults: { message: string }[] };
    expect(faults.map(({ message }) => message).sort()).toEqual([
      expect.stringContaining('expected attributes to be an object'),
      expect.stringContaining('expected deployment_id to'),
      expect.stringContaining('to have the key stage, but it is missing'),
      expect.stringContaining('unknown key stages'),
      expect.stringContaining('Idempotency-Key'),
    ]);
  });

  it.each([
    ['no JSON', '{"stage": "a"', {}],
    ['a key twice', '{"deployment_id": "a", "deployment_id": "b", "stage": "c"}', {}],
    ['nothing', '', {}],
    ['null', 'null', {}],
    ['a number that is rounded', '{"deployment_id":"a","stage":"b","attributes":{"n":9007199254740993}}', {}],
    ['no UTF-8', Buffer.from(JSON.stringify({ ...QUESTION, attributes: { owner: 'Jürgen' } }), 'latin1'), {}],
    ['another content type', JSON.stringify(QUESTION), { 'content-type': 'text/plain' }],
    ['too much', JSON.stringify({ ...QUESTION, attributes: { text: 'x'.repeat(70_000) } }), {}],
    ['a key of an id that the gate derives', QUESTION, { 'idempotency-key': '01234567-89ab-8def-8123-456789abcdef' }],
  ])('a question that is %s is refused with 400', async (_what, body, headers) => {
    expect((await ask(body, headers)).status).toBe(400);
  });

  it('another method than POST is answered with the one that is right', async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const response = await fetch(new URL('/v1/decisions', url), { method: 'PUT', headers });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    expect(isDescribed('Error', await response.json())).toBe(true);
  });

  it('the token for decisions opens them alone, and no other token does', async () => {
    const get = (path: string, token: string) =>
      fetch(new URL(path, url), { headers: { authorization: `Bearer ${token}` } }).then(({ status }) => status);
    expect((await ask(QUESTION, { authorization: 'Bearer look' })).status).toBe(401);
    expect((await ask(QUESTION, { authorization: '' })).status).toBe(401);
    expect([await get('/audit/records', TOKEN), await get('/audit/records', 'look')]).toEqual([401, 200]);
  });

  it('what the API takes is what its description says', () => {
    expect(isDescribed('DecisionRequest', QUESTION)).toBe(true);
    expect(isDescribed('DecisionRequest', { ...QUESTION, stage_attributes: {} })).toBe(true);
    expect(isDescribed('DecisionRequest', { ...QUESTION, stages: 1 })).toBe(false);
    expect(isDescribed('DecisionRequest', { deployment_id: '../x', stage: 'a' })).toBe(false);
  });
});
