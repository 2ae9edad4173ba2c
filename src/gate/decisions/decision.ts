import type { DecisionOutcome } from '../../kernel/outcome';
import type { Fault } from '../../kernel/failures';
import type { MaskRule } from '../../kernel/mask-rule';

/** The outcome of one evaluation. A pure function of (release, snapshot, decision time). */
export interface Decision {
  outcome: DecisionOutcome;
  /** ordered; at least one when denied, none otherwise */
  denyReasons: string[];
  /** why no decision could be made; at least one when `outcome` is error, none otherwise */
  faults: Fault[];
  /** nanoseconds that the evaluation took in its thread; 0 when none ran */
  evalDurationNs: number;
  /** epoch milliseconds until which an allow holds, from its facts' ages; absent when no fact limits it */
  leaseExpiresAtMs?: number;
  /** the fact whose age ends the lease first, and its max age: named when leases lapse again and again */
  leaseLimit?: { factId: string; maxAgeMs: number };
  /** what must be masked wherever this decision is shown; absent when nothing */
  mask?: MaskRule[];
}
