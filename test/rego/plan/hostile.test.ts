import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { inFolder } from '../../support/build-policy';
import { planOf } from './plan-fixture';

const run = promisify(execFile);
const TS = join(__dirname, '../../support/ts-require.cjs');
const PROGRAM = join(__dirname, 'evaluate-plans.ts');
/** An answer within the budget, the budget, a stack that is used up, or the deadline; anything else is a fault of ours. */
const EXPECTED_ENDS = /^answered$|budget of|ran longer than|call stack|number too big/;

/**
 * Policies that would grow beyond any bound. A growing array or text is not contained by a thread's limits: V8 ends the
 * process (nodejs/node#47224). They are evaluated in a
 * process of their own, behind the isolation of production; that it lives on is what counts.
 */
const HOSTILE: Record<string, string> = {
  'a long range': 'response := count(numbers.range(1, 1000000000))',
  'a long range with steps': 'response := count(numbers.range_step(1, 1000000000, 2))',
  'a product that keeps nothing':
    'response := count([1 | some a in n; some b in n; some c in n; a + b + c < 0])\nn := numbers.range(1, 2000)',
  'a product that keeps all': 'response := count([1 | some a in n; some b in n])\nn := numbers.range(1, 2000)',
  'a set of all sums':
    'response := count({x | some a in n; some b in n; x := (a * 10000) + b})\nn := numbers.range(1, 2000)',
  'an object of all sums':
    'response := count({x: 1 | some a in n; some b in n; x := sprintf("%d-%d", [a, b])})\nn := numbers.range(1, 2000)',
  'texts that double': doubling('concat("", [t%, t%])', '"aaaaaaaaaaaaaaaa"'),
  'texts that sprintf doubles': doubling('sprintf("%s%s", [t%, t%])', '"aaaaaaaaaaaaaaaa"'),
  'texts that replace grows': doubling('replace(t%, "a", "aa")', '"aaaaaaaaaaaaaaaa"'),
  'texts that regex.replace grows': doubling('regex.replace(t%, "a", "aa")', '"aaaaaaaaaaaaaaaa"'),
  'texts that strings.replace_n grows': doubling('strings.replace_n({"a": "aa"}, t%)', '"aaaaaaaaaaaaaaaa"'),
  'lists that double': doubling('array.concat(t%, t%)', '[1, 2, 3, 4]'),
  'lists of themselves, written out': `${doubling('[t%, t%]', '"a"', 'last')}\nresponse := count(json.marshal(last))`,
  'lists of themselves, printed': `${doubling('[t%, t%]', '"a"', 'last')}\nresponse := count(sprintf("%v", [last]))`,
  'lists of themselves in a set': `${doubling('[t%, t%]', '"a"', 'last')}\nresponse := count({last})`,
  'lists of themselves as a key': `${doubling('[t%, t%]', '"a"', 'last')}\nresponse := count({last: 1})`,
  'lists of themselves as the answer': doubling('[t%, t%]', '"a"'),
  'a walk through lists of themselves': `${doubling('[t%, t%]', '"a"', 'last')}\nresponse := count([1 | walk(last)])`,
  'numbers that double their digits': doubling('t% * t%', '12345678901234567890'),
  'a far shift': 'response := bits.lsh(1, 10000000000)',
  'a large number': 'response := to_number("1e99999999") + 1',
  'a large exponent': 'response := to_number("1e99999") + 1',
  'a text of a large number': 'response := count(sprintf("%d", [1e9999]))',
  'a wide sprintf': 'response := count(sprintf("%1000000000d", [1]))',
  'a precise sprintf': 'response := count(sprintf("%.1000000000f", [1.5]))',
  'a long indentation': `response := count(json.marshal_with_options([[1]], {"indent": ${JSON.stringify(' '.repeat(1000))}, "prefix": ${JSON.stringify(' '.repeat(1000))}}))`,
  'a split into characters': `${doubling('concat("", [t%, t%])', '"aaaaaaaaaaaaaaaa"', 'last', 19)}\nresponse := count(split(last, ""))`,
  'strings.any_prefix_match of many':
    'response := strings.any_prefix_match(n, n)\nn := [x | some i in numbers.range(1, 20000); x := sprintf("%d", [i])]',
  'networks merged and expanded': 'response := count(net.cidr_expand("10.0.0.0/8"))',
  'a union of many':
    'response := count(union({s | some a in numbers.range(1, 3000); s := {x | some x in numbers.range(a, a + 300)}}))',
  'a graph without end':
    'response := count(graph.reachable_paths({x: n | some x in n}, {1}))\nn := [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]',
  'all ways through a regex':
    'response := regex.match("(a+)+$", concat("", ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "b"]))',
  'aliases of YAML that multiply': `${yamlBomb(40)}\nresponse := count(yaml.unmarshal(bomb))`,
  'YAML that is deep': 'response := yaml.unmarshal(concat("", ["[" | some i in numbers.range(1, 200000)]))',
  'YAML that is wide':
    'response := count(yaml.unmarshal(concat("", ["- a: b\\n" | some i in numbers.range(1, 300000)])))',
  'YAML of lists of themselves': `${doubling('[t%, t%]', '"a"', 'last')}\nresponse := count(yaml.marshal(last))`,
  'a schema of itself': 'response := json.match_schema({}, {"$ref": "#"})',
  'schemas that multiply': `${schemaBomb(60)}\nresponse := json.match_schema({}, bomb)`,
  'a schema with a long regex':
    'response := json.match_schema("1", {"pattern": concat("|", [x | some i in numbers.range(1, 200000); x := sprintf("%d", [i])])})',
  'a schema with items for each item':
    'response := json.match_schema({"l": n}, {"properties": {"l": {"items": {"anyOf": [{"minimum": 9e9}, {"type": "string"}]}, "uniqueItems": true}}})\nn := numbers.range(1, 300000)',
  'a megabyte that is no certificate':
    'response := crypto.x509.parse_certificates(concat("", ["MIIB" | some i in numbers.range(1, 300000)]))',
  'ends of PEM without a beginning':
    'response := crypto.parse_private_keys(concat("", ["\\n-----END A: B-----" | some i in numbers.range(1, 100000)]))',
  'beginnings of PEM without an end':
    'response := crypto.x509.parse_keypair(p, p)\np := concat("", ["-----BEGIN A: B-----\\n" | some i in numbers.range(1, 100000)])',
  'a template of nested loops':
    'response := count(strings.render_template("{{range .l}}{{range $.l}}x{{end}}{{end}}", {"l": numbers.range(1, 100000)}))',
  'GraphQL that is deep': 'response := graphql.parse_query(concat("", ["{a" | some i in numbers.range(1, 200000)]))',
  'GraphQL that is wide':
    'response := graphql.schema_is_valid(concat("", ["type A { a: A } " | some i in numbers.range(1, 60000)]))',
  'a deep document': `${nesting(400)}\nresponse := count(json.marshal(t400))`,
};

