import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { DecisionOutcome } from '../kernel/outcome';
import type { FailureType } from '../kernel/failures';
import type { ReleaseRef } from '../releases/release-ref';
import { errorAreaOf } from './error-area';
import { createLabelCap } from '../platform/observability/label-cap';

/** What the features report. Each hook is a plain function that throws nothing and needs no `this`. */
export interface Metrics {
  facts: {
    /** one request to a source has ended, well or not */
    collected(providerType: string, seconds: number): void;
    failed(type: FailureType): void;
    cacheHit(): void;
    age(factId: string, seconds: number): void;
  };
  evaluation: { evaluated(seconds: number): void; failed(type: FailureType): void };
  /** any failure outside facts and evaluation */
  system: { failed(type: FailureType): void };
  decisions: { decided(outcome: DecisionOutcome, stage: string, reasonCodes: readonly string[]): void };
  pauses: { paused(reason: FailureType): void; resolved(reason: FailureType, pausedSeconds: number): void };
  releases: {
    loaded(ref: ReleaseRef, atMs: number, fromCache: boolean): void;
    refused(): void;
    unavailable(): void;
    /** the newest release is the one in force, as the source says */
    checked(atMs: number): void;
  };
  audit: {
    written(sink: string): void;
    failed(sink: string): void;
    dropped(sink: string): void;
    /** bytes that wait on disk for a sink */
    waiting(sink: string, bytes: number): void;
  };
  actions: { succeeded(type: string): void; failed(type: string): void; compensated(type: string): void };
  alerts: { sent(receiver: string): void; failed(receiver: string): void };
}

/** Distinct values of the labels that users choose; further ones count as `other`. */
export const LABEL_LIMITS = { stage: 50, code: 100, fact: 200, provider: 20 } as const;

const REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const EVALUATION_BUCKETS = [0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.01, 0.1, 1];
/** a minute to a week: a pause ends when a person looks */
const PAUSE_BUCKETS = [60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 3 * 24 * 3600, 7 * 24 * 3600];

/**
 * Registers every metric of the gate; `docs/metrics.md` lists them and a test compares the two.
 *
 * @throws Error when `registry` holds them already: one registry, one call
 */
