import { describe, expect, it } from '@jest/globals';
import { DeploymentClient } from '../../src/clients/deployment-client';
import { decideGate } from '../../src/plans/execution/decide-gate';
import type { Gate } from '../../src/plans/kinds/gate';
import type { PlanFailure } from '../../src/plans/service/plan-failure';
import { eventually } from '../support/temporal-env';
import { storedExecutions } from './stored-executions';

describe('nodes of an execution that wait for gates', () => {
  const run = storedExecutions();
  const { apply, gateObject, decide, start, status, reach, says, handle, replayed } = run;
  const { log, taskQueue, startWorker, open, close, env, worker, store, namespace } = run;

  it('one of two waiting gates is approved alone, and the record of the node says who approved', async () => {
    await apply(gateObject('one'), gateObject('two'));
    await start('?a:one ?b:two c<a d<b');
    await reach('a Blocked, b Blocked, c Pending, d Pending');
    expect((await status()).phase).toBe('Blocked');
    await says('a', 'waits for gate one, which is Pending');
    await decide('one', 'approved', 'amy');
    await reach('a Succeeded, b Blocked, c Succeeded, d Pending');
    await decide('two', 'approved', 'ben');
    expect(await handle().result()).toMatchObject({ state: 'done' });
    await eventually('the end', async () => (await status()).phase === 'Succeeded');
    expect((await status()).nodeStatuses?.a).toMatchObject({
      message: 'gate one was approved by amy',
      outputs: { approvers: ['amy'] },
    });
    const passed = await eventually('the records', () => {
      const found = log.filter((each) => 'subject' in each && each.subject === `execution/${namespace()}/go`);
      return Promise.resolve(found.length === 3 && found);
    });
    expect(passed).toMatchObject([
      { kind: 'created', actor: 'ann' },
      { kind: 'resolved', part: 'a', actor: 'amy', details: { gate: 'one', outcome: 'approved' } },
      { kind: 'resolved', part: 'b', actor: 'ben' },
    ]);
    await replayed();
  });

  it('a rejection fails the node, what depends on it is skipped, and a gate behind it does not start', async () => {
    await apply(gateObject('one'), gateObject('two'));
    await start('?a:one ?b:two<a c<b d');
    await reach('a Blocked, b Pending, c Pending, d Succeeded');
    await decide('one', 'rejected', 'amy');
    await reach('a Failed, b Skipped, c Skipped, d Succeeded');
    await eventually('the end', async () => (await status()).phase === 'Failed');
    expect((await status()).message).toBe('node a: gate one was rejected by amy');
    await replayed();
  });

  it('an approval from before the node waited counts only for a gate of this plan, and is given once more otherwise', async () => {
    await apply(gateObject('any'), gateObject('own', { kind: 'Plan', name: 'steps' }));
    await decide('any', 'approved', 'amy');
    await decide('own', 'approved', 'amy');
    await start('?a:any ?b:own');
    await reach('a Blocked, b Succeeded');
    await says('a', 'before this node began to wait');
    await decide('any', 'approved', 'amy', true);
    await reach('a Succeeded, b Succeeded');
  });

  it('a gate that comes later is waited for, and one whose time is over fails', async () => {
    await start('?a:late ?b:never', { b: { timeout: '1s' } });
    await says('a', 'waits for gate late, which does not exist');
    await reach('a Blocked, b Failed');
    await says('b', 'timed out after 1s');
    await apply(gateObject('late', { kind: 'Execution', name: 'go' }));
    await says('a', 'which is Pending');
    await decide('late', 'approved', 'amy');
    await reach('a Succeeded, b Failed');
    await replayed();
  });

  it('what is approved while server and worker are down is seen by the next ones', async () => {
    await apply(gateObject('one'));
    await start('?a:one b<a');
    await reach('a Blocked, b Pending');
    await close();
    await worker().stop();
    const found = (await store().get({ kind: 'Gate', namespace: namespace(), name: 'one' })) as unknown as Gate;
    const { status: approved } = decideGate(found, 'approved', { actor: 'amy', timestamp: new Date().toISOString() });
    await store().write((session) => session.update({ ...found, status: approved! } as never, found as never));
    await startWorker();
    await open();
    await reach('a Succeeded, b Succeeded');
    await replayed();
  });

  it('an execution that is aborted does not wait any more', async () => {
    await apply(gateObject('one'));
    await start('?a:one b<a');
    await reach('a Blocked, b Pending');
    const deployments = new DeploymentClient({ client: env().client, taskQueue, deadlineMs: 30_000 });
    const call = { actor: 'ann', reason: 'not needed' };
    expect(await deployments.call(`${namespace()}.go`, 'abort', call)).toMatchObject({ reply: { accepted: true } });
    await reach('a Cancelled, b Skipped');
    expect((await status()).phase).toBe('Cancelled');
    await replayed();
  });

  it('a gate of another namespace and what a gate cannot have are refused when the execution is created', async () => {
    const more = { a: { gateRef: { name: 'one', namespace: 'other' }, timeout: '0s', when: '1 +' } };
    const faults = await start('?a:one', more).catch((error: unknown) => JSON.stringify((error as PlanFailure).body));
    expect(faults).toMatch(
      /namespace.*one of other.*more than 0s and at most 8784h, got 0s.*when: Unexpected token: EOF at character 4/,
    );
  });
});
