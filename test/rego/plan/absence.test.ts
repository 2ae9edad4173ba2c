import { describe, expect, it } from '@jest/globals';
import type { JsonObject, JsonValue } from '../../../src/kernel/json';
import { loadPolicy } from '../../../src/rego/plan/load-policy';
import { fromPlain } from '../../../src/rego/values/plain';
import { DECISION_TIME_NS, evaluateRule, notesOf, textOf } from './evaluate-fixture';
import { planOf } from './plan-fixture';

interface Case {
  rules: string;
  input?: JsonValue;
  data?: JsonObject;
  notes: string[];
}

const RESPONSE = `response := {"allow": count(deny) == 0, "deny": deny}\n`;

/** Each allows in OPA; the notes are what keeps it from allowing here. */
const ALLOWED: Record<string, Case> = {
  'a limit that is read through a rule': {
    rules: `${RESPONSE}l := data.config.limits\ndeny contains "over" if input.pending > l.maxPending`,
    input: { pending: 3000 },
    data: { config: { limits: {} } },
    notes: ['absent data.config.limits.maxPending'],
  },
  'attributes that are read through a rule': {
    rules: `${RESPONSE}a := input.deployment.attributes\ndeny contains "risk" if a.risk == "high"`,
    input: { deployment: { attributes: {} } },
    notes: ['absent input.deployment.attributes.risk'],
  },
  'a stage that is not in the map': {
    rules: `${RESPONSE}deny contains "red" if input.health[input.deployment.stage] != "green"`,
    input: { health: { prod: 'red' }, deployment: { stage: 'canary' } },
    notes: ['absent input.health.canary'],
  },
  'a field that a helper reads': {
    rules: `${RESPONSE}status(x) := x.status\ndeny contains "red" if status(input.fleet) != "green"`,
    input: { fleet: {} },
    notes: ['absent input.fleet.status'],
  },
  'an array pattern that does not fit': {
    rules: `${RESPONSE}deny contains "red" if {\n\t[a, b] = input.pair\n\ta != b\n}`,
    input: { pair: [1] },
    notes: ['pattern input.pair'],
  },
  'an object pattern that does not fit': {
    rules: `${RESPONSE}deny contains "red" if {\n\t{"a": x, "b": y} = input.pair\n\tx != y\n}`,
    input: { pair: 'text' },
    notes: ['pattern input.pair'],
  },
  'a key of an object pattern': {
    rules: `${RESPONSE}deny contains "red" if {\n\t{"a": x, "b": y} = input.pair\n\tx != y\n}`,
    input: { pair: { a: 1, c: 2 } },
    notes: ['absent input.pair.b'],
  },
  'a default of object.get': {
    rules: `${RESPONSE}deny contains "over" if object.get(input.fleet, "pending", 0) > 10`,
    input: { fleet: {} },
    notes: ['absent input.fleet.pending'],
  },
  'a default of object.get, deep': {
    rules: `${RESPONSE}deny contains "over" if object.get(input, ["fleet", "eu", "pending"], 0) > 10`,
    input: { fleet: { eu: {} } },
    notes: ['absent input.fleet.eu.pending'],
  },
  'an index beyond a list': {
    rules: `${RESPONSE}deny contains "over" if input.list[2] > 10`,
    input: { list: [1, 2] },
    notes: ['absent input.list["2"]'],
  },
  'data that no file has': {
    rules: `${RESPONSE}deny contains "frozen" if data.freeze`,
    notes: ['absent data.freeze'],
  },
  'a part of data that no file has': {
    rules: `${RESPONSE}deny contains "over" if input.n > data.thresholds.max`,
    input: { n: 5 },
    data: { thresholds: {} },
    notes: ['absent data.thresholds.max'],
  },
  'data below a package, which is no rule': {
    rules: `${RESPONSE}deny contains "frozen" if data.gate.freeze.on`,
    notes: ['absent data.gate.freeze.on'],
  },
  'a version that is none': {
    rules: `${RESPONSE}deny contains "old" if semver.compare(input.version, "1.2.3") < 0`,
    input: { version: 'unknown' },
    notes: [
      expect.stringMatching(/^builtin-error semver\.compare\("unknown", "1\.2\.3"\) failed: /) as unknown as string,
    ],
  },
  'a division by zero': {
    rules: `${RESPONSE}deny contains "over" if input.errors / input.requests > 0.1`,
    input: { errors: 5, requests: 0 },
    notes: ['builtin-error div(5, 0) failed: divide by zero'],
  },
  'a time that is none': {
    rules: `${RESPONSE}deny contains "late" if time.parse_rfc3339_ns(input.since) < time.now_ns()`,
    input: { since: 'never' },
    notes: [expect.stringMatching(/^builtin-error time\.parse_rfc3339_ns\("never"\) failed: /) as unknown as string],
  },
  'a base64 text that is none': {
    rules: `${RESPONSE}deny contains "bad" if not ok\nok if not base64.decode(input.text)`,
    input: { text: 'abc' },
    notes: [expect.stringMatching(/^builtin-error base64\.decode\("abc"\) failed: /) as unknown as string],
  },
  'the greatest of nothing': {
    rules: `${RESPONSE}deny contains "over" if max([x | some x in input.list; x > 5]) > 7`,
    input: { list: [1, 2] },
    notes: ['builtin-undefined max(an array of 0) has no result'],
  },
  'a constant map of the policy': {
    rules: `${RESPONSE}deny contains "over" if input.n > {"low": 500}[input.risk]`,
    input: { n: 600, risk: 'high' },
    notes: ['absent data.gate.deny.high'],
  },
  'a map that a rule makes': {
    rules: `${RESPONSE}by_region[r] := n if some r, n in input.regions\ndeny contains "over" if by_region.eu > 10`,
    input: { regions: { us: 5 } },
    notes: ['absent data.gate.by_region.eu'],
  },
  'a copy that a built-in made': {
    rules: `${RESPONSE}deny contains "over" if object.union(input.a, {"x": 1}).n > 10`,
    input: { a: {} },
    notes: ['absent data.gate.deny.n'],
  },
  'a text where an object was expected': {
    rules: `${RESPONSE}deny contains "red" if input.fleet.status != "green"`,
    input: { fleet: 'all well' },
    notes: ['scalar input.fleet.status'],
  },
  'a text that is iterated over': {
    rules: `${RESPONSE}deny contains "red" if {\n\tsome h in input.health\n\th != "green"\n}`,
    input: { health: 'green' },
    notes: ['scalar input.health'],
  },
  'a null': {
    rules: `${RESPONSE}deny contains "red" if input.health.eu == "red"`,
    input: { health: { eu: null } },
    notes: ['null input.health.eu'],
  },
  'a null in a collection': {
    rules: `${RESPONSE}deny contains "red" if {\n\tsome h in input.health\n\th == "red"\n}`,
    input: { health: { eu: null } },
    notes: ['null input.health.eu'],
  },
  'an empty collection that is iterated over': {
    rules: `${RESPONSE}deny contains "red" if {\n\tsome h in input.health\n\th == "red"\n}`,
    input: { health: {} },
    notes: ['empty input.health'],
  },
  'an empty collection through a helper': {
    rules: `${RESPONSE}any_red(xs) if "red" in xs\ndeny contains "red" if any_red(input.health)`,
    input: { health: [] },
    notes: ['empty input.health'],
  },
  'the sum of an empty collection': {
    rules: `${RESPONSE}deny contains "over" if sum(input.list) > 10`,
    input: { list: [] },
    notes: ['empty input.list'],
  },
  'an ordering of different types': {
    rules: `${RESPONSE}deny contains "over" if input.n < 10`,
    input: { n: '6' },
    notes: ['comparison "6" < 10 compares a string with a number'],
  },
  'an equality of different types': {
    rules: `${RESPONSE}deny contains "red" if input.red == true`,
    input: { red: 'yes' },
    notes: ['comparison "yes" == true compares a string with a boolean'],
  },
  'an inequality of different types': {
    rules: `${RESPONSE}deny contains "red" if not input.n != 5`,
    input: { n: '5' },
    notes: ['comparison "5" != 5 compares a string with a number'],
  },
  'the greatest of different types': {
    rules: `${RESPONSE}deny contains "over" if max(input.list) == 10`,
    input: { list: [10, '2'] },
    notes: [
      'comparison "2" == 10 compares a string with a number',
      'comparison max(an array of 2) compares values of different types',
    ],
  },
};

