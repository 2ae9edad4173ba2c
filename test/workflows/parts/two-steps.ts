import { continueAsNew, isCancellation, proxyActivities, setHandler, uuid4 } from '@temporalio/workflow';
import type { Pause } from '../../../src/kernel/pause';
import { awaitCall, untilUrgent } from '../../../src/workflows/parts/await-call';
import { Compensation } from '../../../src/workflows/parts/compensation';
import { OperatedWorkflow } from '../../../src/workflows/parts/operated-workflow';
import { readableCarried } from '../../../src/workflows/parts/readable-carried';
import { RecordedPauses } from '../../../src/workflows/parts/recorded-pauses';
import { alertOf, faultOf, statusOf, statusQuery, STEPS, wordsOf } from './two-steps-words';
import type { Kind, Reply, StepActivities, StepRecord, TwoStepsInput, TwoStepsState } from './two-steps-words';

const time = { startToCloseTimeout: '1m', heartbeatTimeout: '10s' } as const;
const { act, undo, store, sendAlert } = proxyActivities<StepActivities>({ ...time, retry: { maximumAttempts: 1 } });
const patient = proxyActivities<StepActivities>({ ...time, retry: { initialInterval: '50ms' } });

/** Two steps, a pause where one fails, and a compensation, from the shared parts alone. */
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
  const rollOver = (): Promise<void> =>
    operated.continueAsNewIfLong(input.historyLimit, (operation) =>
      continueAsNew<typeof twoSteps>({ ...input, carried: { version: 1, now, ...operation } }),
    );

  try {
    for (let step = STEPS[now.step]; step !== undefined; step = STEPS[now.step]) {
      if (!now.pause && (await take(step))) continue;
      const call = await awaitCall({
        inbox,
        pauses: recorded.pauses,
        untilMs: Infinity,
        record: ({ kind, call: { actor } }) => recorded.record(toRecord(kind, actor)),
        continueAsNewIfLong: rollOver,
      });
      if (call?.kind === 'abort') await end('aborted');
      else await recorded.pauses.end('resumed');
      if (call) inbox.answer(call, true, 'Done');
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