/** `t1 := f(t0)`, and so on, so that the last is 2^count times as large. */
function doubling(expression: string, start: string, name = 'response', count = 60): string {
  const rules = Array.from({ length: count }, (_, i) => `t${i + 1} := ${expression.replaceAll('%', String(i))}`);
  return [`t0 := ${start}`, ...rules, `${name} := t${count}`].join('\n');
}

/** Each list holds the one before it ten times. */
function yamlBomb(count: number): string {
  const lists = Array.from({ length: count }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(10)}]`);
  return `bomb := ${JSON.stringify(['a0: &a0 x', ...lists].join('\n'))}`;
}

/** Each schema asks the one after it twice. */
function schemaBomb(count: number): string {
  const definitions = Object.fromEntries(
    Array.from({ length: count }, (_, i) => {
      const next = { $ref: `#/definitions/d${i + 1}` };
      return [`d${i}`, i + 1 === count ? { type: 'string' } : { anyOf: [next, next] }];
    }),
  );
  return `bomb := ${JSON.stringify({ definitions, $ref: '#/definitions/d0' })}`;
}

function nesting(depth: number): string {
  return ['t0 := [1]', ...Array.from({ length: depth }, (_, i) => `t${i + 1} := [t${i}]`)].join('\n');
}

describe('a hostile policy', () => {
  it('a hostile policy does not bring its host down, whatever it grows', async () => {
    await inFolder(async (folder) => {
      const names = Object.keys(HOSTILE);
      for (const [index, name] of names.entries()) {
        const plan = await planOf({ 'gate.rego': `package gate\n\n${HOSTILE[name]}\n` }, 'gate/response');
        await writeFile(join(folder, `${String(index).padStart(2, '0')}.json`), plan);
      }
      const { stdout } = await run(process.execPath, ['-r', TS, PROGRAM, folder]).catch(
        (error: { stdout: string; message: string }) => ({
          stdout: `${error.stdout}\nthe host ended: ${error.message}`,
        }),
      );
      const ends = stdout
        .trim()
        .split('\n')
        .map((line, index) => [names[index], line.replace(/^\S+ /, '')]);
      expect(ends.map(([name]) => name)).toEqual(names);
      for (const [name, end] of ends) expect([name, end]).toEqual([name, expect.stringMatching(EXPECTED_ENDS)]);
    });
  }, 600_000);
});
