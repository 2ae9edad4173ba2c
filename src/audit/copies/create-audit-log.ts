import { messageOf } from '../../kernel/message-of';
import { FailureType, GateError } from '../../kernel/failures';
import { createCopier, type CopierLimits } from './copier';
import type { AuditLog, AuditLogger, AuditMetrics } from '../audit-log';
import type { AuditRecord, AuditSink, AuditStore } from '../audit-record';
import { placeOf, subjectName } from '../place';

export interface AuditLogOptions {
  /** the store of record; without one, nothing can be adopted and the copies are all there is */
  store?: AuditStore;
  sinks: readonly AuditSink[];
  /** copies that must be taken before a record counts as written: each is durable when its `write` resolves */
  required?: readonly AuditSink[];
  metrics: AuditMetrics;
  logger: AuditLogger;
  /** @default 1,000 records waiting for each sink, retries after 0.5 s, doubling to 30 s */
  copies?: Partial<CopierLimits>;
}

const LIMITS: CopierLimits = { maxWaiting: 1_000, firstRetryMs: 500, lastRetryMs: 30_000 };

/** @throws GateError ConfigInvalid when there is neither a store nor a sink: then no decision could ever be recorded */
export function createAuditLog({ store, sinks, required = [], metrics, logger, copies }: AuditLogOptions): AuditLog {
  if (store === undefined && sinks.length + required.length === 0) {
    throw new GateError(
      FailureType.ConfigInvalid,
      'Expected an audit store or a copy to stdout, got neither: nothing may act before its record is written',
    );
  }
  const limits = { ...LIMITS, ...copies };
  const copiers = sinks.map((sink) =>
    createCopier(
      sink,
      {
        copied: (name) => metrics.written(name),
        failed(name, error, waiting, retryInMs) {
          metrics.failed(name);
          const message = `A copy of an audit record could not be written to ${name}; trying again`;
          logger.warn({ sink: name, error: messageOf(error), waiting, retryInMs }, message);
        },
        dropped(name, { decisionID, kind }, why) {
          metrics.dropped(name);
          const reason = why === 'full' ? `${limits.maxWaiting} records wait already` : 'the audit log closes';
          const message = `A copy of an audit record is not written to ${name}, because ${reason}`;
          logger.error({ sink: name, decisionID, kind }, message);
        },
      },
      limits,
    ),
  );

  async function recordInStore<R extends AuditRecord>(target: AuditStore, record: R): Promise<R> {
    let stored: R;
    try {
      stored = asSamePlace(record, await target.record(record));
    } catch (error) {
      metrics.failed(target.name);
      throw toWriteFailure(target.name, record, error);
    }
    metrics.written(target.name);
    // After the store: a copy is of the stored record. A worker that dies in between records once more, and copies then.
    for (const sink of required) await writeRequired(sink, stored);
    for (const copier of copiers) copier.add(stored);
    return stored;
  }

  async function writeRequired(sink: AuditSink, record: AuditRecord): Promise<void> {
    try {
      await sink.write(record);
    } catch (error) {
      metrics.failed(sink.name);
      throw toWriteFailure(sink.name, record, error);
    }
  }

  async function recordInSinks<R extends AuditRecord>(record: R): Promise<R> {
    for (const sink of required) await writeRequired(sink, record);
    const attempts = await Promise.allSettled(
      sinks.map(async (sink) => {
        try {
          await sink.write(record);
        } catch (error) {
          metrics.failed(sink.name);
          throw toWriteFailure(sink.name, record, error);
        }
        metrics.written(sink.name);
      }),
    );
    const failed = attempts.find((attempt) => attempt.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return record;
  }

  return {
    record: (record) => (store === undefined ? recordInSinks(record) : recordInStore(store, record)),
    async close(withinMs = 2_000) {
      await Promise.all(copiers.map((copier) => copier.close(withinMs)));
      await store?.close();
    },
  };
}

/** @throws Error when the id was taken by a record of another domain, subject or part */
function asSamePlace<R extends AuditRecord>(given: R, stored: AuditRecord): R {
  const [wanted, found] = [placeOf(given), placeOf(stored)];
  const isSame = found.domain === wanted.domain && found.subject === wanted.subject && found.part === wanted.part;
  if (isSame) return stored as R;
  throw new Error(`its id belongs to a record of ${subjectName(stored)} / ${found.part}`);
}

function toWriteFailure(sink: string, { kind, decisionID }: AuditRecord, error: unknown): GateError {
  if (error instanceof GateError && error.type === FailureType.AuditWriteFailed) return error;
  const message = `Cannot record ${kind} ${decisionID} in ${sink}: ${messageOf(error)}`;
  return new GateError(FailureType.AuditWriteFailed, message, undefined, { cause: error });
}