describe('an evaluation that OPA allows notes', () => {
  it.each(Object.entries(ALLOWED))('%s', async (_, { rules, input, data, notes }) => {
    const evaluation = await evaluateRule(rules, { input, data });
    expect(textOf(evaluation.result)).toBe('{"allow":true,"deny":[]}');
    expect(notesOf(evaluation)).toEqual(notes);
  });
});

describe('an evaluation notes nothing', () => {
  it.each<[string, Omit<Case, 'notes'>]>([
    ['of membership in a set', { rules: 'response := {"a", "b"}[input.x]', input: { x: 'c' } }],
    ['of the count of an empty collection', { rules: 'response := count(input.list)', input: { list: [] } }],
    [
      'of an empty collection of its own',
      { rules: 'response := [x | some x in [y | some y in input.xs; y > 5]]', input: { xs: [1] } },
    ],
    [
      'of a sum over a collection of its own',
      { rules: 'response := sum([y | some y in input.xs; y > 5])', input: { xs: [1] } },
    ],
    [
      "of the planner's look for base data beside rules",
      { rules: 'response := data.gate.part\npart.a := 1\npart.b := 2' },
    ],
    ['of a whole package', { rules: 'response := data.gate.x\nx := 1\ny := 2' }],
    ['of a comparison with null', { rules: 'response := x if x := input.a != null', input: { a: 1 } }],
    [
      'of an argument that decides which definition applies',
      { rules: 'response := f(input.a)\nf("x") := 1\nf(1) := 2\nf(true) := 3', input: { a: 1 } },
    ],
    [
      'of nested documents that rules make',
      {
        rules:
          'response := p\np[x][y] := 1 if {\n\tsome x in ["a", "b"]\n\tsome y in ["c", "d"]\n}\nq[x] contains 1 if some x in ["a"]',
      },
    ],
    [
      'of a dynamic reference that finds a rule',
      { rules: 'response := data.gate.teams[input.team]\nteams.red := 1\nteams.blue := 2', input: { team: 'red' } },
    ],
    [
      'of every over values that are there',
      { rules: 'response if every x in input.xs { x > 0 }', input: { xs: [1, 2] } },
    ],
    [
      'of a value that is false',
      { rules: 'default response := "no"\nresponse := "yes" if input.flag', input: { flag: false } },
    ],
    [
      'of an undefined rule',
      { rules: 'default response := "no"\nresponse := "yes" if other\nother if input.n > 5', input: { n: 1 } },
    ],
  ])('%s', async (_, { rules, input, data }) => {
    expect(notesOf(await evaluateRule(rules, { input, data }))).toEqual([]);
  });
});

