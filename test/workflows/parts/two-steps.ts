import {
  ActivityCancellationType,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setHandler,
  uuid4,
} from '@temporalio/workflow';
import type { Pause } from '../../../src/kernel/pause';
import { untilUrgent } from '../../../src/workflows/parts/await-call';
import { awaitChange } from '../../../src/workflows/parts/await-change';
import { Compensation } from '../../../src/workflows/parts/compensation';
import { OperatedWorkflow } from '../../../src/workflows/parts/operated-workflow';
import { readableCarried } from '../../../src/workflows/parts/readable-carried';
import { RecordedPauses } from '../../../src/workflows/parts/recorded-pauses';
import { alertOf, faultOf, statusOf, statusQuery, STEPS, wordsOf } from './two-steps-words';
import type { Found, Kind, Reply, StepActivities, StepLooks, StepRecord } from './two-steps-words';
import type { TwoStepsInput, TwoStepsState } from './two-steps-words';

const time = { startToCloseTimeout: '1m', heartbeatTimeout: '10s' } as const;
const { act, undo, store, sendAlert, readLooks } = proxyActivities<StepActivities>({
  ...time,
  retry: { maximumAttempts: 1 },
});
const patient = proxyActivities<StepActivities>({ ...time, retry: { initialInterval: '50ms' } });
const looking = (activityId: string): StepActivities =>
  proxyActivities<StepActivities>({
    ...time,
    activityId,
    retry: { initialInterval: '50ms', maximumInterval: '50ms', backoffCoefficient: 1 },
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  });

/** Two steps, a pause where one fails, looks whether it has recovered, and a compensation, from the shared parts alone. */
export async function twoSteps(input: TwoStepsInput): Promise<TwoStepsState> {
  const carried = readableCarried(input.carried, 1);
  let now: TwoStepsState = carried?.now ?? { state: 'acting', step: 0 };
  const change = (changes: Partial<TwoStepsState>): void => {
    now = { ...now, ...changes };
    operated.view.publish();
  };
  const operated: OperatedWorkflow<Kind, Reply> = new OperatedWorkflow(
    wordsOf(() => now),
    carried,
  );
  const { inbox, outbox, view } = operated;
  const toRecord = (kind: string, actor = 'steps', id = uuid4()): StepRecord => ({ id, kind, actor });
  const recorded = new RecordedPauses<StepRecord, Pause>({
    intervals: { remindAfterMs: 100, remindAtMostMs: 200 },
    present: (slot) => now[slot],
    put: (slot, pause) => change({ [slot]: pause }),
    ended: (slot) => change({ [slot]: undefined }),
    show: () => view.showAttributes(),
    alert: (pause, endsAtMs) => outbox.send(() => sendAlert(alertOf(pause, endsAtMs))),
    pauseRecord: ({ id }) => toRecord('pause', 'steps', id),
    resolvedRecord: () => toRecord('resolved'),
    store,
    untilStored: (record) => patient.store(record),
    outageOf: (_record, error) => ({ faults: [faultOf(error, 'AuditWriteFailed')], context: {} }),
  });
  setHandler(statusQuery, () => statusOf(now));
  const compensation = new Compensation();
  for (const step of STEPS.slice(0, now.step)) compensation.add(step, () => undo(step));

  /** True when the step is done; false when it failed and the workflow is paused, or an abort waits. */
  const take = async (step: string): Promise<boolean> => {
    await recorded.record(toRecord(step));
    compensation.add(step, () => undo(step));
    try {
      await untilUrgent(inbox, () => act(step));
    } catch (error) {
      if (isCancellation(error) && !inbox.urgentAwaits) throw error;
      if (!inbox.urgentAwaits) await recorded.pauses.pauseOn([faultOf(error, 'ActionFailed')], {});
      return false;
    }
    change({ step: now.step + 1 });
    return !inbox.urgentAwaits;
  };
  const end = async (state: 'done' | 'aborted'): Promise<TwoStepsState> => {
    if (state === 'aborted') await compensation.run();
    await recorded.pauses.end(state);
    change({ state });
    view.showAttributes();
    return now;
  };
  const rollOver = (beforehand: () => Promise<void>): Promise<void> =>
    operated.continueAsNewIfLong(
      input.historyLimit,
      (operation) => continueAsNew<typeof twoSteps>({ ...input, carried: { version: 1, now, ...operation } }),
      beforehand,
    );
  let windows = 0;
  /** Looks whether the step would succeed, until something else is found or an operator calls. */
  const wait = () => {
    windows += 1;
    const activityId = `look-${windows}`;
    const { looks: before, pause } = now;
    const found: Found = pause?.recovered ? 'up' : 'down';
    return awaitChange<Kind, Reply, StepLooks & { found: Found }, StepLooks>({
      inbox,
      pauses: recorded.pauses,
      untilMs: Infinity,
      record: ({ kind, call: { actor } }) => recorded.record(toRecord(kind, actor)),
      recheck: {
        look: () => looking(activityId).look({ found, ...(before === undefined ? {} : { before }) }),
        read: async () => (await readLooks({ activityId })) ?? before ?? { count: 0 },
      },
      ended: async (ended, counted) => {
        const { count } = (ended?.by === 'change' ? ended.found : counted) ?? { count: null };
        change({ looks: undefined });
        await recorded.record({ ...toRecord('recheck'), count });
      },
      continueAsNewIfLong: (read) => rollOver(async () => change({ looks: (await read()) ?? { count: null } })),
    });
  };

  try {
    for (let step = STEPS[now.step]; step !== undefined; step = STEPS[now.step]) {
      if (!now.pause && (await take(step))) continue;
      const ended = await wait();
      if (ended.by === 'change' && ended.found.found === 'up') recorded.pauses.noteRecovery();
      if (ended.by !== 'call') continue;
      if (ended.call.kind === 'abort') await end('aborted');
      else await recorded.pauses.end('resumed');
      inbox.answer(ended.call, true, 'Done');
      if (now.state === 'aborted') break;
    }
    return now.state === 'aborted' ? now : await end('done');
  } catch (error) {
    if (!isCancellation(error)) throw error;
    await recorded.record(toRecord('abort', 'temporal'));
    await end('aborted');
    throw error;
  } finally {
    if (now.state !== 'acting') await operated.settle(`Two steps: ${now.state}`);
  }
}
