import { describe, expect, it } from '@jest/globals';
import { toOpaEvent } from '../../src/audit/to-opa-event';
import { aDomainRecord, aRecord } from './a-record';

const deployment = { id: 'firmware-1.4.0', stage: 'canary', stage_index: 0, attributes: {}, stage_attributes: {} };

describe('an event of OPA’s decision log', () => {
  it('an event of OPA’s decision log tells a denial with the input that the policy saw', () => {
    expect(toOpaEvent(aRecord({ decisionID: 'd', deployment }))).toStrictEqual({
      labels: {
        app: 'planning-engine',
        deployment_id: 'firmware-1.4.0',
        stage: 'canary',
        manifest_version: '7',
        config_rev: 'b'.repeat(64),
      },
      decision_id: 'd',
      bundles: { gate: { revision: 'a'.repeat(64) } },
      path: 'gate/response',
      input: { max_pending: 3100, deployment, decision_time: '2026-11-01T12:00:00.000Z' },
      result: { allow: false, deny_reasons: ['max_pending limit exceeded: current 3100 > configured 2000'] },
      requested_by: 'deployment/firmware-1.4.0',
      timestamp: '2026-11-01T12:00:00.000Z',
      metrics: { timer_rego_query_eval_ns: 81_000 },
    });
  });

  it('an event of OPA’s decision log tells an error without a result', () => {
    const errorDetails = [
      { type: 'FactStale' as const, message: 'too old' },
      { type: 'FactMissing' as const, message: 'not there' },
    ];
    const event = toOpaEvent(aRecord({ outcome: 'error', reasons: [], errorDetails }));
    expect(event).toMatchObject({ error: { code: 'FactStale', message: 'too old; not there' } });
    expect(event).not.toHaveProperty('result');
  });

  it('an event of OPA’s decision log names the instance that decided', () => {
    const evaluation = { instance: '7@worker-1', evaluators: ['plan 1'], secondOpinion: 'agreed' };
    expect(toOpaEvent(aRecord({ evaluation }))?.labels).toMatchObject({ id: '7@worker-1' });
  });

  it('an event of OPA’s decision log lists apart what was taken out and what was replaced', () => {
    const masked = ['/input/deployment/attributes/owner', '/input/deployment/attributes/team'];
    const attributes = { owner: null, team: '***' };
    const event = toOpaEvent(aRecord({ masked, deployment: { ...deployment, attributes } }));
    expect(event).toMatchObject({ erased: [masked[0]], masked: [masked[1]] });
    expect(toOpaEvent(aRecord({}))).not.toHaveProperty('erased');
  });

  it('an event of OPA’s decision log leaves out what the record does not have', () => {
    const bare = { policySHA: undefined, configRev: undefined, manifestVersion: undefined, evalDurationNS: undefined };
    const event = toOpaEvent(aRecord({ ...bare, workflowID: undefined, outcome: 'allow', reasons: [] }));
    expect(Object.keys(event ?? {}).sort()).toEqual(
      ['decision_id', 'input', 'labels', 'path', 'requested_by', 'result', 'timestamp'].sort(),
    );
    expect(event).toMatchObject({ result: { allow: true, deny_reasons: [] }, requested_by: 'gate' });
  });

  it.each(['override', 'resume', 'abort', 'pause', 'resolved'] as const)(
    'an event of OPA’s decision log is not made of a record of kind %s',
    (kind) => {
      expect(toOpaEvent(aRecord({ kind }))).toBeUndefined();
    },
  );

  it('an event of OPA’s decision log is not made of a record of another domain', () => {
    expect(toOpaEvent(aDomainRecord())).toBeUndefined();
  });
});
