import type { RulePolicy } from '../document/rule-policy';
import type { RuleDomain } from '../domain';
import { isOfCandidates } from '../evaluation/evaluate-policy';
import type { EvaluationState, Subject } from '../evaluation/evaluation-state';
import { RuleMatcher } from './rule-matcher';

/** Policies compiled once, to be asked about many subjects and states: which of them hold, without asking each. */
export class PolicyIndex {
  /** ordinals of the policies behind each matcher's own */
  private readonly plain: { ordinals: number[]; matcher: RuleMatcher };
  private readonly ofCandidates: { ordinals: number[]; matcher: RuleMatcher };

  /** @param policies in the order of evaluation */
  constructor(
    readonly policies: readonly RulePolicy[],
    domain: RuleDomain,
  ) {
    const build = (wanted: boolean) => {
      const ordinals = [...policies.keys()].filter((at) => isOfCandidates(policies[at]!, domain) === wanted);
      const conditions = ordinals.map((at) => policies[at]!.conditions);
      return { ordinals, matcher: new RuleMatcher(conditions, domain.functions) };
    };
    this.plain = build(false);
    this.ofCandidates = build(true);
  }

  /** The policies that are true of a subject, in the order of evaluation; those that read candidates, of one of them at least. */
  holding(subject: Subject, state: EvaluationState): RulePolicy[] {
    const { nowMs } = state;
    const metrics = { ...state.metrics, ...subject.metrics };
    const found = new Set(this.plain.matcher.matching({ metrics, nowMs }).map((at) => this.plain.ordinals[at]!));
    if (this.ofCandidates.ordinals.length > 0) {
      for (const { id, metrics: own, barred = subject.barred?.(id) } of state.candidates) {
        if (barred !== undefined) continue;
        const scope = { metrics: { ...metrics, ...own }, nowMs };
        for (const at of this.ofCandidates.matcher.matching(scope)) found.add(this.ofCandidates.ordinals[at]!);
      }
    }
    return [...found].sort((one, other) => one - other).map((at) => this.policies[at]!);
  }
}
