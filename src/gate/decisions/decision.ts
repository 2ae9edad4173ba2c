import type { GateRecord } from '../../audit/audit-record';
import type { DecisionOutcome } from '../../kernel/outcome';
import type { Fault } from '../../kernel/failures';
import type { MaskRule } from '../../kernel/mask-rule';
import type { Disagreement } from '../../rego/evaluation-account';

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
  /** of a snapshot with a `part`: the record that the decision will have, masked, with its facts shortened */
  record?: GateRecord;
}

/** How an evaluation came to its answer, as far as people and a later replay want to know. */
export interface DecisionEvaluation {
  /** the process that evaluated, as `pid@host`; absent in decisions of before it was noted */
  instance?: string;
  /** the evaluators that were asked, with their versions, the one whose answer counts first */
  evaluators: string[];
  /**
   * What the compiled module said of an allow: `none` where it is known to answer in another way than OPA; `disagreed` or
   * `failed` (it threw, or ran out of memory or time) make the decision an error.
   */
  secondOpinion: 'agreed' | 'none' | 'not-asked' | 'disagreed' | 'failed';
  /** why there was none */
  secondOpinionWhy?: string[];
  /** both answers, where an allow of the first evaluator was not confirmed */
  disagreement?: Disagreement;
  /** ids of the facts that the evaluation looked at, ordered; absent where it took the whole input */
  lookedAt?: string[];
  /** paths that were absent and that the policy declares optional, ordered */
  optionalAbsent?: string[];
  /** the reasons of a denial that is an error, because something was missing while it was worked out */
  wouldDeny?: string[];
  /** what was missing while a denial was worked out, where the policy says that it denies all the same */
  notes?: Fault[];
}
