import { ApplicationFailure, Context } from '@temporalio/activity';
import { Value } from '@sinclair/typebox/value';
import { ReleaseConfig } from '../releases/config/release-config';
import { ActionError } from '../gate/actions/action-error';
import { leaseLapse } from '../gate/decisions/lease';
import { FailureType } from '../kernel/failures';
import type { ReleaseRef } from '../releases/release-ref';
import type { Release, ReleaseHolder } from '../releases/release';
import type { Services } from '../gate/services';
import type { CollectRequest, GateActivities } from './gate-activities';
import type { LeaseClaim } from '../gate/decisions/lease';
import { PATCHES } from '../gate/deployments/patches';
import { shortRecord } from '../gate/deployments/short-record';
import { SnapshotError } from '../gate/facts/collect-snapshot';
import {
  collectFitting,
  lightFailure,
  lightLooked,
  lightSnapshot,
  wholeRecord,
  wholeSnapshot,
  withRecord,
} from './light';
import { createAnswerInTime } from './answer-in-time';
import { beating } from './beating';
import { lookAtStage } from './look';
import { readLooks } from './read-looks';
import { createRecheck } from './recheck';
import { releaseFor } from './release-for';
import { toApplicationFailure, translated } from './to-application-failure';

/** An attempt that runs into its own time-out counts as one that was sent: a hanging source must be given up before. */
const CONFIRM_WITHIN_MS = 10_000;
/** What an override's lapse names where no release is in force: the decision that follows says why. */
const NO_RELEASE: ReleaseRef = { policySha: '', configRev: '', manifestVersion: '' };

/** The gate's activities over its services: each calls a feature and translates its errors. */
export function createActivities(services: Services): GateActivities {
  const inTime = createAnswerInTime();
  return {
    readDefaults: async () => {
      const config = await currentOrDefaults(services);
      const { uiUrl, historyLimit, alertRules, holdsPatches } = services;
      return {
        stages: config.stages,
        activities: config.activities,
        // Workers of the release before know none of these.
        ...(alertRules === undefined ? {} : { alerts: alertRules, leavesAlerts: true as const }),
        ...(holdsPatches ? {} : { patches: PATCHES }),
        ...(uiUrl === undefined ? {} : { uiUrl }),
        ...(historyLimit === undefined ? {} : { historyLimit }),
      };
    },
    collectFacts: (request) =>
      collecting(services, request, async () => {
        const snapshot = await collectFitting(services, await releaseFor(services, request), request);
        return request.light ? lightSnapshot(services, snapshot) : snapshot;
      }),
    evaluatePolicy: ({ snapshot }) =>
      translated(FailureType.PolicyEvaluation, async () => {
        const release = services.releases.find(snapshot.release);
        if (!release) throw changed(snapshot.release);
        const whole = await wholeSnapshot(services, snapshot);
        const decision = await services.evaluate(release, whole);
        return snapshot.part ? withRecord(whole, decision) : decision;
      }),
    decide: (request) =>
      collecting(services, request, async () => {
        const release = await releaseFor(services, request);
        const whole = await collectFitting(services, release, request);
        const decision = await services.evaluate(release, whole);
        if (!request.light) return { snapshot: whole, decision };
        const snapshot = await lightSnapshot(services, whole);
        return { snapshot, decision: snapshot.part ? withRecord(whole, decision) : decision };
      }),
    recheck: createRecheck({
      look: (request, signal) => lookAtStage(services, request, signal),
      onLooked: services.metrics.decisions.looked,
      toResult: (request, looked) => (request.light ? lightLooked(services, looked) : Promise.resolve(looked)),
    }),
    readLooks,
    recordDecision: (record) =>
      translated(FailureType.AuditWriteFailed, async () =>
        shortRecord(await inTime(record.decisionID, () => services.audit.record(record))),
      ),
    recordBigDecision: (draft) =>
      translated(FailureType.AuditWriteFailed, async () => {
        const write = async () => services.audit.record(await wholeRecord(services, draft));
        return shortRecord(await inTime(draft.decisionID, write));
      }),
    runAction: ({ action, context, idempotencyKey, outputs = [], lease, release }) =>
      translated(FailureType.ActionFailed, async () => {
        const result = await beating(async (signal) => {
          if (lease) await untilStopped(signal, checkLease(services, lease));
          if (signal.aborted) throw stoppedUnsent();
          const hidesValues = services.hidesAttributes(context, release);
          return services.actions.run(action, context, { idempotencyKey, signal, hidesValues, outputs });
        });
        services.metrics.actions.succeeded(action.type);
        return result;
      }).catch((error: unknown) => {
        if (error instanceof ApplicationFailure && error.type === FailureType.ActionFailed)
          services.metrics.actions.failed(action.type);
        throw error;
      }),
    compensateAction: ({ action, context, idempotencyKey, release }) =>
      translated(FailureType.ActionFailed, async () => {
        const hidesValues = services.hidesAttributes(context, release);
        const result = await beating((signal) =>
          services.actions.compensate(action, context, { idempotencyKey, signal, hidesValues }),
        );
        services.metrics.actions.compensated(action.type);
        return result;
      }),
    sendAlert: (alert) => services.alerts.send(alert),
  };
}

