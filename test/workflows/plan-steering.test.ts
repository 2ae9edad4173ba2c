import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DomainRecord } from '../../src/audit/audit-record';
import type { JsonObject } from '../../src/kernel/json';
import type { PlanFailure } from '../../src/plans/service/plan-failure';
import { DeploymentClient } from '../../src/clients/deployment-client';
import { eventually } from '../support/temporal-env';
import { storedExecutions } from './stored-executions';

const url = 'http://127.0.0.1:2/x';
const UNDONE = { config: { compensation: { method: 'DELETE', url } } };
const COMPENSATED = { ...UNDONE, annotations: { 'gate/on-failure': 'compensate' } };

describe('executions that are cancelled, compensated and continued', () => {
  const house = storedExecutions();
  const { log, place, apply, gateObject, decide, start, status, reach, says, handle, replayed } = house;
  const deployments = () =>
    new DeploymentClient({ client: house.env().client, taskQueue: house.taskQueue, deadlineMs: 30_000 });
  /** nodes whose actions fail */
  let fails: Set<string>;
  /** nodes whose actions wait, and how each is let go */
  let holds: Set<string>;
  let held: Map<string, () => void>;
  let compensationFails: Set<string>;

  beforeEach(() => {
    [fails, holds, held, compensationFails] = [new Set(), new Set(), new Map(), new Set()];
    const fake = house.gate();
    const activities = fake.activities();
    fake.activities = () => ({
      ...activities,
      runAction: async (request) => {
        const { stage } = request.context;
        if (holds.has(stage)) await new Promise<void>((resolve) => held.set(stage, resolve));
        if (fails.has(stage)) fake.actionFailures = [{ mayHaveBeenSent: false, nonRetryable: true }];
        return activities.runAction(request);
      },
      compensateAction: async (request) => {
        if (!compensationFails.has(request.context.stage)) return activities.compensateAction(request);
        const { ApplicationFailure } = await import('@temporalio/common');
        const details = [{ mayHaveBeenSent: true }];
        throw ApplicationFailure.create({ type: 'ActionFailed', message: 'no way back', nonRetryable: true, details });
      },
    });
  });
  afterEach(() => {
    holds.clear();
    for (const release of held.values()) release();
  });
  const ask = (kind: 'cancel' | 'retry', body: JsonObject) =>
    house.plans().service.askRun(place('Execution', 'go'), kind, body, house.request);
  const cancel = () => ask('cancel', { reason: 'wrong version' });
  const retry = (node: string) => ask('retry', { node });
  const refused = (asked: Promise<unknown>) =>
    asked.then(
      () => 'accepted',
      (error: unknown) => `${(error as PlanFailure).code} ${(error as PlanFailure).message}`,
    );
  const ended = (phase: string) => eventually(phase, async () => (await status()).phase === phase);
  const key = (node: string, attempt = '') => `${house.namespace()}.go/${node}${attempt}`;
  const acted = () => house.gate().actions.map(({ context }) => context.stage);
  const records = () =>
    log.flatMap((each) => {
      const { subject, kind, part, actor, details = {} } = each as DomainRecord;
      if (subject !== `execution/${house.namespace()}/go` || kind === 'created') return [];
      const { state } = (details.compensation ?? {}) as { state?: string };
      return [[kind, ...(part === '' ? [] : [part]), state ?? actor].join(' ')];
    });
  const recorded = (...wanted: string[]) =>
    eventually(wanted.join(), () => Promise.resolve(records().join() === wanted.join()));

  it('a cancel stops what waits, and takes back what succeeded in reverse, each recorded before it is', async () => {
    await apply(gateObject('one'));
    await start('a b<a ?c:one<b d<c', {}, {}, UNDONE);
    await reach('a Succeeded, b Succeeded, c Blocked, d Pending');
    expect((await cancel()).action).toBe('updated');
    await ended('Cancelled');
    await reach('a Cancelled, b Cancelled, c Cancelled, d Skipped');
    expect(house.gate().compensations).toEqual([key('b'), key('a')]);
    expect((await status()).message).toBe('cancelled by ann: wrong version; compensated: b, a');
    expect((await status()).nodeStatuses?.a).toMatchObject({
      message: 'compensated',
      extensions: { compensation: { state: 'done', key: key('a', '/compensation') } },
    });
    await recorded('abort ann', 'acted b due', 'acted b done', 'acted a due', 'acted a done');
    expect(await refused(cancel())).toMatch(/^409 .*go: it is Cancelled, since/);
    expect(await refused(retry('a'))).toMatch(/^409 .*execution go is Cancelled: only one that failed/);
    await replayed();
  });

  it('a cancel that is asked for twice is one, and a node whose compensation fails holds up no other', async () => {
    holds.add('c');
    compensationFails.add('b');
    await start('a b<a c<b', {}, {}, UNDONE);
    await eventually('the action of c', () => Promise.resolve(held.has('c')));
    await cancel();
    expect((await cancel()).action).toBe('unchanged');
    await eventually('the run to hear of it', async () => !('requests' in ((await status()).extensions ?? {})));
    held.get('c')!();
    await ended('Cancelled');
    await reach('a Cancelled, b Succeeded, c Cancelled');
    // What c did is taken back by its gate, or, where its answer was there before the cancel, with the others.
    expect((await status()).message).toMatch(/; compensated: (c, )?a; the compensation of node b failed: no way back/);
    await says('b', 'the compensation failed: no way back');
    const others = () => records().filter((record) => !record.startsWith('acted c '));
    const wanted = ['abort ann', 'acted b due', 'acted b failed', 'acted a due', 'acted a done'];
    await eventually('the records', () => Promise.resolve(others().join() === wanted.join()));
    await replayed();
  });

  it('a failure that is compensated lets nothing begin, stops what waits, and takes back what succeeded', async () => {
    await apply(gateObject('one'));
    fails.add('c');
    await start('a ?g:one c<a d<c e<g', {}, {}, COMPENSATED);
    await ended('Failed');
    await reach('a Cancelled, g Cancelled, c Failed, d Skipped, e Skipped');
    expect(house.gate().compensations).toEqual([key('a')]);
    expect((await status()).message).toBe('node c: the receiver said 500; compensated: a');
    await recorded('acted a due', 'acted a done');
    await replayed();
    fails.clear();
    await apply(gateObject('one', { kind: 'Plan', name: 'steps' }));
    await retry('c');
    await reach('a Succeeded, g Blocked, c Succeeded, d Succeeded, e Pending');
    await decide('one', 'approved', 'amy');
    await ended('Succeeded');
    expect(house.gate().actions.map(({ idempotencyKey }) => idempotencyKey)).toEqual([
      key('a'),
      key('c'),
      key('a', '/2'),
      key('c', '/2'),
      key('d'),
      key('e'),
    ]);
    await replayed();
  });

  it('what failed is taken back first, and then what succeeded in reverse', async () => {
    const never = { type: 'custom', name: 'quiet', fact: 'pending', value: 1, timeout: '1s' };
    await start('a b<a c<b', { c: { acceptanceCriteria: [never] } }, {}, COMPENSATED);
    await ended('Failed');
    await reach('a Cancelled, b Cancelled, c Failed');
    expect(house.gate().compensations).toEqual([key('c'), key('b'), key('a')]);
    expect((await status()).message).toMatch(/^node c: .*criterion quiet: .* \(compensated\); compensated: b, a$/);
    await recorded('acted c due', 'acted c done', 'acted b due', 'acted b done', 'acted a due', 'acted a done');
    await replayed();
  });

  it('without the annotation nothing that succeeded is taken back', async () => {
    fails.add('b');
    await start('a b<a', {}, {}, UNDONE);
    await ended('Failed');
    await reach('a Succeeded, b Failed');
    expect(house.gate().compensations).toEqual([]);
  });

  it('a node that failed is run again while others go on, and what was skipped because of it begins', async () => {
    fails.add('a');
    holds.add('x');
    await start('a b<a x');
    await reach('a Failed, b Skipped, x Running');
    expect(await refused(retry('x'))).toMatch(/^409 .*node x is Running: only a node that failed/);
    expect(await refused(retry('nope'))).toMatch(/^400 .*expected one of its nodes a, b, x, got "nope"/);
    fails.clear();
    await retry('a');
    await reach('a Succeeded, b Succeeded, x Running');
    expect((await status()).nodeStatuses?.a).toMatchObject({ attempt: 2 });
    expect((await status()).extensions).not.toHaveProperty('requests');
    held.get('x')!();
    await ended('Succeeded');
    await recorded('resume a ann');
    await replayed();
  });

  it('an execution that has failed is continued by a new run: what succeeded stays, another node that failed too', async () => {
    fails = new Set(['b', 'f']);
    await start('a b<a c<b f g<f');
    await ended('Failed');
    await reach('a Succeeded, b Failed, c Skipped, f Failed, g Skipped');
    const first = (await handle().describe()).runId;
    fails.clear();
    await retry('b');
    await reach('a Succeeded, b Succeeded, c Succeeded, f Failed, g Skipped');
    await ended('Failed');
    expect((await handle().describe()).runId).not.toBe(first);
    expect((await status()).message).toMatch(/^node f: /);
    await retry('f');
    await ended('Succeeded');
    expect(acted().sort()).toEqual(['a', 'b', 'b', 'c', 'f', 'f', 'g']);
    const { message, completionTime, nodeStatuses } = await status();
    expect({ message, attempt: nodeStatuses?.b?.attempt }).toEqual({ message: undefined, attempt: 2 });
    expect(completionTime).toBeDefined();
    await replayed();
  });

  it('what is asked while server and worker are down is done by the next ones', async () => {
    fails.add('a');
    await start('a b<a');
    await ended('Failed');
    await house.worker().stop();
    await retry('a');
    await house.close();
    fails.clear();
    await house.startWorker();
    await house.open();
    await ended('Succeeded');
    expect(acted()).toEqual(['a', 'a', 'b']);
  });

  describe('the goal of an execution', () => {
    const shipped = (spec: JsonObject = {}) => house.object('Goal', 'ship', { description: 'shipped', ...spec });
    const planned = (name: string, version: string, node: string) =>
      house.object('Plan', name, {
        ...{ description: 'how', goalRef: { name: 'ship' }, series: 's', version },
        graph: { nodes: [{ id: node, kind: 'Task' }] },
      });
    const executed = (name: string, plan: string) =>
      house.object('Execution', name, { planRef: { name: plan }, runtimeRef: { name: 'gate' } });
    const goal = async (): Promise<JsonObject> =>
      ((await house.plans().service.get(place('Goal', 'ship'))).status ?? {}) as JsonObject;
    const goalIs = (wanted: JsonObject, ...conditions: JsonObject[]) =>
      eventually(`the goal to be ${JSON.stringify([wanted, conditions])}`, async () => {
        const found = await goal();
        expect(found).toMatchObject(wanted);
        expect(found.conditions).toEqual(
          expect.arrayContaining(conditions.map((each) => expect.objectContaining(each) as unknown)),
        );
        return true;
      });
    const begin = async (): Promise<void> => {
      holds.add('a');
      const target = { provider: 'http', config: { method: 'PUT', url } };
      const rules = ['one', 'two'].map((name) => ({ selector: { planRef: { name } }, target }));
      await apply(shipped(), planned('one', '1', 'a'), house.object('Binding', 'calls', { rules }));
      await goalIs({ phase: 'Ready', activePlanRef: { name: 'one' } });
      await apply(executed('go', 'one'));
      await eventually('the action of a', () => Promise.resolve(held.has('a')));
      await goalIs({ phase: 'Executing' }, { type: 'Executed', status: 'Unknown' });
    };

    it('a goal that is changed while it is executed tells of it, and is resolved anew once that has ended', async () => {
      await begin();
      await apply(shipped({ constraints: { region: 'eu' } }), planned('two', '2', 'b'));
      const waits = { type: 'PlanChanged', status: 'True', reason: 'GenerationWaits', observedGeneration: 2 };
      const message = "Generation 2 of the goal waits for the end of execution 'go'; now plan 'two' would be resolved";
      await goalIs(
        { phase: 'Executing', activePlanRef: { name: 'one' }, observedGeneration: 1 },
        { ...waits, message },
      );
      held.get('a')!();
      const end = { type: 'Executed', status: 'True', reason: 'Succeeded', observedGeneration: 1 };
      await goalIs(
        { phase: 'Ready', activePlanRef: { name: 'two' }, observedGeneration: 2 },
        { ...end, message: "Execution 'go' of plan 'one' is Succeeded" },
        { type: 'PlanChanged', status: 'False' },
      );
      holds.add('b');
      await apply(executed('next', 'two'));
      await eventually('the action of b', () => Promise.resolve(held.has('b')));
      await goalIs({ phase: 'Executing' });
      await apply(shipped({ constraints: { region: 'us' } }));
      await goalIs({ phase: 'Executing', observedGeneration: 2 }, { ...waits, observedGeneration: 3 });
      await house.plans().service.delete(place('Execution', 'next'), house.request);
      await goalIs(
        { phase: 'Ready', activePlanRef: { name: 'two' }, observedGeneration: 3 },
        { type: 'PlanResolved', status: 'True', observedGeneration: 3 },
      );
    });

    it('a goal whose time is over while it is executed stays failed, and tells how the execution ended', async () => {
      await begin();
      await apply(shipped({ timeout: '1ms' }));
      await goalIs({ phase: 'Failed' }, { type: 'TimedOut', status: 'True' });
      held.get('a')!();
      await goalIs(
        { phase: 'Failed', observedGeneration: 2 },
        { type: 'Executed', status: 'True', message: "Execution 'go' of plan 'one' is Succeeded" },
        { type: 'TimedOut', status: 'True' },
      );
    });
  });

  it('an execution that has not begun is cancelled at once, and its run does nothing', async () => {
    await house.worker().stop();
    await start('a');
    await cancel();
    expect(await status()).toMatchObject({ phase: 'Cancelled', message: 'cancelled by ann: wrong version' });
    await house.startWorker();
    await house.close();
    await house.open();
    expect(await refused(cancel())).toMatch(/it is Cancelled, since/);
    expect(acted()).toEqual([]);
  });

  it('an execution that is paused while none of its nodes is open is Blocked and says by whom', async () => {
    holds.add('a');
    await start('a b<a');
    await eventually('the action of a', () => Promise.resolve(held.has('a')));
    await deployments().call(`${house.namespace()}.go`, 'pause', { actor: 'ben', reason: 'lunch' });
    held.get('a')!();
    await reach('a Succeeded, b Pending');
    await ended('Blocked');
    expect((await status()).message).toBe('paused on demand by ben: lunch');
    const { status: told } = (await deployments().status(`${house.namespace()}.go`)) as never as {
      status: { hold: { id: string } };
    };
    await deployments().call(`${house.namespace()}.go`, 'resume', { actor: 'ben', reason: 'back', for: told.hold.id });
    await ended('Succeeded');
    expect((await status()).message).toBeUndefined();
    await replayed();
  });

  it.each<[what: string, kind: 'cancel' | 'retry', body: JsonObject, sentence: RegExp]>([
    ['a cancel without a reason', 'cancel', {}, /reason.*expected a text that is not empty/],
    ['a cancel of one node', 'cancel', { reason: 'why', node: 'a' }, /node.*expected only reason, actor/],
    ['a retry of no node', 'retry', { node: 7 }, /node.*expected a text/],
    ['a long reason', 'retry', { node: 'a', reason: 'x'.repeat(1_001) }, /reason.*at most 1000 characters, got 1001/],
  ])('%s is refused', async (_what, kind, body, sentence) => {
    expect(await ask(kind, body).catch((error: unknown) => JSON.stringify((error as PlanFailure).body))).toMatch(
      sentence,
    );
  });
});
