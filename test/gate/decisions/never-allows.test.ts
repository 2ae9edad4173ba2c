import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { join } from 'node:path';
import { evaluateSnapshot } from '../../../src/gate/decisions/evaluate-snapshot';
import type { Decision } from '../../../src/gate/decisions/decision';
import type { JsonObject, JsonValue } from '../../../src/kernel/json';
import type { Release } from '../../../src/releases/release';
import { buildPolicy } from '../../../src/rego/toolchain/build-policy';
import { evaluateHere } from '../../rego/evaluation/evaluate-here';
import { gate, schemaOf, withPolicy } from '../../rego/toolchain/policy-fixture';
import { aFact, aSnapshot } from './a-snapshot';

interface World {
  facts: JsonObject;
  attributes: JsonObject;
  config: JsonObject;
}
interface PolicyCase {
  name: string;
  /** a folder, or the files of one */
  source: string | Record<string, string>;
  /** an input that is allowed, in which every value is read */
  good: World;
}

const closed = (properties: object): object => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

const CASES: PolicyCase[] = [
  {
    name: 'the shipped policy',
    source: join(__dirname, '..', '../../policy'),
    good: {
      facts: {
        pending_delta: 1,
        max_pending: 1,
        region_health: { eu: { status: 'green' }, us: { status: 'green' } },
      },
      attributes: {},
      config: { limits: { maxDelta: 500, maxPending: 2000 } },
    },
  },
  {
    name: 'nested objects and an attribute',
    source: {
      'gate.rego': gate(
        'input.fleet.devices.pending > data.config.limits.fleet.max',
        'deny_reasons contains "risk: high" if input.deployment.attributes.change.risk == "high"',
      ),
      'input.json': schemaOf({ fleet: closed({ devices: closed({ pending: { type: 'integer' } }) }) }),
    },
    good: {
      facts: { fleet: { devices: { pending: 1 } } },
      attributes: { change: { risk: 'low' } },
      config: { limits: { fleet: { max: 5 } } },
    },
  },
  {
    name: 'lists within lists, helpers and every',
    source: {
      'gate.rego': gate(
        'some site in input.sites; some rack in site.racks; too_hot(rack)',
        [
          'too_hot(rack) if rack.celsius > data.config.limits.celsius',
          'deny_reasons contains "door: open" if not doors_closed',
          'doors_closed if { every site in input.sites { site.door == "closed" } }',
        ].join('\n\n'),
      ),
      'input.json': schemaOf({
        sites: {
          type: 'array',
          items: closed({
            door: { type: 'string' },
            racks: { type: 'array', items: closed({ celsius: { type: 'number' } }) },
          }),
        },
      }),
    },
    good: {
      facts: {
        sites: [
          { door: 'closed', racks: [{ celsius: 20.5 }] },
          { door: 'closed', racks: [{ celsius: 1 }] },
        ],
      },
      attributes: {},
      config: { limits: { celsius: 40 } },
    },
  },
  {
    name: 'a policy that reads its input as a whole',
    source: {
      'gate.rego': gate(
        'some name in ["errors", "warnings"]; input[name] > most[name]',
        'most := {"errors": data.config.limits.errors, "warnings": data.config.limits.warnings}',
      ),
      'input.json': schemaOf({ errors: { type: 'integer' }, warnings: { type: 'integer' } }),
    },
    good: { facts: { errors: 0, warnings: 1 }, attributes: {}, config: { limits: { errors: 0, warnings: 5 } } },
  },
];

type Decide = (world: World) => Promise<Decision>;

async function prepare(source: PolicyCase['source']): Promise<Decide> {
  const built = await (typeof source === 'string'
    ? buildPolicy(source)
    : withPolicy(source, (dir) => buildPolicy(dir)));
  const policy = built.bundle;
  const evaluate = await evaluateHere(policy);
  return ({ facts, attributes, config }) => {
    const snapshot = aSnapshot(Object.entries(facts).map(([id, value]) => aFact(id, value)));
    const release = {
      ref: snapshot.release,
      policy,
      config: { allowedClockSkew: '2s', evaluation: { deadline: '10m' } },
      configDocument: config,
      loadedAtMs: 0,
    } as unknown as Release;
    return evaluateSnapshot({
      release,
      snapshot: { ...snapshot, target: { ...snapshot.target, attributes } },
      evaluate,
    });
  };
}

