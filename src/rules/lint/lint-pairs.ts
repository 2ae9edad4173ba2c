import { canonicalJson } from '../../kernel/canonical-json';
import type { RuleAction, RulePolicy } from '../document/rule-policy';
import type { RuleDomain } from '../domain';
import { LintRule, MOST_FINDINGS, type Finding } from './finding';
import { labelConditions } from './label-conditions';
import { OverlapIndex } from './overlap-index';
import { conjunctsOf, contains, haveCommon, rangesOf, type Range } from './ranges';

/**
 * What two policies of one type do to each other: one that always wins, or two that write different values to one target. Every
 * policy that another one shadows is found; of pairs that may contradict each other the first ones.
 */
export function pairFindings(policies: readonly RulePolicy[], domain: RuleDomain): Finding[] {
  const findings: Finding[] = [];
  const read = policies.filter(({ enabled }) => enabled).map((policy) => factsOf(policy, domain));
  let conflicts = 0;
  for (const [name, { conflicts: rule, contradiction }] of domain.types) {
    const list = read.filter(({ policy }) => policy.type === name);
    const remembered = rememberedContradictions(list, contradiction);
    const index = new OverlapIndex(list);
    const seen = new Map<string, PolicyFacts>();
    const isHarmless = (later: PolicyFacts) =>
      remembered !== undefined &&
      rule !== 'first_match' &&
      [...seen.values()].every((one) => remembered(one, later) === null);
    for (const later of list) {
      for (const earlier of isHarmless(later) ? [] : index.near(later)) {
        const known = remembered?.(earlier, later);
        if (known === null && rule !== 'first_match') continue;
        const isCovered = covers(earlier, later);
        // Once enough conflicts are told, only what is shadowed is looked for.
        if (!isCovered && conflicts >= MOST_FINDINGS) continue;
        const why =
          known === undefined ? contradictionOf(earlier.policy, later.policy, contradiction) : (known ?? undefined);
        if (why === undefined && rule !== 'first_match') continue;
        if (!overlap(earlier, later)) continue;
        if (isCovered) {
          findings.push(shadowed(earlier, later, why ?? `of ${name} policies only the first that matches acts`));
          break;
        }
        if (why === undefined) continue;
        findings.push(conflict(earlier, later, why));
        conflicts += 1;
      }
      index.add(later);
      seen.set(later.actions, later);
    }
  }
  return findings;
}

function shadowed({ policy: earlier }: PolicyFacts, { policy: later }: PolicyFacts, because: string): Finding {
  return {
    rule: LintRule.shadowed,
    severity: 'error',
    policy: later.name,
    pointer: '/conditions',
    message: `whenever it matches, ${earlier.name} matches too and comes first: ${because}`,
  };
}

function conflict({ policy: earlier }: PolicyFacts, { policy: later }: PolicyFacts, why: string): Finding {
  return {
    rule: LintRule.conflict,
    severity: 'warning',
    policy: later.name,
    pointer: '/actions',
    message: `it may match together with ${earlier.name}, which comes first: ${why}`,
  };
}

interface PolicyFacts {
  policy: RulePolicy;
  ranges: ReadonlyMap<string, Range>;
  /** canonical JSON of the conditions of which no range says all, without descriptions */
  others: ReadonlySet<string>;
  /** canonical JSON of the actions */
  actions: string;
}

function factsOf(policy: RulePolicy, { prefixes }: RuleDomain): PolicyFacts {
  const conjuncts = [...conjunctsOf(policy.conditions), ...labelConditions(policy, prefixes.subject)];
  const others = conjuncts.filter((one) => !('metric' in one) || !isRange(one.operator, one.value));
  return {
    policy,
    ranges: rangesOf(conjuncts),
    others: new Set(others.map(withoutDescription)),
    actions: canonicalJson(policy.actions as never),
  };
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
  for (const [metric, range] of one.ranges) {
    const found = other.ranges.get(metric);
    if (found !== undefined && !haveCommon(range, found)) return false;
  }
  return true;
}

/** Whether `earlier` matches whenever `later` does; false where that is not known. */
function covers(earlier: PolicyFacts, later: PolicyFacts): boolean {
  const { scope, dependsOn, effectiveFromMs, effectiveUntilMs } = earlier.policy;
  if (effectiveFromMs !== undefined || effectiveUntilMs !== undefined) return false;
  if (scope.operation !== undefined && scope.operation !== later.policy.scope.operation) return false;
  if (dependsOn.some((name) => !later.policy.dependsOn.includes(name))) return false;
  for (const condition of earlier.others) if (!later.others.has(condition)) return false;
  for (const [metric, range] of earlier.ranges) {
    const found = later.ranges.get(metric);
    if (found === undefined || !contains(range, found)) return false;
  }
  return true;
}

/** How many different actions there may be so that the answers about each two of them are kept. */
const MOST_REMEMBERED = 1_000;

/**
 * How the actions of two policies contradict each other, worked out once for policies that say the same; null where they do not.
 *
 * @returns undefined where there are too many different actions to remember each two of them
 */
function rememberedContradictions(
  list: readonly PolicyFacts[],
  contradiction: (one: RuleAction, other: RuleAction) => string | undefined,
): ((one: PolicyFacts, other: PolicyFacts) => string | null) | undefined {
  const count = new Set(list.map(({ actions }) => actions)).size;
  if (count > MOST_REMEMBERED) return undefined;
  const byActions = new Map<string, Map<string, string | null>>();
  return (one, other) => {
    const row = byActions.get(one.actions) ?? new Map<string, string | null>();
    byActions.set(one.actions, row);
    let why = row.get(other.actions);
    if (why === undefined) {
      why = contradictionOf(one.policy, other.policy, contradiction) ?? null;
      row.set(other.actions, why);
    }
    return why;
  };
}

function contradictionOf(
  one: RulePolicy,
  other: RulePolicy,
  contradiction: (one: RuleAction, other: RuleAction) => string | undefined,
): string | undefined {
  for (const mine of one.actions) {
    for (const theirs of other.actions) {
      const why = mine.name === theirs.name ? contradiction(mine, theirs) : undefined;
      if (why !== undefined) return why;
    }
  }
  return undefined;
}
