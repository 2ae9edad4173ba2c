import { FailureType, type GateError } from '../kernel/failures';
import type { Release } from '../releases/release';
import type { Alert } from './alert';

export interface ReleaseAlertsOptions {
  /** the dispatcher's */
  send(alert: Alert): Promise<void>;
  nowMs(): number;
  onUndelivered(error: unknown): void;
}

/** One alert at a time about the newest release: it fires when that is refused or out of reach, and is resolved after. */
export interface ReleaseAlerts {
  /** @param kept what stays in force */
  refused(error: GateError, kept: Release | undefined): void;
  recovered(release: Release): void;
}

/** Messages are sent one after the other, so that none is resolved before it fires; nothing waits for them. */
export function createReleaseAlerts({ send, nowMs, onUndelivered }: ReleaseAlertsOptions): ReleaseAlerts {
  let firing: Alert | undefined;
  let last: Promise<void> = Promise.resolve();
  const queue = (alert: Alert): void => {
    last = last.then(() => send(alert)).catch(onUndelivered);
  };
  const resolve = (summary: string): void => {
    if (firing === undefined) return;
    queue({ ...firing, status: 'resolved', summary, endsAtMs: nowMs() });
    firing = undefined;
  };
  return {
    refused: (error, kept) => {
      resolve('Another reason took its place');
      firing = refusalAlert(error, kept, nowMs());
      queue(firing);
    },
    recovered: ({ ref }) => resolve(`Release ${ref.manifestVersion} is in force`),
  };
}

function refusalAlert(error: GateError, kept: Release | undefined, startsAtMs: number): Alert {
  const still = kept
    ? `version ${kept.ref.manifestVersion} stays in force`
    : 'no release is in force: nothing is decided';
  const isOutOfReach = error.type === FailureType.PolicyUnavailable;
  return {
    status: 'firing',
    fingerprint: `release-refused-${error.message}`.slice(0, 200),
    name: isOutOfReach ? 'ReleaseUnavailable' : 'ReleaseRefused',
    summary: isOutOfReach
      ? `The newest release cannot be read; ${still}, and no action begins under a lease`
      : `A new release was refused; ${still}`,
    description: error.faults.map((fault) => fault.message).join('\n'),
    startsAtMs,
    reminder: 0,
  };
}
