import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { messageOf } from '../kernel/message-of';
import type { Decision } from '../gate/decisions/decision';
import type { Looked } from '../gate/deployments/looked';
import { SnapshotError } from '../gate/facts/collect-snapshot';
import type { Snapshot, SnapshotFailure } from '../gate/facts/snapshot';
import type { Services } from '../gate/services';
import { parseDuration } from '../kernel/duration';
import { FailureType, GateError, NON_RETRYABLE_FAILURES } from '../kernel/failures';
import { within } from '../kernel/timers';
import { systemTimers } from '../platform/timers/system-timers';
import type { Release } from '../releases/release';
import type { RecheckRequest } from './gate-activities';
import { collectFitting } from './light';
import { nothingCollected, releaseFor } from './release-for';

type Parts = Pick<Services, 'releases' | 'collect' | 'evaluate' | 'bigFacts'>;

/**
 * One look at a stage: the facts are collected past the cache and evaluated on this worker, under one release. Collecting
 * is tried as often as `collectFacts` would be, so that one hiccup of a source is no change. Nothing is thrown but an
 * abort: what fails is what was found.
 */
export async function lookAtStage(parts: Parts, request: RecheckRequest, signal: AbortSignal): Promise<Looked> {
  const { maximumAttempts, initialInterval, maximumInterval, timeout } = request.collecting;
  const timeoutMs = parseDuration(timeout);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { release, snapshot } = await within(systemTimers, timeoutMs, collect(parts, request), () =>
        late(timeoutMs),
      );
      return { snapshot, decision: await evaluate(parts, release, snapshot) };
    } catch (error) {
      if (attempt >= maximumAttempts || !isRetryable(error)) return { failure: failureOf(error, request) };
    }
    const backoffMs = Math.min(parseDuration(maximumInterval), parseDuration(initialInterval) * 2 ** (attempt - 1));
    await sleep(backoffMs, undefined, { signal });
  }
}

async function collect(parts: Parts, request: RecheckRequest): Promise<{ release: Release; snapshot: Snapshot }> {
  const release = await releaseFor(parts, request);
  return { release, snapshot: await collectFitting(parts, release, { ...request, bypassCache: true }) };
}

async function evaluate({ evaluate: decide }: Parts, release: Release, snapshot: Snapshot): Promise<Decision> {
  try {
    return await decide(release, snapshot);
  } catch (error) {
    const fault = { type: FailureType.PolicyEvaluation, message: messageOf(error) };
    const { mask } = snapshot;
    return {
      outcome: 'error',
      denyReasons: [],
      faults: [fault],
      evalDurationNs: 0,
      ...(mask === undefined ? {} : { mask }),
    };
  }
}

function isRetryable(error: unknown): boolean {
  if (error instanceof ApplicationFailure) return error.nonRetryable !== true;
  return !(error instanceof GateError) || !NON_RETRYABLE_FAILURES.includes(error.type);
}

function failureOf(error: unknown, { target }: RecheckRequest): SnapshotFailure {
  if (error instanceof SnapshotError) return error.failure;
  if (error instanceof ApplicationFailure && error.details?.[0]) return error.details[0] as SnapshotFailure;
  const type = error instanceof GateError ? error.type : FailureType.FactSourceUnavailable;
  return nothingCollected(target, type, messageOf(error));
}

function late(timeoutMs: number): GateError {
  return new GateError(FailureType.FactSourceUnavailable, `Expected the facts within ${timeoutMs} ms, got no answer`);
}
