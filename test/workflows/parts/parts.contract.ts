import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { eventually, startTemporalEnv, type RunningWorker, type TemporalEnv } from '../../support/temporal-env';

/** A workflow that is built from the shared parts, with its surroundings in memory, for one test. */
export interface PartsSubject {
  workflow: string;
  workflowId: string;
  activities: object;
  args(options: { historyLimit?: number }): unknown[];
  /** the arguments of a run whose state was carried over by newer code */
  newerArgs(): unknown[];
  /** while true the workflow cannot go on, and pauses */
  setTrouble(on: boolean): void;
  setStoreDown(down: boolean): void;
  /** the last thing that it does outside hangs until it is cancelled */
  hang(): void;
  isHanging(): boolean;
  acted(): number;
  /** in the order in which they were taken back */
  takenBack(): string[];
  alerts(): { status: string; fingerprint: string }[];
  /** the activity whose attempts are looks */
  recheck: string;
  looks(): number;
  /** with the count of a `recheck` */
  records(): { kind: string; actor: string; count?: unknown }[];
  /** what is taken back when it is stopped while it hangs, in order */
  expectedTakenBack: string[];
}

interface Status {
  state: string;
  pause?: { id: string; reason: string; recovered?: boolean };
}

const OPERATOR = { actor: 'ann', reason: 'checked by hand' };

