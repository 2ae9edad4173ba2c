import { describe, expect, it } from '@jest/globals';
import type { JsonValue } from '../../../src/kernel/json';
import { readPolicies } from '../../../src/rules/document/read-policies';
import type { PolicySet } from '../../../src/rules/document/read-policies';
import type { RuleDomain } from '../../../src/rules/domain';
import { pairFindings } from '../../../src/rules/lint/lint-pairs';
import {
  conjunctsOf,
  contains,
  haveCommon,
  intersection,
  isEmpty,
  rangeOf,
  rangesOf,
} from '../../../src/rules/lint/ranges';
import type { Comparison } from '../../../src/rules/conditions/condition';
import { PARCELS } from '../parcels';

/** 0 to 1, the same again for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function setOf(documents: readonly object[]): PolicySet {
  const named = documents.map((document, at) => ({
    where: { file: `${at}.json` },
    document: { name: `p${at}`, type: 'loading', priority: -at, ...document } as JsonValue,
  }));
  return readPolicies(named, PARCELS);
}

/** The domain, with the number of times that two actions were compared. */
function counting(): { domain: RuleDomain; asked: () => number } {
  let asked = 0;
  const type = PARCELS.types.get('loading')!;
  const contradiction: typeof type.contradiction = (one, other) => {
    asked += 1;
    return type.contradiction(one, other);
  };
  return { domain: { ...PARCELS, types: new Map([['loading', { ...type, contradiction }]]) }, asked: () => asked };
}

function randomPolicy(random: () => number): object {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const number = () => Math.floor(random() * 5);
  const all = Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
    const metric = pick(['depot.queue', 'depot.open', 'parcel.id']);
    if (metric !== 'depot.queue')
      return {
        metric,
        operator: pick(['eq', 'ne']),
        value: metric === 'depot.open' ? random() < 0.5 : pick(['a', 'b', 'c']),
      };
    const operator = pick(['eq', 'in', 'not_in', 'lt', 'gte', 'between', 'exists']);
    if (operator === 'exists') return { metric, operator };
    const value = operator === 'in' || operator === 'not_in' ? [number(), number()] : number();
    return { metric, operator, value: operator === 'between' ? [number(), 5] : value };
  });
  const scope = random() < 0.3 ? { scope: { labels: { tier: pick(['gold', 'silver']) } } } : {};
  return { conditions: { all }, actions: { load: { lane: 1 + Math.floor(random() * 3) } }, ...scope };
}

describe('policies beside each other', () => {
  it('are compared with the same findings as every two of them would give', () => {
    let found = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = seeded(seed);
      const { policies } = setOf(Array.from({ length: 25 }, () => randomPolicy(random)));
      const told = pairFindings(policies, PARCELS).map(({ rule, policy, message }) => {
        const [, earlier] = /(?:with|matches,) (p\d+)/.exec(message)!;
        return `${rule} ${policy} ${earlier}`;
      });
      expect(told).toEqual(plainFindings(policies));
      found += told.length;
    }
    expect(found).toBeGreaterThan(1_000);
  });

  it('that cannot match together are not compared: 10,000 policies for one label each', () => {
    const { domain, asked } = counting();
    const { policies } = setOf(
      Array.from({ length: 10_000 }, (_, at) => ({
        scope: { labels: { team: `t${at >> 1}` } },
        conditions: { metric: 'depot.queue', operator: 'lt', value: 3 + (at % 7) },
        actions: { load: { lane: 1 + at } },
      })),
    );
    const rules = pairFindings(policies, domain).map(({ rule }) => rule);
    // 5,000 pairs of one team; the first of a pair covers the second where its bound is not the smaller one.
    expect(asked()).toBeLessThanOrEqual(5_000);
    expect(rules.filter((rule) => rule === 'conflict')).toHaveLength(1_000);
    expect(rules.filter((rule) => rule === 'shadowed')).toHaveLength(714);
  });

  it('that are shadowed are found behind any number of conflicts', () => {
    const wide = Array.from({ length: 60 }, (_, at) => ({
      conditions: { metric: 'depot.queue', operator: 'between', value: [at, at + 100] },
      actions: { load: { lane: 1 + at } },
    }));
    const never = { conditions: { metric: 'depot.queue', operator: 'eq', value: 70 }, actions: { load: { lane: 99 } } };
    const { policies } = setOf([...wide, never]);
    const findings = pairFindings(policies, PARCELS);
    expect(findings.filter(({ rule }) => rule === 'conflict')).toHaveLength(1_000);
    expect(findings.filter(({ rule }) => rule === 'shadowed').map(({ policy }) => policy)).toEqual(['p60']);
  });
});

it('two ranges have a value in common exactly when their intersection is not empty', () => {
  const random = seeded(7);
  let common = 0;
  const one = () => rangeOf({ metric: 'depot.queue', ...randomComparison(random) } as Comparison)!;
  for (let at = 0; at < 5_000; at += 1) {
    const [mine, theirs] = [intersection(one(), one()), one()];
    const has = !isEmpty(intersection(mine, theirs));
    expect(haveCommon(mine, theirs)).toBe(has);
    common += Number(has);
  }
  expect(common).toBeGreaterThan(500);
});

function randomComparison(random: () => number): object {
  const number = () => Math.floor(random() * 4);
  const operators = ['eq', 'ne', 'in', 'not_in', 'lt', 'lte', 'gt', 'gte', 'between', 'exists', 'not_exists'];
  const operator = operators[Math.floor(random() * operators.length)]!;
  if (operator.endsWith('exists')) return { operator };
  const isList = ['in', 'not_in', 'between'].includes(operator);
  return { operator, value: isList ? [number(), number()].sort() : number() };
}

/** The rule without an index: every policy with every one before it. */
function plainFindings(policies: PolicySet['policies']): string[] {
  const found: string[] = [];
  const rangesFor = ({ conditions, scope }: PolicySet['policies'][number]) =>
    rangesOf([
      ...conjunctsOf(conditions),
      ...Object.entries(scope.labels ?? {}).map(
        ([key, value]) => ({ metric: `parcel.labels.${key}`, operator: 'eq', value }) as Comparison,
      ),
    ]);
  for (const [at, later] of policies.entries()) {
    for (const earlier of policies.slice(0, at)) {
      const [mine, theirs] = [rangesFor(earlier), rangesFor(later)];
      const meets = [...mine].every(([metric, range]) => {
        const other = theirs.get(metric);
        return other === undefined || !isEmpty(intersection(range, other));
      });
      if (!meets || earlier.actions[0]!.settings.lane === later.actions[0]!.settings.lane) continue;
      const covered = [...mine].every(([metric, range]) => {
        const other = theirs.get(metric);
        return other !== undefined && contains(range, other);
      });
      found.push(`${covered ? 'shadowed' : 'conflict'} ${later.name} ${earlier.name}`);
      if (covered) break;
    }
  }
  return found;
}
