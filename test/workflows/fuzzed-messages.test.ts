import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defaultPayloadConverter, type DataConverter } from '@temporalio/common';
import * as fc from 'fast-check';
import { DeploymentClient } from '../../src/clients/deployment-client';
import { workflowIdOf } from '../../src/kernel/names';
import { createPayloadCodec } from '../../src/platform/temporal/encryption/payload-codec';
import { failureConverterPath } from '../../src/settings/open-data-converter';
import { messageConverterPath } from '../../src/platform/temporal/converters/message-converter-path';
import type { deployment } from '../../src/workflows/deployment';
import { statusQuery } from '../../src/workflows/messages';
import { FakeGateActivities } from '../fakes/fake-gate-activities';
import { bytes, rawPayload, rawQuery, rawSignal, rawUpdate, type RawPayload } from '../support/raw-messages';
import { eventually, startTemporalEnv, type RunningWorker, type TemporalEnv } from '../support/temporal-env';

/** All of them: `GATE_FUZZED_MESSAGES=2000 npx jest test/workflows/fuzzed-messages.test.ts`. Every run has the same seed unless given. */
const MESSAGES = Number(process.env.GATE_FUZZED_MESSAGES ?? 180);
const SEED = Number(process.env.GATE_FUZZ_SEED ?? 20_261_126);
const DEPLOYMENTS = 3;
const SIDE_BY_SIDE = 8;

const codecOf = (id: string, byte: number) => createPayloadCodec([{ id, bytes: new Uint8Array(32).fill(byte) }]);
const RIGHT = codecOf('right', 1);
const WRONG = codecOf('wrong', 2);

type Keys = 'right keys' | 'wrong keys' | 'none';

interface Message {
  channel: 'signal' | 'update' | 'query';
  name: string;
  payloads: RawPayload[];
  keys: Keys;
  header: boolean;
}

const deep = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth);
const size = fc.oneof(
  fc.integer({ min: 0, max: 200 }),
  fc.integer({ min: 60_000, max: 70_000 }),
  fc.integer({ min: 70_000, max: 1_400_000 }),
);
const depth = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1_000, max: 60_000 }));
/** An id that is never the pause's own: a call that fits would end what is watched. */
const call = fc.record({ actor: fc.string(), reason: fc.string(), for: fc.string() }, { requiredKeys: ['for'] });
const json = fc.oneof(
  fc.jsonValue().map((value) => JSON.stringify(value)),
  call.map((value) => JSON.stringify(value)),
  depth.map((levels) => deep(levels, '[', ']')),
  depth.map((levels) => deep(levels, '{"a":', '}')),
  size.map((length) => JSON.stringify('x'.repeat(length))),
  size.map((length) => JSON.stringify({ for: 'x'.repeat(length) })),
  fc
    .integer({ min: 1, max: 20_000 })
    .map((keys) => JSON.stringify(Object.fromEntries(Array.from({ length: keys }, (_, key) => [`k${key}`, 1])))),
);
const data = fc.oneof(
  json.map(bytes),
  fc.uint8Array({ maxLength: 300 }),
  size.map((length) => new Uint8Array(length).fill(0xff)),
  fc.constant(undefined),
);
const encoding = fc.oneof(
  { weight: 4, arbitrary: fc.constant('json/plain') },
  fc.constantFrom(
    'binary/plain',
    'binary/null',
    'json/protobuf',
    'binary/protobuf',
    'binary/encrypted',
    'application/x',
    '',
  ),
  fc.string({ maxLength: 2_000 }),
);
const payload: fc.Arbitrary<RawPayload> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(data, encoding).map(([content, name]) => rawPayload(content, name)) },
  fc.constant({}),
  data.map((content) => ({
    metadata: { 'encryption-key-id': bytes('right'), encoding: bytes('binary/encrypted') },
    ...(content ? { data: content } : {}),
  })),
);
const message: fc.Arbitrary<Message> = fc.record({
  channel: fc.constantFrom('signal', 'update', 'query'),
  name: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('resume', 'abort', 'override', 'status', 'explain') },
    fc.constantFrom('__temporal_x', '__stack_trace', 'nobody'),
    fc.string({ minLength: 1, maxLength: 300 }),
  ),
  payloads: fc.oneof(
    { weight: 8, arbitrary: fc.array(payload, { maxLength: 3 }) },
    fc.integer({ min: 3, max: 3_000 }).map((count) => Array.from({ length: count }, () => rawPayload(bytes('{')))),
  ),
  keys: fc.constantFrom<Keys>('right keys', 'wrong keys', 'none'),
  header: fc.boolean(),
});

/** A call without `for` that is well-formed aborts: that is an operator's right, and not what is watched here. */
const aborts = ({ name, payloads: [first] }: Message): boolean => {
  if (name !== 'abort' || first === undefined) return false;
  try {
    const { actor, reason, for: meantFor } = defaultPayloadConverter.fromPayload<Record<string, unknown>>(first);
    return typeof actor === 'string' && typeof reason === 'string' && meantFor === undefined;
  } catch {
    return false;
  }
};

