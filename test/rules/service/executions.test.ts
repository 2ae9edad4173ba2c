import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { BeginExecutionRequest } from '../../../src/rules/service/rule-service';
import type { StepStatus } from '../../../src/rules/execution/execution';
import type { PolicyPin } from '../../../src/rules/store/stored-execution';
import { aDocument, NOW, openService, type ServiceHarness } from './service-harness';

const ann = { actor: 'ann' };
const reason = 'as discussed';

describe('executions of rule policies', () => {
  let harness: ServiceHarness;
  let pins: PolicyPin[];
  beforeAll(async () => {
    harness = await openService();
    pins = [];
    for (const name of ['one', 'two']) {
      const { id, type, revision } = await harness.service.create(ann, { document: aDocument(name), reason });
      pins.push({ policyId: id, name, type, revision });
    }
  });
  afterAll(() => harness?.close());

  const aRequest = (over: Partial<BeginExecutionRequest> = {}): BeginExecutionRequest => ({
    id: randomUUID(),
    policies: [pins[0]!, pins[1]!],
    operation: 'load_parcel',
    stateDigest: 'd'.repeat(64),
    stateVersion: 'v7',
    setRevision: 2,
    steps: [
      { action: 'load', policies: ['one'], settings: { lane: 1 } },
      { action: 'load', policies: ['one', 'two'], settings: { lane: 2 } },
    ],
    reason,
    ...over,
  });
  const recordsOf = async (name: 'one' | 'two', execution: string) =>
    (await harness.recordsOf(pins.find((pin) => pin.name === name)!.policyId)).filter(({ part }) => part === execution);

  it('an execution is recorded when it begins, at each step that ended, and at its end, for each of its policies', async () => {
    const { executions } = harness.service;
    const request = aRequest();
    expect(await executions.begin(ann, request)).toMatchObject({ status: 'pending', actor: 'ann', startedAt: NOW });
    expect(await recordsOf('two', request.id)).toMatchObject([
      {
        kind: 'started',
        actor: 'ann',
        reason,
        details: {
          revision: 1,
          stateDigest: request.stateDigest,
          stateVersion: 'v7',
          steps: [{ settings: { lane: 2 } }],
        },
      },
    ]);
    const report = (step: number, status: StepStatus) =>
      executions.advance(ann, { id: request.id, step, status, details: { attempts: 2 } });
    expect(await report(0, 'running')).toMatchObject({
      status: 'running',
      steps: [{ status: 'running' }, { status: 'pending' }],
    });
    await report(0, 'done');
    await report(1, 'running');
    await report(1, 'failed');
    await report(0, 'rolled_back');
    const result = { steps: 2 };
    const ended = await executions.end(ann, { id: request.id, status: 'rolled_back', result });
    expect(ended).toMatchObject({ status: 'rolled_back', completedAt: NOW, result });
    expect(await executions.get(request.id)).toEqual(ended);
    const told = (await recordsOf('one', request.id)).map(({ kind, details = {} }) =>
      [kind, details.step, details.result, details.end].filter(
        (part) => typeof part !== 'object' && part !== undefined,
      ),
    );
    expect(told).toHaveLength(5);
    expect(told).toEqual(
      expect.arrayContaining([
        ['started'],
        ['acted', 0, 'done'],
        ['acted', 1, 'failed'],
        ['acted', 0, 'rolled_back'],
        ['ended', 'rolled_back'],
      ]),
    );
    expect((await recordsOf('two', request.id)).map(({ kind }) => kind).sort()).toEqual(['acted', 'ended', 'started']);
    const { items } = await harness.service.events({ name: 'two' });
    expect(items.map(({ eventType, result: shown }) => `${eventType}: ${shown}`)).toEqual(
      expect.arrayContaining(['started: running', 'acted: load failed', 'ended: rolled_back']),
    );
  });

  it('reports that come twice change nothing, and those that come late are refused', async () => {
    const { executions } = harness.service;
    const request = aRequest();
    const begun = await executions.begin(ann, request);
    expect(await executions.begin({ actor: 'bob' }, request)).toEqual(begun);
    const done = { id: request.id, step: 0, status: 'done' } as const;
    const after = await executions.advance(ann, done);
    expect(await executions.advance(ann, done)).toEqual(after);
    await expect(executions.advance(ann, { ...done, status: 'running' })).rejects.toMatchObject({
      type: 'RevisionConflict',
      message: `step 0 of the execution ${request.id} is done, and cannot become running`,
    });
    await expect(executions.advance(ann, { ...done, step: 2 })).rejects.toMatchObject({ type: 'ConfigInvalid' });
    const end = { id: request.id, status: 'done' } as const;
    const ended = await executions.end(ann, end);
    expect(await executions.end(ann, end)).toEqual(ended);
    expect(await executions.advance(ann, done)).toEqual(ended);
    await expect(executions.end(ann, { ...end, status: 'failed' })).rejects.toMatchObject({ type: 'RevisionConflict' });
    await expect(executions.advance(ann, { ...done, step: 1 })).rejects.toMatchObject({ type: 'RevisionConflict' });
    expect(await recordsOf('one', request.id)).toHaveLength(3);
    for (const id of [randomUUID(), 'no uuid']) {
      await expect(executions.get(id)).rejects.toMatchObject({ type: 'RuleNotFound' });
      await expect(executions.advance(ann, { ...done, id })).rejects.toMatchObject({ type: 'RuleNotFound' });
    }
  });

  it('an execution does not begin while its record cannot be written, and begins once it can', async () => {
    const { executions } = harness.service;
    const request = aRequest();
    harness.outage.isOn = true;
    await expect(executions.begin(ann, request)).rejects.toMatchObject({ type: 'AuditWriteFailed' });
    harness.outage.isOn = false;
    expect(await executions.begin(ann, request)).toMatchObject({ status: 'pending' });
    expect(await recordsOf('one', request.id)).toHaveLength(1);
    expect(await harness.parts.store.waitingRecords(10)).toEqual([]);
  });

  it('an execution for a revision that is no longer in force, or by a caller who may not, is refused and recorded', async () => {
    const { executions } = harness.service;
    const old = { ...pins[0]!, revision: 9 };
    await expect(executions.begin(ann, aRequest({ policies: [old] }))).rejects.toMatchObject({
      type: 'RevisionConflict',
      message: 'the execution is for revision 9 of the policy one, and it is at revision 1',
    });
    const bound = { actor: 'carl', policyTypes: ['other'] };
    await expect(executions.begin(bound, aRequest())).rejects.toMatchObject({ type: 'AccessDenied' });
    const refused = (await harness.recordsOf(pins[0]!.policyId)).filter(({ kind }) => kind === 'refused');
    expect(refused.map(({ actor, details }) => [actor, details?.type]).sort()).toEqual([
      ['ann', 'RevisionConflict'],
      ['carl', 'AccessDenied'],
    ]);
  });

  it('the executions of a policy are listed page by page', async () => {
    const { executions } = harness.service;
    const filter = { policyId: pins[1]!.policyId };
    const all = await executions.list(filter, { pageSize: 100 });
    expect(all.items.length).toBeGreaterThanOrEqual(3);
    const first = await executions.list(filter, { pageSize: 1 });
    const rest = await executions.list(filter, { pageToken: first.nextPageToken! });
    expect([...first.items, ...rest.items]).toEqual(all.items);
    expect((await executions.list({ ...filter, status: 'rolled_back' })).items).toHaveLength(1);
    const forged = Buffer.from(
      JSON.stringify({
        asked: JSON.stringify({ list: 'executions', policyId: filter.policyId }),
        after: { startedAt: 'now', id: 'x' },
      }),
    ).toString('base64url');
    await expect(executions.list(filter, { pageToken: forged })).rejects.toMatchObject({ type: 'ConfigInvalid' });
  });
});