/** Collects; facts that failed are put aside where they are big. */
function collecting<T>(services: Services, { light }: CollectRequest, collect: () => Promise<T>): Promise<T> {
  return translated(FailureType.FactSourceUnavailable, async () => {
    try {
      return await collect();
    } catch (error) {
      if (!(error instanceof SnapshotError) || !light) throw error;
      throw new SnapshotError(await lightFailure(services, error.failure));
    }
  });
}

function changed({ manifestVersion, policySha }: ReleaseRef): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `Expected this worker to hold release ${manifestVersion} (policy ${policySha.slice(0, 12)}), but it does not`,
    FailureType.ReleaseChanged,
  );
}

/**
 * The manifest is read here and now: an allow must not outlive its release because this worker has not looked yet, and
 * where the manifest cannot be read it is unknown whether it has.
 *
 * @throws ApplicationFailure LeaseLapsed, or PolicyUnavailable (to be tried again) when it is unknown; no request was
 *   sent then
 */
async function checkLease({ releases }: Services, claim: LeaseClaim): Promise<void> {
  const { ref } = await currentRelease(releases, claim).catch((error: unknown) => {
    throw toApplicationFailure(error, { mayHaveBeenSent: false });
  });
  const lapsed = leaseLapse({ claim, nowMs: Date.now(), currentRelease: ref });
  if (!lapsed) return;
  const message = `The allow of decision ${claim.decisionId} no longer holds: ${lapsed.cause === 'age' ? 'a fact grew too old' : 'the release changed'}`;
  throw ApplicationFailure.create({ type: FailureType.LeaseLapsed, message, nonRetryable: true, details: [lapsed] });
}

/** An override holds whatever the release: no source that is out of reach keeps it from acting. */
async function currentRelease(releases: ReleaseHolder, claim: LeaseClaim): Promise<Pick<Release, 'ref'>> {
  if (claim.release === undefined) return { ref: releases.status().ref ?? NO_RELEASE };
  const { startToCloseTimeoutMs } = Context.current().info;
  return releases.confirm(Math.min(CONFIRM_WITHIN_MS, startToCloseTimeoutMs / 2));
}

/** A source of releases that hangs does not hold up an abort. */
async function untilStopped(signal: AbortSignal, checked: Promise<void>): Promise<void> {
  checked.catch(() => undefined);
  const stopped = new Promise<never>((_resolve, reject) => {
    const stop = (): void => reject(stoppedUnsent());
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  await Promise.race([checked, stopped]);
}

function stoppedUnsent(): ActionError {
  return new ActionError('The action was stopped before anything was sent', {
    retryable: true,
    mayHaveBeenSent: false,
  });
}

async function currentOrDefaults({ releases }: Services): Promise<Pick<ReleaseConfig, 'stages' | 'activities'>> {
  try {
    return releases.current().config;
  } catch {
    return Value.Default(ReleaseConfig, {}) as ReleaseConfig;
  }
}
