import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DeploymentClient } from '../../src/clients/deployment-client';
import type { Explanation } from '../../src/gate/deployments/deployment-state';
import { workflowIdOf } from '../../src/kernel/names';
import { explainQuery } from '../../src/workflows/messages';
import { FakeGateActivities } from '../fakes/fake-gate-activities';
import { bytes, rawPayload, rawQuery, rawSignal, rawUpdate, type RawPayload } from '../support/raw-messages';
import { eventually, startTemporalEnv, type RunningWorker, type TemporalEnv } from '../support/temporal-env';
import { watchedDeployment } from '../support/watched-deployment';

const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const encrypted: RawPayload = {
  metadata: { encoding: bytes('binary/encrypted'), 'encryption-key-id': bytes('another') },
  data: new Uint8Array(64),
};
const manyKeys = JSON.stringify(Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`key-${index}`, 1])));

/** Ten faults of 200 characters, with what is said around them. */
const MAX_TEXT = 2_500;

/** What arrived, and what the note about it says. */
const HOSTILE: [string, RawPayload[], RegExp][] = [
  ['an unknown encoding', [rawPayload(bytes('x'), 'application/x-unknown')], /got 1 bytes: Unknown encoding/],
  ['no encoding', [{ data: bytes('{}') }], /got 2 bytes/],
  ['no metadata and no data', [{}], /got 0 bytes/],
  ['invalid JSON', [rawPayload(bytes('{"actor": '))], /got 10 bytes/],
  ['JSON without data', [rawPayload(undefined)], /got 0 bytes/],
  ['JSON 30,000 deep', [rawPayload(bytes(deep(30_000)))], /Expected resume to carry an object/],
  [
    'a megabyte of JSON',
    [rawPayload(bytes(JSON.stringify('x'.repeat(1_000_000))))],
    /got 1000002 bytes: Expected at most 65536/,
  ],
  ['a payload of another key', [encrypted], /got 64 bytes.*"another"/],
  ['3,000 unknown keys', [rawPayload(bytes(manyKeys))], /and 2993 more/],
  ['a second argument that cannot be read', [rawPayload(bytes('{}')), rawPayload(bytes('{'))], /actor to be a text/],
  ['no argument', [], /got nothing/],
];

