import type * as TemporalWorker from '@temporalio/worker';

/** Temporal's runtime tells of each start and stop of a worker, and its core of each retry; in a command only errors are news. */
export function quietRuntime({
  Runtime,
  DefaultLogger,
}: Pick<typeof TemporalWorker, 'Runtime' | 'DefaultLogger'>): void {
  try {
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
      shutdownSignals: [],
    });
  } catch {
    // The host program installed its own before: it is kept.
  }
}
