import type { LeaseClaim } from '../decisions/lease';
import type { RecordedDecision } from './recorded-decision';

/** The way is clear for a stage's action. */
export interface GatePass {
  /** `allow`, or whatever was found in observe mode */
  outcome: 'allow' | 'deny' | 'error';
  /** the decision, or the override, that the pass comes from */
  decisionId: string;
  /** true when an operator allowed it in spite of the decision */
  overridden: boolean;
  /** how long it holds; absent in observe mode */
  lease?: LeaseClaim;
}

/** In observe mode nothing limits a pass, and nothing refuses one. */
export function observedPass({ decisionId, decision }: RecordedDecision): GatePass {
  return { outcome: decision.outcome, decisionId, overridden: false };
}

/** A pass under the lease of its decision. */
export function allowedPass({ decisionId, decisionTimeMs, decision, release }: RecordedDecision): GatePass {
  const lease: LeaseClaim = {
    decisionId,
    decisionTimeMs,
    ...(decision.leaseExpiresAtMs === undefined ? {} : { expiresAtMs: decision.leaseExpiresAtMs }),
    ...(release === undefined ? {} : { release }),
    ...(decision.leaseLimit === undefined ? {} : { limit: decision.leaseLimit }),
  };
  return { outcome: 'allow', decisionId, overridden: false, lease };
}

/** An operator's pass holds for its own time, whatever the facts and the release. */
export function overriddenPass(decisionId: string, nowMs: number, validForMs: number): GatePass {
  const lease: LeaseClaim = { decisionId, decisionTimeMs: nowMs, expiresAtMs: nowMs + validForMs };
  return { outcome: 'allow', decisionId, overridden: true, lease };
}
