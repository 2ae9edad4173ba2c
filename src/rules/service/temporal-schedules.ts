import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleClient,
  type ScheduleDescription,
  type ScheduleHandle,
  type ScheduleUpdateOptions,
} from '@temporalio/client';
import { canonicalJson } from '../../kernel/canonical-json';
import { parseDuration } from '../../kernel/duration';
import { schedulePrefixOf } from '../../kernel/names';
import type { ScheduleBook } from '../schedules/reconcile-schedules';
import type { FoundSchedule } from '../schedules/schedule-changes';
import { isOwnNote, type WantedSchedule } from '../schedules/wanted-schedules';
import { isSameSpec } from './schedule-spec';

export interface TemporalSchedulesOptions {
  /** of the namespace; encrypts where the workers do */
  client: Client;
  /** that of the workers, and what tells the schedules of this store from those of another in the same namespace */
  taskQueue: string;
  workflowTaskTimeoutMs?: number;
  /** where the ids of these schedules begin @default those of rule policies */
  prefix?: string;
}

/** Each reads the schedule, writes it where it is not as wanted, and the next one looks whether that counted. */
const ATTEMPTS = 10;

/** Schedules of Temporal, each of which starts the workflows of one policy. */
export function createTemporalSchedules(options: TemporalSchedulesOptions): ScheduleBook {
  const { client } = options;
  const { prefix = schedulePrefixOf(options.taskQueue) } = options;
  const found = async (id: string): Promise<ScheduleDescription | undefined> => {
    try {
      return await client.schedule.getHandle(id).describe();
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return undefined;
      throw error;
    }
  };

  /** @returns whether there was none before */
  async function create(wanted: WantedSchedule): Promise<boolean> {
    try {
      await client.schedule.create({ ...toOptions(wanted, options), scheduleId: wanted.id });
      return true;
    } catch (error) {
      if (error instanceof ScheduleAlreadyRunning) return false;
      throw error;
    }
  }

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
      const there = await found(wanted.id);
      return there !== undefined && isAsWanted(there, wanted, options);
    },
    async put(id, wanted) {
      // Most are created: a new one is read only where it was there after all.
      const first = await wanted();
      if (first !== undefined && (await create(first)) && isSame(first, await wanted())) return;
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const there = await found(id);
        const now = await wanted();
        if (now === undefined) {
          if (there === undefined) return;
          await remove(client, id);
        } else if (there === undefined) await create(now);
        // An update that changes nothing would still drop what is to be caught up: Temporal runs nothing due before it.
        else if (isAsWanted(there, now, options) || isHeld(there, now)) return;
        else await scheduleAsRead(client, there).update(() => toOptions(now, options));
      }
      throw new Error(`Expected the schedule to stay as it was written, but others changed it ${ATTEMPTS} times`);
    },
  };
}

/**
 * A schedule whose update counts only where nobody wrote since it was read. Temporal drops an update with another conflict
 * token than the present one without a word; the SDK (1.24) sends none, so it is added to the request.
 */
function scheduleAsRead(client: Client, { scheduleId, raw }: ScheduleDescription): ScheduleHandle {
  const { conflictToken } = raw;
  const { connection, schedule } = client;
  const update = (request: object) => connection.workflowService.updateSchedule({ ...request, conflictToken });
  const service: unknown = Object.create(connection.workflowService, { updateSchedule: { value: update } });
  const bound: unknown = Object.create(connection, { workflowService: { value: service } });
  return (Object.create(schedule, { connection: { value: bound } }) as ScheduleClient).getHandle(scheduleId);
}

async function remove(client: Client, id: string): Promise<void> {
  try {
    await client.schedule.getHandle(id).delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}

function isSame(one: WantedSchedule, other: WantedSchedule | undefined): boolean {
  return other !== undefined && one.note === other.note && one.paused === other.paused;
}

/** Whether a person paused it in Temporal, also where no list shows that yet. */
function isHeld({ state }: ScheduleDescription, wanted: WantedSchedule): boolean {
  return state.paused && !wanted.paused && !isOwnNote(state.note);
}

function toOptions(
  { id, trigger, catchUpMs, workflowType, execution, paused, note }: WantedSchedule,
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
      workflowType,
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
    ...{ workflowType: wanted.workflowType, workflowId: wanted.id, queue: taskQueue, args: [wanted.execution] },
    timeouts: [workflowTaskTimeoutMs ?? null, null, null],
    retried: false,
  };
  return canonicalJson(found) === canonicalJson(written) && isSameSpec(spec, wanted.trigger);
}
