import type { DomainRecord, GateRecord } from '../audit/audit-record';

let made = 0;

/** A plain denial under an id of its own, with whatever a test cares about put over it. */
export function aRecord(over: Partial<GateRecord> = {}): GateRecord {
  made += 1;
  return {
    schemaVersion: 1,
    decisionID: `d-${process.pid}-${made}`,
    kind: 'decision',
    deploymentID: 'firmware-1.4.0',
    stage: 'canary',
    timestamp: '2026-11-01T12:00:00.000Z',
    outcome: 'deny',
    reasons: ['max_pending limit exceeded: current 3100 > configured 2000'],
    errorDetails: [],
    usedFacts: [
      {
        id: 'max_pending',
        value: 3100,
        observedAt: '2026-11-01T11:59:58.000Z',
        collectedAt: '2026-11-01T11:59:59.500Z',
        source: 'levelServer http://levels.example',
      },
    ],
    policySHA: 'a'.repeat(64),
    configRev: 'b'.repeat(64),
    manifestVersion: '7',
    evalDurationNS: 81_000,
    workflowID: 'deployment/firmware-1.4.0',
    runID: '0190-run',
    actor: 'gate',
    ...over,
  };
}

/** A plain decision of another domain: `rules` unless `over` says otherwise. */
export function aDomainRecord(over: Partial<DomainRecord> = {}): DomainRecord {
  const { deploymentID: _deployment, stage: _stage, domain: _gate, ...shared } = aRecord();
  return {
    ...shared,
    domain: 'rules',
    subject: 'balance-shards',
    part: 'move',
    workflowID: 'rules/balance-shards',
    ...over,
  };
}