/** What operators may rely on in every workflow that is built from the shared parts. */
export function partsContract(name: string, workflowsPath: string, create: (id: string) => PartsSubject): void {
  describe(`the shared parts, in ${name}`, () => {
    let env: TemporalEnv;
    let subject: PartsSubject;
    let worker: RunningWorker | undefined;
    let handle: WorkflowHandle;
    let taskQueue: string;

    beforeAll(async () => {
      env = await startTemporalEnv(workflowsPath);
    });
    afterAll(async () => {
      await env?.stop();
    });
    beforeEach(() => {
      const id = `parts-${randomUUID()}`;
      taskQueue = `queue-${id}`;
      subject = create(id);
    });
    afterEach(async () => {
      await worker?.stop();
      worker = undefined;
    });

    const start = async (args: unknown[] = subject.args({})): Promise<void> => {
      const { workflow, workflowId, activities } = subject;
      worker = await env.startWorker(taskQueue, activities);
      handle = await env.client.workflow.start(workflow, { workflowId, taskQueue, args });
    };
    const status = (): Promise<Status> => handle.query<Status>('status');
    const paused = (): Promise<NonNullable<Status['pause']>> =>
      eventually('a pause', async () => (await status()).pause ?? false);
    const call = (kind: string, pauseId: string | undefined, updateId: string = randomUUID()) =>
      handle.executeUpdate<{ accepted: boolean; message: string }, [object]>(kind, {
        args: [{ ...OPERATOR, ...(pauseId === undefined ? {} : { for: pauseId }) }],
        updateId,
      });
    const closed = async (): Promise<Status> => {
      await handle.result().catch(() => undefined);
      return await status();
    };
    const kinds = (kind: string): number => subject.records().filter((record) => record.kind === kind).length;

    describe('the inbox', () => {
      beforeEach(() => subject.setTrouble(true));

      it('the inbox lets an Update that fits take effect, after it is recorded under its actor', async () => {
        await start();
        const { id } = await paused();
        subject.setTrouble(false);
        expect(await call('resume', id)).toMatchObject({ accepted: true });
        expect(await closed()).toMatchObject({ state: 'done' });
        expect(subject.records()).toContainEqual(expect.objectContaining({ kind: 'resume', actor: 'ann' }));
      });

      it.each([
        ['is meant for another pause', { ...OPERATOR, for: 'another' }],
        ['has no reason', { actor: 'ann', for: 'another' }],
        ['carries no object', 'resume'],
      ])('the inbox refuses an Update that %s, and changes nothing', async (_what, given) => {
        await start();
        const { id } = await paused();
        await expect(handle.executeUpdate('resume', { args: [given] })).rejects.toMatchObject({
          cause: { type: 'OperatorCallRefused' },
        });
        expect((await status()).pause?.id).toBe(id);
        expect(kinds('resume')).toBe(0);
      });

      it('the inbox notes a signal that does not fit in the current details, and changes nothing', async () => {
        await start();
        await paused();
        await handle.signal('resume', { ...OPERATOR, for: 'another' });
        await eventually('a note', async () => {
          const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
          return currentDetails.includes('Signal resume not accepted');
        });
        expect(kinds('resume')).toBe(0);
      });

      it('the inbox takes a signal that fits', async () => {
        await start();
        const { id } = await paused();
        subject.setTrouble(false);
        await handle.signal('resume', { ...OPERATOR, for: id });
        expect(await closed()).toMatchObject({ state: 'done' });
      });
    });

    describe('a pause', () => {
      beforeEach(() => subject.setTrouble(true));

      it('a pause is recorded once, alerted under one fingerprint, and resolved once', async () => {
        await start();
        const { id } = await paused();
        await eventually('a reminder', () => subject.alerts().length >= 2);
        subject.setTrouble(false);
        await call('resume', id);
        await closed();
        expect(new Set(subject.alerts().map(({ fingerprint }) => fingerprint))).toEqual(new Set([id]));
        const states = subject.alerts().map((alert) => alert.status);
        expect(states.filter((state) => state === 'resolved')).toHaveLength(1);
        expect(states.at(-1)).toBe('resolved');
        expect([kinds('pause'), kinds('resolved')]).toEqual([1, 1]);
      });

      it('a pause on the store of records holds everything up, and ends by itself', async () => {
        subject.setTrouble(false);
        subject.setStoreDown(true);
        await start();
        expect((await paused()).reason).toBe('AuditWriteFailed');
        await eventually('an alert', () => subject.alerts().length > 0);
        expect(subject.acted()).toBe(0);
        subject.setStoreDown(false);
        expect(await closed()).toMatchObject({ state: 'done' });
        expect([kinds('pause'), kinds('resolved')]).toEqual([1, 1]);
        expect(subject.alerts().at(-1)?.status).toBe('resolved');
      });
    });

    describe('a recheck', () => {
      beforeEach(() => subject.setTrouble(true));

      const looked = (atLeast: number) => eventually(`${atLeast} looks`, () => subject.looks() >= atLeast);
      const rechecks = async (): Promise<number> => {
        const { events } = await handle.fetchHistory();
        const types = (events ?? []).map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
        return types.filter((type) => type === subject.recheck).length;
      };
      const counts = () => subject.records().flatMap(({ kind, count }) => (kind === 'recheck' ? [Number(count)] : []));

      it('a recheck is one activity however often it looks, until it finds a change: then its looks are recorded', async () => {
        await start();
        const { id } = await paused();
        await looked(4);
        expect([await rechecks(), counts()]).toEqual([1, []]);
        subject.setTrouble(false);
        await eventually('the recovery', async () => (await paused()).recovered === true);
        expect(counts()).toHaveLength(1);
        expect(counts()[0]).toBeGreaterThanOrEqual(4);
        await call('resume', id);
        expect(await closed()).toMatchObject({ state: 'done' });
      });

      it('a recheck carries its count over to the next run', async () => {
        await start(subject.args({ historyLimit: 40 }));
        const { id } = await paused();
        const { runId } = await handle.describe();
        await eventually('a new run', async () => (await handle.describe()).runId !== runId);
        const before = subject.looks();
        await looked(before + 2);
        expect(counts()).toEqual([]);
        subject.setTrouble(false);
        await eventually('the recovery', async () => (await paused()).recovered === true);
        expect(counts()[0]).toBeGreaterThanOrEqual(before);
        await call('resume', id);
        expect(await closed()).toMatchObject({ state: 'done' });
      });
    });

    describe('the carried state', () => {
      it('the carried state keeps the pause, and an Update that was handled is answered and not carried out again', async () => {
        subject.setTrouble(true);
        await start(subject.args({ historyLimit: 60 }));
        const { id } = await paused();
        const reply = await call('resume', id, 'same-id').catch(() => undefined);
        const now = await paused();
        const { runId } = await handle.describe();
        await eventually('a new run', async () => (await handle.describe()).runId !== runId);
        expect((await paused()).id).toBe(now.id);
        expect(await call('resume', id, 'same-id')).toEqual(reply);
        expect(kinds('resume')).toBe(1);
        subject.setTrouble(false);
        await call('resume', now.id);
        expect(await closed()).toMatchObject({ state: 'done' });
      });

      it('the carried state of newer code fails the workflow task and never the workflow', async () => {
        await start(subject.newerArgs());
        await eventually('a failed workflow task', async () => {
          const { events } = await handle.fetchHistory();
          return events?.some((event) =>
            event.workflowTaskFailedEventAttributes?.failure?.message?.includes('of version'),
          );
        });
        expect((await handle.describe()).status.name).toBe('RUNNING');
        await handle.terminate();
      });
    });

    describe('a workflow that is stopped while it acts', () => {
      beforeEach(() => subject.hang());

      it('a workflow that is stopped while it acts by a cancellation takes back what it did, in reverse, and records it', async () => {
        await start();
        await eventually('the act that hangs', () => subject.isHanging());
        await handle.cancel();
        expect(await closed()).toMatchObject({ state: 'aborted' });
        expect(subject.takenBack()).toEqual(subject.expectedTakenBack);
        expect(subject.records()).toContainEqual(expect.objectContaining({ kind: 'abort', actor: 'temporal' }));
        expect((await handle.describe()).status.name).toBe('CANCELLED');
      });

      it('a workflow that is stopped while it acts by an abort takes back what it did, in reverse, and answers', async () => {
        await start();
        await eventually('the act that hangs', () => subject.isHanging());
        expect(await call('abort', undefined)).toMatchObject({ accepted: true });
        expect(await closed()).toMatchObject({ state: 'aborted' });
        expect(subject.takenBack()).toEqual(subject.expectedTakenBack);
        expect(subject.records()).toContainEqual(expect.objectContaining({ kind: 'abort', actor: 'ann' }));
      });
    });

    it('a cancellation during a pause ends the pause and its alert', async () => {
      subject.setTrouble(true);
      await start();
      await paused();
      await handle.cancel();
      expect(await closed()).toMatchObject({ state: 'aborted' });
      // The end of a deployment may be told after it, under a fingerprint of its own.
      const [first] = subject.alerts();
      const ofPause = subject.alerts().filter(({ fingerprint }) => fingerprint === first?.fingerprint);
      expect(ofPause.at(-1)?.status).toBe('resolved');
      expect([kinds('pause'), kinds('abort'), kinds('resolved')]).toEqual([1, 1, 1]);
    });
  });
}
