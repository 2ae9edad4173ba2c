import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleDescription,
  type ScheduleUpdateOptions,
} from '@temporalio/client';
import { canonicalJson } from '../../kernel/canonical-json';
import { parseDuration } from '../../kernel/duration';
import { EXECUTION_WORKFLOW, schedulePrefixOf } from '../../kernel/names';
import type { ScheduleBook } from '../schedules/reconcile-schedules';
import type { FoundSchedule } from '../schedules/schedule-changes';
import type { WantedSchedule } from '../schedules/wanted-schedules';
import { isSameSpec } from './schedule-spec';

export interface TemporalSchedulesOptions {
  /** of the namespace; encrypts where the workers do */
  client: Client;
  /** that of the workers, and what tells the schedules of this store from those of another in the same namespace */
  taskQueue: string;
  workflowTaskTimeoutMs?: number;
}

/** Schedules of Temporal, each of which starts the executions of one policy. */
export function createTemporalSchedules(options: TemporalSchedulesOptions): ScheduleBook {
  const { client } = options;
  const prefix = schedulePrefixOf(options.taskQueue);
  const isKept = async (wanted: WantedSchedule): Promise<boolean> =>
    isAsWanted(await client.schedule.getHandle(wanted.id).describe(), wanted, options);

  return {
    prefix,
    async list() {
      const found: FoundSchedule[] = [];
      for await (const { scheduleId, state } of client.schedule.list({ pageSize: 1_000 })) {
        if (!scheduleId.startsWith(prefix)) continue;
        const { paused, note } = state;
        found.push({ id: scheduleId, paused, ...(note === undefined ? {} : { note }) });
      }
      return found;
    },
    async isKept(wanted) {
      try {
        return await isKept(wanted);
      } catch (error) {
        if (error instanceof ScheduleNotFoundError) return false;
        throw error;
      }
    },
    async put(wanted) {
      const { id } = wanted;
      try {
        await client.schedule.create({ ...toOptions(wanted, options), scheduleId: id });
      } catch (error) {
        if (!(error instanceof ScheduleAlreadyRunning)) throw error;
        // An update that changes nothing would still drop what is to be caught up: Temporal runs nothing due before it.
        if (await isKept(wanted)) return;
        await client.schedule.getHandle(id).update(() => toOptions(wanted, options));
      }
    },
    async remove(id) {
      try {
        await client.schedule.getHandle(id).delete();
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
      }
    },
  };
}

function toOptions(
  { id, trigger, catchUpMs, execution, paused, note }: WantedSchedule,
  { taskQueue, workflowTaskTimeoutMs }: TemporalSchedulesOptions,
): ScheduleUpdateOptions & { action: { workflowId: string } } {
  return {
    spec:
      'every' in trigger
        ? { intervals: [{ every: parseDuration(trigger.every) }] }
        : { cronExpressions: [trigger.cron], timezone: trigger.timeZone ?? 'UTC' },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: catchUpMs },
    action: {
      type: 'startWorkflow',
      workflowType: EXECUTION_WORKFLOW,
      // Temporal adds the time to it.
      workflowId: id,
      taskQueue,
      args: [execution],
      ...(workflowTaskTimeoutMs === undefined ? {} : { workflowTaskTimeout: workflowTaskTimeoutMs }),
    },
    state: { paused, note },
  };
}

/** Whether a schedule is what `toOptions` writes, in all that decides when, how and what it starts. */
function isAsWanted(
  { spec, policies, action, state }: ScheduleDescription,
  wanted: WantedSchedule,
  { taskQueue, workflowTaskTimeoutMs }: TemporalSchedulesOptions,
): boolean {
  const { workflowType, workflowId, args, workflowTaskTimeout, workflowExecutionTimeout, workflowRunTimeout, retry } =
    action;
  const found = {
    ...policies,
    ...{ paused: state.paused, note: state.note, limited: state.remainingActions !== undefined },
    ...{ workflowType, workflowId, queue: action.taskQueue, args },
    timeouts: [workflowTaskTimeout, workflowExecutionTimeout, workflowRunTimeout].map((one) => one ?? null),
    retried: retry !== undefined,
  };
  const written = {
    ...{ overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: wanted.catchUpMs, pauseOnFailure: false },
    ...{ paused: wanted.paused, note: wanted.note, limited: false },
    ...{ workflowType: EXECUTION_WORKFLOW, workflowId: wanted.id, queue: taskQueue, args: [wanted.execution] },
    timeouts: [workflowTaskTimeoutMs ?? null, null, null],
    retried: false,
  };
  return canonicalJson(found) === canonicalJson(written) && isSameSpec(spec, wanted.trigger);
}
