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
  /** how the evaluation came to its answer; absent where none ran */
  evaluation?: DecisionEvaluation;
  /** what must be masked wherever this decision is shown; absent when nothing */
  mask?: MaskRule[];
}

/** How an evaluation came to its answer, as far as people and a later replay want to know. */
export interface DecisionEvaluation {
  /** the evaluators that answered, with their versions, the one whose answer counts first */
  evaluators: string[];
  /** whether the compiled module agreed to an allow; `none` where it is known to answer in another way than OPA */
  secondOpinion: 'agreed' | 'none' | 'not-asked';
  /** why there was none */
  secondOpinionWhy?: string[];
  /** ids of the facts that the evaluation looked at, ordered; absent where it took the whole input */
  lookedAt?: string[];
  /** paths that were absent and that the policy declares optional, ordered */
  optionalAbsent?: string[];
  /** the reasons of a denial that is an error, because something was missing while it was worked out */
  wouldDeny?: string[];
  /** what was missing while a denial was worked out, where the policy says that it denies all the same */
  notes?: Fault[];
}