describe('a dynamic reference', () => {
  const PACKAGES = {
    'red.rego': 'package teams.red\n\ndeny contains "red"',
    'blue.rego': 'package teams.blue\n\ndeny contains "blue"',
    'deep.rego': 'package mixed.red.sub\n\ndeny contains "deep"',
    'flat.rego': 'package mixed.blue\n\ndeny contains "flat"',
  };
  const REFERENCES: Record<string, string> = {
    'data.teams[input.team].deny': 'deny contains r if some r in data.teams[input.team].deny',
    'data.teams[input.team]': 'deny contains r if {\n\tteam := data.teams[input.team]\n\tsome r in team.deny\n}',
    'data.mixed[input.team].sub.deny': 'deny contains r if some r in data.mixed[input.team].sub.deny',
    'data.mixed[input.team]': 'deny contains r if {\n\tteam := data.mixed[input.team]\n\tsome r in team.sub.deny\n}',
    'data.gate.rules[input.team]':
      'deny contains r if some r in data.gate.rules[input.team]\nrules.red := {"red"}\nrules.blue := {"blue"}',
  };

  it.each(Object.entries(REFERENCES))('that finds neither rule nor data is noted: %s', async (reference, rules) => {
    const gate = `package gate\n\n${RESPONSE}\n${rules}\n`;
    const plan = await planOf({ ...PACKAGES, 'gate.rego': gate }, 'gate/response');
    const evaluate = (team: string, data: JsonObject) =>
      loadPolicy(plan, fromPlain(data)).evaluate(fromPlain({ team }), {
        entrypoint: 'gate/response',
        decisionTimeNs: DECISION_TIME_NS,
      });
    const path = (team: string) => `absent ${reference.replace('[input.team]', `.${team}`)}`;
    expect(notesOf(evaluate('green', {}))).toEqual([path('green')]);
    expect(textOf(evaluate('green', {}).result)).toBe('{"allow":true,"deny":[]}');
    expect(notesOf(evaluate('red', {}))).toEqual([]);
    expect(textOf(evaluate('red', {}).result)).toMatch(/"allow":false/);
    const base = { deny: ['base'], sub: { deny: ['base'] } };
    const data = { teams: { green: base }, mixed: { green: base } };
    if (!reference.includes('gate')) {
      expect(notesOf(evaluate('green', data))).toEqual([]);
      expect(textOf(evaluate('green', data).result)).toBe('{"allow":false,"deny":["base"]}');
    }
  });
});