describe('a deployment that gets messages it cannot read', () => {
  let env: TemporalEnv;
  let gate: FakeGateActivities;
  let worker: RunningWorker;
  let id: string;

  beforeAll(async () => {
    env = await startTemporalEnv();
  });
  afterAll(async () => {
    await env?.stop();
  });
  beforeEach(() => {
    id = `h-${randomUUID()}`;
    gate = new FakeGateActivities();
    gate.verdict = { outcome: 'error', faults: [{ type: 'FactStale', message: 'too old' }] };
    gate.stages = { ...gate.stages, recheckEvery: '1h' };
  });

  const target = () => ({ client: env.client, workflowId: workflowIdOf(id) });
  const { handle, status } = watchedDeployment(() => ({ client: env.client, id }));
  const explain = (): Promise<Explanation> => handle().query(explainQuery);
  const client = () => new DeploymentClient({ client: env.client, taskQueue: id, deadlineMs: 60_000 });
  const paused = async (use: () => Promise<void>): Promise<void> => {
    worker = await env.startWorker(id, gate.activities());
    try {
      await client().start({ id, stages: [{ name: 'canary' }] });
      await eventually('a pause', async () => (await status()).state === 'paused');
      await use();
    } finally {
      await worker.stop();
    }
  };
  /** It answers, resumes and ends: nothing that arrived has wedged it. */
  const endsWell = async (): Promise<void> => {
    gate.verdict = { outcome: 'allow' };
    const call = { actor: 'ann', reason: 'checked', for: (await status()).pause?.id };
    expect(await client().call(id, 'resume', call)).toMatchObject({ result: 'answered', reply: { accepted: true } });
    expect(await handle().result()).toMatchObject({ state: 'done' });
    const { events = [] } = await handle().fetchHistory();
    expect((events ?? []).filter((event) => event.workflowTaskFailedEventAttributes)).toEqual([]);
  };

  it('signals with what cannot be read are noted one by one, and change nothing', () =>
    paused(async () => {
      const before = await status();
      for (const [what, payloads, noted] of HOSTILE) {
        await rawSignal(target(), 'resume', payloads);
        const { notes } = await explain();
        expect([what, notes.at(-1)]).toEqual([what, expect.stringMatching(noted)]);
        expect(notes.at(-1)?.length).toBeLessThan(MAX_TEXT);
      }
      expect((await explain()).notes).toHaveLength(10);
      expect((await status()).pause).toEqual(before.pause);
      await endsWell();
    }));

  it('Updates with what cannot be read are refused by a short message', () =>
    paused(async () => {
      for (const [what, payloads, said] of HOSTILE) {
        const outcome = await rawUpdate(target(), 'resume', payloads);
        const message = outcome?.failure?.message ?? '';
        expect([what, message]).toEqual([what, expect.stringMatching(said)]);
        expect(message.length).toBeLessThan(MAX_TEXT);
      }
      expect((await rawUpdate(target(), 'no-such-update', [rawPayload(bytes('{'))]))?.failure).toBeDefined();
      await endsWell();
    }));

  it('Updates too big to be answered are refused by the server, and end nothing', () =>
    paused(async () => {
      const sized = (size: number): RawPayload => rawPayload(new Uint8Array(size).fill(0x20));
      const sent = [
        [sized(1_400_000), sized(1_400_000)],
        [sized(2_500_000)],
        ...Array<[RawPayload]>(8).fill([sized(900_000)]),
      ];
      const outcomes = await Promise.all(sent.map((payloads) => rawUpdate(target(), 'resume', payloads)));
      const said = outcomes.map((outcome) => outcome?.failure?.message ?? '');
      expect(said.slice(0, 2)).toEqual(Array(2).fill(expect.stringContaining("wasn't processed by worker")));
      expect(said.filter((message) => message === '')).toEqual([]);
      await endsWell();
    }));

  it('queries with what cannot be read are answered', () =>
    paused(async () => {
      for (const [, payloads] of HOSTILE) {
        await rawQuery(target(), 'status', payloads);
        await expect(rawQuery(target(), 'no-such-query', payloads)).rejects.toThrow();
      }
      await endsWell();
    }));

  it('signals that fill the history make a deployment continue as new, and it keeps its pause and its notes', () =>
    paused(async () => {
      const before = await status();
      const firstRun = (await handle().describe()).runId;
      const big = [rawPayload(bytes(JSON.stringify('x'.repeat(400_000))))];
      for (let sent = 0; sent < 16; sent += 1) await rawSignal(target(), 'resume', big);
      await eventually('another run', async () => (await handle().describe()).runId !== firstRun);
      expect((await status()).pause).toEqual(before.pause);
      expect((await explain()).notes).toHaveLength(10);
      await endsWell();
    }));

  it('signals that come before the first workflow task are noted, and wedge nothing', async () => {
    await client().start({ id, stages: [{ name: 'canary' }] });
    for (const [, payloads] of HOSTILE) await rawSignal(target(), 'resume', payloads);
    await rawSignal(target(), 'nobody', []);
    await paused(async () => {
      expect((await explain()).notes).toHaveLength(10);
      await endsWell();
    });
  });

  it('signals of unknown names are noted, in a bounded number, whatever they carry', () =>
    paused(async () => {
      for (const name of ['resumee', '__temporal_x', 'x'.repeat(900)]) {
        await rawSignal(target(), name, [rawPayload(bytes('{'), 'what/ever')], {
          trace: rawPayload(bytes('{'), 'odd'),
        });
      }
      for (let index = 0; index < 20; index += 1) await rawSignal(target(), `name-${index}`, []);
      const { notes } = await explain();
      expect(notes).toHaveLength(10);
      expect(notes.at(-1)).toBe('Signal "name-19" not accepted: Expected one of resume, abort, override, pause');
      await rawSignal(target(), 'y'.repeat(900), []);
      expect((await explain()).notes.at(-1)?.length).toBeLessThan(400);
      await endsWell();
    }));
});
