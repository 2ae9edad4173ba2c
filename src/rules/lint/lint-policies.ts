import { canonicalJson } from '../../kernel/canonical-json';
import type { PolicySet } from '../document/read-policies';
import type { RulePolicy } from '../document/rule-policy';
import type { RuleDomain } from '../domain';
import { labelConditions } from './label-conditions';
import { conditionFindings } from './lint-conditions';
import { enumerationFindings } from './lint-enumerations';
import { LintRule, type Finding } from './finding';
import { conjunctsOf, contains, isEmpty, intersection, rangesOf, type Range } from './ranges';

/** Findings of one rule beyond this many are not told: the first ones say what is to be done. */
const MOST_FINDINGS = 1_000;

/** Everything that the policies can hardly mean, in the order of the policies. */
export function lintPolicies(set: PolicySet, domain: RuleDomain, nowMs: number): Finding[] {
  const { policies } = set;
  const findings = [
    ...policies.flatMap((policy) => conditionFindings(policy, domain)),
    ...unreachable(policies, nowMs),
    ...pairs(policies, domain),
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

/** What two policies of one type do to each other: one that always wins, or two that may contradict. */
function pairs(policies: readonly RulePolicy[], domain: RuleDomain): Finding[] {
  const findings: Finding[] = [];
  const read = policies.filter(({ enabled }) => enabled).map((policy) => ({ policy, ...factsOf(policy, domain) }));
  for (const [name, type] of domain.types) {
    const list = read.filter(({ policy }) => policy.type === name);
    const isFirst = type.conflicts === 'first_match';
    for (const [at, later] of list.entries()) {
      for (const earlier of list.slice(0, at)) {
        const why = contradictionOf(earlier.policy, later.policy, type.contradiction);
        if (why === undefined && !isFirst) continue;
        if (!overlap(earlier, later)) continue;
        const isShadowed = covers(earlier, later);
        const because = why ?? `of ${name} policies only the first that matches acts`;
        if (isShadowed) {
          findings.push({
            rule: LintRule.shadowed,
            severity: 'error',
            policy: later.policy.name,
            pointer: '/conditions',
            message: `whenever it matches, ${earlier.policy.name} matches too and comes first: ${because}`,
          });
          break;
        }
        if (why === undefined) continue;
        findings.push({
          rule: LintRule.conflict,
          severity: 'warning',
          policy: later.policy.name,
          pointer: '/actions',
          message: `it may match together with ${earlier.policy.name}, which comes first: ${why}`,
        });
      }
      if (findings.length > 2 * MOST_FINDINGS) return findings;
    }
  }
  return findings;
}

interface PolicyFacts {
  policy: RulePolicy;
  ranges: ReadonlyMap<string, Range>;
  /** canonical JSON of the conditions of which no range says all, without descriptions */
  others: ReadonlySet<string>;
}

function factsOf(policy: RulePolicy, { prefixes }: RuleDomain): Omit<PolicyFacts, 'policy'> {
  const conjuncts = [...conjunctsOf(policy.conditions), ...labelConditions(policy, prefixes.subject)];
  const others = conjuncts.filter((one) => !('metric' in one) || !isRange(one.operator, one.value));
  return { ranges: rangesOf(conjuncts), others: new Set(others.map(withoutDescription)) };
}

function isRange(operator: string, value: unknown): boolean {
  const ofRanges = ['eq', 'ne', 'in', 'not_in', 'lt', 'lte', 'gt', 'gte', 'between', 'exists', 'not_exists'];
  return ofRanges.includes(operator) && !(typeof value === 'object' && value !== null && 'metric' in value);
}

function withoutDescription(condition: object): string {
  return canonicalJson({ ...condition, description: null } as never);
}

/** Whether nothing says that the two cannot match together. */
function overlap(one: PolicyFacts, other: PolicyFacts): boolean {
  const [mine, others] = [one.policy.scope.operation, other.policy.scope.operation];
  if (mine !== undefined && others !== undefined && mine !== others) return false;
  return [...one.ranges].every(([metric, range]) => {
    const found = other.ranges.get(metric);
    return found === undefined || !isEmpty(intersection(range, found));
  });
}

/** Whether `earlier` matches whenever `later` does; false where that is not known. */
function covers(earlier: PolicyFacts, later: PolicyFacts): boolean {
  const { scope, dependsOn, effectiveFromMs, effectiveUntilMs } = earlier.policy;
  if (effectiveFromMs !== undefined || effectiveUntilMs !== undefined) return false;
  if (scope.operation !== undefined && scope.operation !== later.policy.scope.operation) return false;
  if (dependsOn.some((name) => !later.policy.dependsOn.includes(name))) return false;
  if ([...earlier.others].some((condition) => !later.others.has(condition))) return false;
  return [...earlier.ranges].every(([metric, range]) => {
    const found = later.ranges.get(metric);
    return found !== undefined && contains(range, found);
  });
}

function contradictionOf(
  one: RulePolicy,
  other: RulePolicy,
  contradiction: (one: RulePolicy['actions'][number], other: RulePolicy['actions'][number]) => string | undefined,
): string | undefined {
  for (const mine of one.actions) {
    for (const theirs of other.actions) {
      const why = mine.name === theirs.name ? contradiction(mine, theirs) : undefined;
      if (why !== undefined) return why;
    }
  }
  return undefined;
}

function canHold({ conditions }: RulePolicy): boolean {
  return ![...rangesOf(conjunctsOf(conditions)).values()].some(isEmpty);
}

function labelsDiffer(one: RulePolicy, other: RulePolicy): boolean {
  return Object.entries(one.scope.labels ?? {}).some(([key, value]) => (other.scope.labels?.[key] ?? value) !== value);
}