/** Every place in a world below its three parts, as keys from the top. */
function placesIn(value: JsonValue, path: string[] = []): string[][] {
  const below = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [
    ...(path.length > 1 ? [path] : []),
    ...below.flatMap(([key, child]) => placesIn(child as JsonValue, [...path, key])),
  ];
}

/** `world` with `value` at `path`; without the place, and out of a list the entry's content, when it is undefined. */
function changed(world: World, path: readonly string[], value: JsonValue | undefined): World {
  const copy = structuredClone(world);
  let parent = copy as unknown as JsonObject;
  for (const key of path.slice(0, -1)) parent = parent[key] as JsonObject;
  const last = path.at(-1)!;
  if (value !== undefined) parent[last] = value;
  else if (Array.isArray(parent)) parent[last] = {};
  else delete parent[last];
  return copy;
}

const at = (world: World, path: readonly string[]): JsonValue =>
  path.reduce<JsonValue>((value, key) => (value as JsonObject)[key]!, world as unknown as JsonObject);

const kindOf = (value: JsonValue): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

/** An entry of a map may be absent: that is another state of the world, not a fact left out. */
const isMapEntry = (path: readonly string[]): boolean => path[1] === 'region_health' && path.length === 3;
/** Attributes have no schema, so only what is absent or null along their paths can be told from what is meant. */
const isUntyped = (path: readonly string[], good: JsonValue): boolean =>
  path[0] === 'attributes' && (typeof good !== 'object' || good === null);

describe.each(CASES)('$name', ({ source, good }) => {
  let decide: Decide;
  beforeAll(async () => {
    decide = await prepare(source);
  });
  const places = placesIn(good as unknown as JsonObject);

  it('allows what is good', async () => {
    expect(await decide(good)).toMatchObject({ outcome: 'allow', faults: [] });
  });

  it.each(places.filter((path) => !isMapEntry(path)).map((path) => [path.join('.'), path] as const))(
    'never allows without %s',
    async (_name, path) => {
      expect((await decide(changed(good, path, undefined))).outcome).not.toBe('allow');
    },
  );

  it.each(places.map((path) => [path.join('.'), path] as const))('never allows null at %s', async (_name, path) => {
    expect((await decide(changed(good, path, null))).outcome).not.toBe('allow');
  });

  it.each(places.filter((path) => typeof at(good, path) === 'object').map((path) => [path.join('.'), path] as const))(
    'never allows %s to be empty',
    async (_name, path) => {
      const empty = Array.isArray(at(good, path)) ? [] : {};
      expect((await decide(changed(good, path, empty))).outcome).not.toBe('allow');
    },
  );

  it('never allows a value of another type anywhere', async () => {
    const typed = places.filter((path) => !isUntyped(path, at(good, path)));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...typed), fc.jsonValue(), async (path, value) => {
        const json = JSON.parse(JSON.stringify(value)) as JsonValue;
        fc.pre(kindOf(json) !== kindOf(at(good, path)));
        expect((await decide(changed(good, path, json))).outcome).not.toBe('allow');
      }),
      { numRuns: 150 },
    );
  });

  // found by the property above: in Rego's order these are greater than every number
  it.each(['[0]', '{"":0}', '{"":{"":0}}', '"0"', 'true', '[]', '{}'])('never allows %s as a limit', async (json) => {
    const limits = places.filter((path) => path[1] === 'limits' && typeof at(good, path) === 'number');
    expect(limits.length).toBeGreaterThan(0);
    for (const path of limits) {
      expect((await decide(changed(good, path, JSON.parse(json) as JsonValue))).outcome).not.toBe('allow');
    }
  });

  it('never allows several of these faults together', async () => {
    const some = fc.array(fc.constantFrom(...places.filter((path) => !isMapEntry(path))), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(some, fc.constantFrom<(JsonValue | undefined)[]>(undefined, null), async (paths, value) => {
        // the deepest first, so that each place is still there
        const inOrder = [...paths].sort((a, b) => b.length - a.length);
        const world = inOrder.reduce((before, path) => changed(before, path, value), good);
        expect((await decide(world)).outcome).not.toBe('allow');
      }),
      { numRuns: 60 },
    );
  });
});
