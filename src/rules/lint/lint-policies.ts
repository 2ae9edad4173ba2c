import type { PolicySet } from '../document/read-policies';
import type { RulePolicy } from '../document/rule-policy';
import type { RuleDomain } from '../domain';
import { conditionFindings } from './lint-conditions';
import { enumerationFindings } from './lint-enumerations';
import { LintRule, MOST_FINDINGS, type Finding } from './finding';
import { pairFindings } from './lint-pairs';
import { conjunctsOf, isEmpty, rangesOf } from './ranges';

/** Everything that the policies can hardly mean, in the order of the policies. */
export function lintPolicies(set: PolicySet, domain: RuleDomain, nowMs: number): Finding[] {
  const { policies } = set;
  const findings = [
    ...policies.flatMap((policy) => conditionFindings(policy, domain)),
    ...unreachable(policies, nowMs),
    ...pairFindings(policies, domain),
    ...enumerationFindings(set, domain),
  ];
  const counts = new Map<LintRule, number>();
  return findings.filter(({ rule }) => {
    counts.set(rule, (counts.get(rule) ?? 0) + 1);
    return counts.get(rule)! <= MOST_FINDINGS;
  });
}

/** Policies that depend on one that never matches, and those whose time is over. */
function unreachable(policies: readonly RulePolicy[], nowMs: number): Finding[] {
  const byName = new Map(policies.map((policy) => [policy.name, policy]));
  return policies.flatMap((policy) => {
    const findings: Finding[] = [];
    const say = (severity: Finding['severity'], pointer: string, message: string) =>
      findings.push({ rule: LintRule.unreachable, severity, policy: policy.name, pointer, message });
    policy.dependsOn.forEach((name, at) => {
      const other = byName.get(name)!;
      const pointer = `/dependsOn/${at}`;
      if (!other.enabled) say('error', pointer, `it depends on ${name}, which is disabled: it never matches`);
      else if (!canHold(other)) say('error', pointer, `it depends on ${name}, whose conditions no state can meet`);
      else if (labelsDiffer(policy, other)) {
        say('error', pointer, `it depends on ${name}, whose scope has other labels: they never match together`);
      }
    });
    if (policy.effectiveUntilMs !== undefined && policy.effectiveUntilMs <= nowMs) {
      say('warning', '/effectiveUntil', 'its time is over: it does nothing any more');
    }
    return findings;
  });
}

function canHold({ conditions }: RulePolicy): boolean {
  return ![...rangesOf(conjunctsOf(conditions)).values()].some(isEmpty);
}

function labelsDiffer(one: RulePolicy, other: RulePolicy): boolean {
  return Object.entries(one.scope.labels ?? {}).some(([key, value]) => (other.scope.labels?.[key] ?? value) !== value);
}
