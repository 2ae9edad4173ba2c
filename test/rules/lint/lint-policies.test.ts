import { describe, expect, it } from '@jest/globals';
import type { JsonValue } from '../../../src/kernel/json';
import { readPolicies } from '../../../src/rules/document/read-policies';
import { lintPolicies } from '../../../src/rules/lint/lint-policies';
import { PARCELS } from '../parcels';

const NOW = Date.parse('2026-06-01T00:00:00Z');

/** What is found in policies of one type, each given as what differs from a plain one: `rule policy: message`. */
function found(policies: Record<string, object>): string[] {
  const documents = Object.entries(policies).map(([name, over]) => ({
    where: { file: `${name}.json` },
    document: {
      name,
      type: 'loading',
      conditions: { metric: 'depot.open', operator: 'eq', value: true },
      actions: { load: { lane: 1 } },
      ...over,
    } as JsonValue,
  }));
  const set = readPolicies(documents, PARCELS);
  return lintPolicies(set, PARCELS, NOW).map(({ rule, policy, message }) => `${rule} ${policy}: ${message}`);
}

const depot = (metric: string, operator: string, value?: unknown) => ({ metric: `depot.${metric}`, operator, value });
const lane = (number: number) => ({ actions: { load: { lane: number } } });

describe('what policies can hardly mean', () => {
  it('nothing is found in policies that can all match', () => {
    expect(found({ a: { priority: 2 }, b: { conditions: depot('queue', 'lt', 3) } })).toEqual([]);
  });

  it.each<[string, object[]]>([
    ['numbers that exclude one another', [depot('queue', 'lt', 3), depot('queue', 'gt', 3)]],
    ['a number between two that it must not be', [depot('queue', 'between', [3, 3]), depot('queue', 'ne', 3)]],
    ['values of which none is left', [depot('queue', 'in', [1, 2]), depot('queue', 'not_in', [2, 1])]],
    ['a value beyond a bound', [depot('queue', 'eq', 5), depot('queue', 'lte', 4)]],
    ['something that is there and is not', [depot('queue', 'exists'), depot('queue', 'not_exists')]],
  ])('%s', (_what, all) => {
    expect(found({ a: { conditions: { all } } })).toEqual([
      'contradiction a: no value of depot.queue meets all of its conditions: never true',
    ]);
  });

  it('metrics that the domain does not have, and values of another kind than theirs', () => {
    const all = [
      depot('lights', 'eq', true),
      depot('open', 'lt', 3),
      depot('queue', 'starts_with', 'x'),
      depot('queue', 'contains', 1),
      depot('open', 'in', ['yes', [1], {}, null]),
      { metric: 'parcel.labels', operator: 'eq', value: 3 },
    ];
    expect(found({ a: { conditions: { all } } })).toMatchInlineSnapshot(`
      [
        "contradiction a: no value of depot.open meets all of its conditions: never true",
        "unknown_metric a: depot.lights is not in the schema of a state",
        "type a: depot.open is a boolean, and lt compares it with a number: always unknown",
        "type a: depot.queue is a number, and starts_with compares it with a text: always unknown",
        "type a: depot.queue is a number, and contains compares it with a list: always unknown",
        "type a: depot.open is a boolean, and in compares it with a text or a list or an object: never true",
        "type a: parcel.labels is an object, and eq compares it with a number: never true",
      ]
    `);
  });

  it('policies that never get their turn', () => {
    expect(
      found({
        first: { priority: 9, ...lane(1) },
        second: { priority: 5, ...lane(2), conditions: { all: [depot('open', 'eq', true), depot('queue', 'lt', 3)] } },
        third: { priority: 1, ...lane(3), conditions: depot('queue', 'lt', 9) },
      }),
    ).toMatchInlineSnapshot(`
      [
        "shadowed second: whenever it matches, first matches too and comes first: lane 1 and lane 2",
        "conflict third: it may match together with first, which comes first: lane 1 and lane 3",
        "conflict third: it may match together with second, which comes first: lane 2 and lane 3",
      ]
    `);
  });

  it('a policy that comes first shadows none that it need not match with', () => {
    const below = { priority: 1, ...lane(2), conditions: depot('queue', 'lt', 3) };
    const above = (over: object) => ({ priority: 9, conditions: depot('queue', 'lt', 5), ...over });
    const shadowed = (over: object) => found({ above: above(over), below }).filter((one) => one.startsWith('shadowed'));
    expect(shadowed({})).toHaveLength(1);
    expect(shadowed({ effectiveFrom: '2026-01-01T00:00:00Z' })).toEqual([]);
    expect(shadowed({ scope: { operation: 'load_parcel' } })).toEqual([]);
    expect(shadowed({ scope: { labels: { tier: 'gold' } } })).toEqual([]);
    expect(shadowed({ conditions: depot('queue', 'lt', 2) })).toEqual([]);
    expect(
      shadowed({ conditions: { all: [depot('queue', 'lt', 5), { function: 'after', args: { at: 1 } }] } }),
    ).toEqual([]);
  });

  it('policies that rest on ones that never match, and those whose time is over', () => {
    expect(
      found({
        off: { enabled: false },
        never: { conditions: { all: [depot('queue', 'lt', 3), depot('queue', 'gt', 3)] } },
        gold: { scope: { labels: { tier: 'gold' } } },
        a: { dependsOn: ['off'] },
        b: { dependsOn: ['never'] },
        c: { dependsOn: ['gold'], scope: { labels: { tier: 'silver' } } },
        d: { effectiveUntil: '2026-05-01T00:00:00Z' },
      }),
    ).toMatchInlineSnapshot(`
      [
        "contradiction never: no value of depot.queue meets all of its conditions: never true",
        "unreachable a: it depends on off, which is disabled: it never matches",
        "unreachable b: it depends on never, whose conditions no state can meet",
        "unreachable c: it depends on gold, whose scope has other labels: they never match together",
        "unreachable d: its time is over: it does nothing any more",
      ]
    `);
  });
});