const sealed = async ({ keys, payloads }: Message): Promise<RawPayload[]> => {
  if (keys === 'none') return payloads;
  return (keys === 'right keys' ? RIGHT : WRONG).encode(payloads);
};

describe.each<[string, DataConverter]>([
  [
    'with encryption',
    {
      payloadConverterPath: messageConverterPath(),
      payloadCodecs: [RIGHT],
      failureConverterPath: failureConverterPath(),
    },
  ],
  ['without encryption', { payloadConverterPath: messageConverterPath() }],
])('deployments that get any messages, %s', (_, dataConverter) => {
  let env: TemporalEnv;
  let worker: RunningWorker;
  const gate = new FakeGateActivities();
  const queue = `fuzz-${randomUUID()}`;
  const ids = Array.from({ length: DEPLOYMENTS + 1 }, (_, index) => `f-${index}-${randomUUID()}`);
  const untouched = ids[DEPLOYMENTS]!;

  beforeAll(async () => {
    env = await startTemporalEnv(undefined, dataConverter);
    gate.verdict = { outcome: 'error', faults: [{ type: 'FactStale', message: 'too old' }] };
    gate.stages = { ...gate.stages, recheckEvery: '1h' };
    worker = await env.startWorker(queue, gate.activities());
  });
  afterAll(async () => {
    await worker?.stop();
    await env?.stop();
  });

  const handle = (id: string) => env.client.workflow.getHandle<typeof deployment>(workflowIdOf(id));
  const status = (id: string) => handle(id).query(statusQuery);

  const send = async (id: string, one: Message): Promise<void> => {
    const target = { client: env.client, workflowId: workflowIdOf(id) };
    const payloads = await sealed(one);
    const header = one.header ? { trace: rawPayload(bytes('{'), 'odd') } : undefined;
    if (one.channel === 'signal') await rawSignal(target, one.name, payloads, header);
    else if (one.channel === 'update') await rawUpdate(target, one.name, payloads);
    else await rawQuery(target, one.name, payloads);
  };

  it(`deployments answer, resume and end after ${MESSAGES / 2} messages, and one beside them notices nothing`, async () => {
    const deployments = new DeploymentClient({ client: env.client, taskQueue: queue, deadlineMs: 120_000 });
    for (const id of ids) await deployments.start({ id, stages: [{ name: 'canary' }] });
    for (const id of ids) await eventually(`${id} to pause`, async () => (await status(id)).state === 'paused');

    const messages = fc.sample(message, { seed: SEED, numRuns: MESSAGES / 2 }).filter((one) => !aborts(one));
    const refused = new Map<string, number>();
    const queued = [...messages.entries()];
    const sender = async (): Promise<void> => {
      for (let next = queued.shift(); next; next = queued.shift()) {
        const [index, one] = next;
        await untilAnswered(() => send(ids[index % DEPLOYMENTS]!, one)).catch((error: Error) => {
          // The server refuses some (too big, a name that it lacks): what it refuses never arrives.
          const why = error.message.slice(0, 60);
          refused.set(why, (refused.get(why) ?? 0) + 1);
        });
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, sender));
    expect([...refused.values()].reduce((sum, count) => sum + count, 0)).toBeLessThan(messages.length * 0.6);

    gate.verdict = { outcome: 'allow' };
    for (const id of ids) {
      const { pause, state } = await status(id);
      expect([id, state]).toEqual([id, 'paused']);
      // A call without an answer may be sent again.
      await eventually(`${id} to resume`, async () => {
        const operator = { actor: 'ann', reason: 'checked', for: pause?.id };
        const answer = await deployments.call(id, 'resume', operator);
        return answer.result === 'answered' && answer.reply.accepted;
      });
      expect(await handle(id).result()).toMatchObject({ state: 'done' });
      const { events } = await handle(id).fetchHistory();
      const failed = (events ?? []).flatMap(({ workflowTaskFailedEventAttributes: task }) =>
        task ? [task.failure?.message] : [],
      );
      expect([id, failed]).toEqual([id, []]);
    }
    const { events } = await handle(untouched).fetchHistory();
    const noticed = (events ?? []).filter(
      (event) => event.workflowExecutionSignaledEventAttributes ?? event.workflowTaskTimedOutEventAttributes,
    );
    expect(noticed).toEqual([]);
  });
});

/** Sends again what got no answer in time: a busy machine answers late, a deployment that is stuck never does. */
async function untilAnswered(send: () => Promise<void>): Promise<void> {
  for (;;) {
    const late = await send().then(
      () => false,
      (error: Error) => {
        if (!/deadline/i.test(error.message)) throw error;
        return true;
      },
    );
    if (!late) return;
  }
}