export function createMetrics(registry: Registry): Metrics {
  const registers = [registry];
  function counter<T extends string>(name: string, help: string, labelNames: T[] = []): Counter<T> {
    return new Counter({ name, help, labelNames, registers });
  }
  function histogram<T extends string>(name: string, help: string, buckets: number[], labelNames: T[] = []) {
    return new Histogram({ name, help, labelNames, buckets, registers });
  }

  const factSeconds = histogram(
    'gate_fact_provider_duration_seconds',
    'Time that a request to a source of facts took, by provider',
    REQUEST_BUCKETS,
    ['provider'],
  );
  const factAge = new Gauge({
    name: 'gate_fact_age_seconds',
    help: 'Age of the fact when it was last judged, by fact',
    labelNames: ['fact'],
    registers,
  });
  const cacheHits = counter('gate_fact_cache_hits_total', 'Facts served from the cache');
  const errors = counter('gate_errors_total', 'Errors by failure type and area', ['area', 'type']);
  const evaluationSeconds = histogram(
    'gate_evaluation_duration_seconds',
    'Time that an evaluation of the policy took',
    EVALUATION_BUCKETS,
  );
  const decisions = counter('gate_decisions_total', 'Decisions by outcome and stage', ['outcome', 'stage']);
  const reasons = counter('gate_deny_reasons_total', 'Deny reasons by code', ['code']);
  const pauses = counter('gate_pauses_total', 'Pauses begun, by the failure that caused them', ['reason']);
  const paused = histogram(
    'gate_paused_seconds',
    'Time that a deployment was paused, counted when the pause ends, by the failure that caused it',
    PAUSE_BUCKETS,
    ['reason'],
  );
  const reloads = counter('gate_release_reloads_total', 'Releases read, by result: ok, refused or unavailable', [
    'result',
  ]);
  const releaseInfo = new Gauge({
    name: 'gate_release_info',
    help: 'The release in force; always 1',
    labelNames: ['policy_sha', 'config_rev', 'manifest_version'],
    registers,
  });
  const releaseLoaded = new Gauge({
    name: 'gate_release_loaded_timestamp_seconds',
    help: 'When the release in force was loaded, in seconds since the epoch',
    registers,
  });
  const releaseFromCache = new Gauge({
    name: 'gate_release_from_cache',
    help: 'Whether the release in force came from the copy on disk and its source has not confirmed it: 1 or 0',
    registers,
  });
  const releaseChecked = new Gauge({
    name: 'gate_release_checked_timestamp_seconds',
    help: 'When the source last said that the release in force is the newest, in seconds since the epoch',
    registers,
  });
  const auditWrites = counter('gate_audit_writes_total', 'Audit records written, by sink', ['sink']);
  const auditFailures = counter('gate_audit_write_failures_total', 'Audit writes that failed, by sink', ['sink']);
  const auditDropped = counter('gate_audit_dropped_total', 'Copies of audit records given up, by sink', ['sink']);
  const auditWaiting = new Gauge({
    name: 'gate_audit_waiting_bytes',
    help: 'Copies of audit records that wait on disk, by sink',
    labelNames: ['sink'],
    registers,
  });
  const actions = counter('gate_actions_total', 'Attempts at actions by type and result: ok, failed or compensated', [
    'type',
    'result',
  ]);
  const alerts = counter('gate_alerts_total', 'Alerts by receiver and result: sent or failed', ['receiver', 'result']);

  const stageLabel = createLabelCap(LABEL_LIMITS.stage);
  const codeLabel = createLabelCap(LABEL_LIMITS.code);
  const factLabel = createLabelCap(LABEL_LIMITS.fact);
  const providerLabel = createLabelCap(LABEL_LIMITS.provider);
  const failed = (type: FailureType) => errors.inc({ area: errorAreaOf(type), type });

  return {
    facts: {
      collected: (providerType, seconds) => factSeconds.observe({ provider: providerLabel(providerType) }, seconds),
      failed,
      cacheHit: () => cacheHits.inc(),
      age: (factId, seconds) => factAge.set({ fact: factLabel(factId) }, seconds),
    },
    evaluation: { evaluated: (seconds) => evaluationSeconds.observe(seconds), failed },
    system: { failed },
    decisions: {
      decided(outcome, stage, reasonCodes) {
        decisions.inc({ outcome, stage: stageLabel(stage) });
        for (const code of reasonCodes) reasons.inc({ code: codeLabel(code) });
      },
    },
    pauses: {
      paused: (reason) => pauses.inc({ reason }),
      resolved: (reason, pausedSeconds) => paused.observe({ reason }, pausedSeconds),
    },
    releases: {
      loaded(ref, atMs, fromCache) {
        reloads.inc({ result: 'ok' });
        // One release is in force: the last one's line must go.
        releaseInfo.reset();
        releaseInfo.set(
          { policy_sha: ref.policySha, config_rev: ref.configRev, manifest_version: ref.manifestVersion },
          1,
        );
        releaseLoaded.set(atMs / 1000);
        releaseFromCache.set(fromCache ? 1 : 0);
      },
      refused: () => reloads.inc({ result: 'refused' }),
      unavailable: () => reloads.inc({ result: 'unavailable' }),
      checked(atMs) {
        releaseChecked.set(atMs / 1000);
        releaseFromCache.set(0);
      },
    },
    audit: {
      written: (sink) => auditWrites.inc({ sink }),
      failed: (sink) => auditFailures.inc({ sink }),
      dropped: (sink) => auditDropped.inc({ sink }),
      waiting: (sink, bytes) => auditWaiting.set({ sink }, bytes),
    },
    actions: {
      succeeded: (type) => actions.inc({ type, result: 'ok' }),
      failed: (type) => actions.inc({ type, result: 'failed' }),
      compensated: (type) => actions.inc({ type, result: 'compensated' }),
    },
    alerts: {
      sent: (receiver) => alerts.inc({ receiver, result: 'sent' }),
      failed: (receiver) => alerts.inc({ receiver, result: 'failed' }),
    },
  };
}
