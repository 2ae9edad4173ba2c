import { Client, Connection } from '@temporalio/client';
import { parseDuration } from '../../kernel/duration';
import { reachTemporal } from '../../platform/temporal/connection/reach-temporal';
import type { LoadedSettings } from '../../settings/load-settings';
import { gateDataConverter } from '../../settings/open-data-converter';
import { temporalConnectionConfig } from '../../settings/temporal-connection';
import type { ScheduleBook } from '../schedules/reconcile-schedules';
import { createTemporalSchedules } from './temporal-schedules';

/** Of one attempt to reach Temporal. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Schedules on a Temporal server that need not be there yet. */
export interface LateSchedules {
  /** connects when it is first asked, and again after it could not; @throws TemporalUnreachable, GateError ConfigInvalid */
  book(): Promise<ScheduleBook>;
  /** ends what is under way, an attempt to connect too */
  close(): Promise<void>;
}

/**
 * Policies are stored and evaluated without Temporal: the first call for the schedules connects to it.
 *
 * @param connectTimeoutMs of one attempt
 */
export function openSchedulesLate(
  loaded: LoadedSettings,
  env: Readonly<Record<string, string | undefined>>,
  connectTimeoutMs = CONNECT_TIMEOUT_MS,
): LateSchedules {
  let end = (_reason: Error): void => undefined;
  const ended = new Promise<never>((_resolve, reject) => (end = reject));
  ended.catch(() => undefined);
  let connected: Connection | undefined;
  let opening: Promise<{ book: ScheduleBook; connection: Connection }> | undefined;

  async function open(): Promise<{ book: ScheduleBook; connection: Connection }> {
    const { taskQueue, workflowTaskTimeout } = loaded.settings.temporal;
    const dataConverter = await gateDataConverter(loaded, env);
    const { address, connectionOptions, namespace } = temporalConnectionConfig(loaded.settings, env);
    const connection = await reachTemporal(address, env, () =>
      Connection.connect({ ...connectionOptions, connectTimeout: connectTimeoutMs }),
    );
    const client = new Client({ connection, namespace, dataConverter });
    const workflowTaskTimeoutMs = parseDuration(workflowTaskTimeout);
    return { connection, book: createTemporalSchedules({ client, taskQueue, workflowTaskTimeoutMs }) };
  }

  return {
    async book() {
      opening ??= open();
      opening.catch(() => (opening = undefined));
      const { book, connection } = await Promise.race([opening, ended]);
      connected = connection;
      return book;
    },
    async close() {
      end(new Error('The schedules of rule policies were closed'));
      if (connected !== undefined) return connected.close();
      opening?.then(({ connection }) => connection.close()).catch(() => undefined);
    },
  };
}
