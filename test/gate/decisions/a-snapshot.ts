import type { Fact } from '../../../src/gate/facts/fact';
import type { Snapshot } from '../../../src/gate/facts/snapshot';
import type { JsonValue } from '../../../src/kernel/json';

export const DECISION_TIME_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 6);

export const aFact = (id: string, value: JsonValue, ageMs = 0): Fact => ({
  id,
  value,
  observedAtMs: DECISION_TIME_MS - ageMs,
  collectedAtMs: DECISION_TIME_MS,
  source: 'a test',
});

export const aSnapshot = (facts: Fact[], changes: Partial<Snapshot> = {}): Snapshot => ({
  decisionId: 'decision-1',
  decisionTimeMs: DECISION_TIME_MS,
  target: {
    deploymentId: 'd1',
    stage: 'canary',
    stageIndex: 0,
    attributes: { risk: 'low' },
    stageAttributes: { n: 1 },
  },
  release: { policySha: 'p', configRev: 'c', manifestVersion: '1' },
  facts,
  maxAgeMs: {},
  ...changes,
});
