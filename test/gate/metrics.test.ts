import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { FailureType } from '../../src/kernel/failures';
import { DECISION_LABEL_LIMITS } from '../../src/gate/decisions/service/decision-metrics';
import { errorAreaOf } from '../../src/platform/observability/error-metrics';
import { createLabelCap } from '../../src/platform/observability/label-cap';
import { createMetrics } from '../../src/gate/metrics';
import { createPlanMetrics } from '../../src/plans/service/plan-metrics';
import { createRuleMetrics } from '../../src/rules/service/rule-metrics';

function setUp() {
  const registry = new Registry();
  return { registry, metrics: createMetrics(registry) };
}

describe('metrics', () => {
  it('metrics are those that docs/metrics.md lists, with type and labels', async () => {
    const rows = readFileSync('docs/metrics.md', 'utf8').matchAll(
      /^\| `((?:gate|freightliner)_\w+)` \| (\w+) \|([^|]*)\|/gm,
    );
    const documented = [...rows].map(([, name, type, labels]) => {
      const names = [...(labels ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1]);
      return { name, type, labels: names.sort() };
    });
    const { registry } = setUp();
    createRuleMetrics(registry);
    createPlanMetrics(registry);
    const registered = registry.getMetricsAsArray().map((metric) => {
      const { labelNames } = metric as unknown as { labelNames: string[] };
      const type = metric.constructor.name.toLowerCase();
      return { name: (metric as unknown as { name: string }).name, type, labels: [...labelNames].sort() };
    });
    expect(documented).toEqual(registered);
    expect(registered.filter(({ name, type }) => type === 'counter' && !name.endsWith('_total'))).toEqual([]);
    expect(registered.filter(({ name, type }) => type === 'histogram' && !name.endsWith('_seconds'))).toEqual([]);
  });

  it('metrics show that the release came from the disk until its source confirms it', async () => {
    const registry = new Registry();
    const { releases } = createMetrics(registry);
    const shown = async () => /^gate_release_from_cache (\d)$/m.exec(await registry.metrics())?.[1];
    releases.loaded({ policySha: 'p', configRev: 'c', manifestVersion: '1' }, 1000, true);
    expect(await shown()).toBe('1');
    releases.checked(2000);
    expect(await shown()).toBe('0');
  });

  it('metrics count what each hook reports', async () => {
    const { registry, metrics } = setUp();
    const { facts, errors, decisions, pauses, wedged, sweep, releases, audit, actions, alerts } = metrics;
    facts.observeLatency('levelServer', 'max_pending', 0.02);
    errors.failed('FactStale');
    facts.cacheHit('levelServer');
    facts.observeAge('max_pending', 12);
    decisions.evaluated(0.00002);
    errors.failed('PolicyEvaluation');
    errors.failed('AuditWriteFailed');
    const reasons = ['a_code: 1', 'b_code: 2'];
    decisions.recorded({ kind: 'decision', outcome: 'deny', stage: 'canary', reasons });
    decisions.recorded({ kind: 'resume', stage: 'canary', reasons });
    decisions.rechecksPaused(3);
    const timestamp = '2026-01-02T03:04:30.000Z';
    const details = { pausedOn: 'FactStale', startedAt: '2026-01-02T03:03:00.000Z' };
    pauses.recorded({ kind: 'pause', reason: 'FactStale', timestamp });
    pauses.recorded({ kind: 'resolved', reason: 'resumed by ann', timestamp, details });
    // As a release before wrote it, and one that is no pause.
    pauses.recorded({ kind: 'resolved', reason: 'resumed by ann', timestamp });
    pauses.recorded({ kind: 'resume', reason: 'checked', timestamp });
    sweep.found(true);
    wedged.found(2);
    releases.loaded({ policySha: 'p1', configRev: 'c1', manifestVersion: '1' }, 1000, false);
    releases.loaded({ policySha: 'p2', configRev: 'c2', manifestVersion: '2' }, 2000, true);
    releases.refused();
    releases.unavailable();
    releases.checked(3000);
    audit.written('postgres');
    audit.failed('stdout');
    audit.dropped('stdout');
    actions.succeeded('http');
    actions.failed('http');
    actions.compensated('http');
    alerts.sent('slack');
    alerts.failed('slack');
    const lines = (await registry.metrics()).split('\n').filter((line) => !/^#|^freightliner_|_bucket|^$/.test(line));
    expect(lines.sort()).toEqual(
      [
        'gate_fact_provider_duration_seconds_sum{provider="levelServer",fact="max_pending"} 0.02',
        'gate_fact_provider_duration_seconds_count{provider="levelServer",fact="max_pending"} 1',
        'gate_fact_age_seconds{fact="max_pending"} 12',
        'gate_fact_cache_hits_total 1',
        'gate_errors_total{area="facts",type="FactStale"} 1',
        'gate_errors_total{area="evaluation",type="PolicyEvaluation"} 1',
        'gate_errors_total{area="system",type="AuditWriteFailed"} 1',
        'gate_evaluation_duration_seconds_sum 0.00002',
        'gate_evaluation_duration_seconds_count 1',
        'gate_decisions_total{outcome="deny",stage="canary"} 1',
        'gate_rechecks_paused 3',
        'gate_deny_reasons_total{code="a_code"} 1',
        'gate_deny_reasons_total{code="b_code"} 1',
        'gate_pauses_total{reason="FactStale"} 1',
        'gate_paused_seconds_sum{reason="FactStale"} 90',
        'gate_paused_seconds_count{reason="FactStale"} 1',
        'gate_release_reloads_total{result="ok"} 2',
        'gate_release_reloads_total{result="refused"} 1',
        'gate_release_checked_timestamp_seconds 3',
        'gate_release_from_cache 0',
        'gate_release_reloads_total{result="unavailable"} 1',
        'gate_sweep_attended 1',
        'gate_wedged_workflows 2',
        'gate_release_info{policy_sha="p2",config_rev="c2",manifest_version="2"} 1',
        'gate_release_loaded_timestamp_seconds 2',
        'gate_audit_writes_total{sink="postgres"} 1',
        'gate_audit_write_failures_total{sink="stdout"} 1',
        'gate_audit_dropped_total{sink="stdout"} 1',
        'gate_actions_total{type="http",result="ok"} 1',
        'gate_actions_total{type="http",result="failed"} 1',
        'gate_actions_total{type="http",result="compensated"} 1',
        'gate_alerts_total{receiver="slack",result="sent"} 1',
        'gate_alerts_total{receiver="slack",result="failed"} 1',
      ].sort(),
    );
  });

  it('metrics tell apart a bounded number of stages', async () => {
    const { registry, metrics } = setUp();
    for (let stage = 0; stage < DECISION_LABEL_LIMITS.stage + 5; stage++)
      metrics.decisions.recorded({ kind: 'decision', outcome: 'allow', stage: `s${stage}`, reasons: [] });
    const text = await registry.getSingleMetricAsString('gate_decisions_total');
    expect(text.match(/stage="/g)).toHaveLength(DECISION_LABEL_LIMITS.stage + 1);
    expect(text).toContain('stage="other"} 5');
  });

  it.each(Object.values(FailureType))('%s belongs to one area', (type) => {
    const facts = type.startsWith('Fact');
    const evaluation = type.startsWith('Policy');
    expect(errorAreaOf(type)).toBe(facts ? 'facts' : evaluation ? 'evaluation' : 'system');
  });

  it('a label cap keeps known values and folds later ones', () => {
    const cap = createLabelCap(2);
    expect(['a', 'b', 'c', 'a', 'b', 'd'].map(cap)).toEqual(['a', 'b', 'other', 'a', 'b', 'other']);
  });
});
