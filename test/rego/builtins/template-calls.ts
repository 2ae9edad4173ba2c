import { fromPlain } from '../../../src/rego/values/plain';
import { RegoObject } from '../../../src/rego/values/rego-object';
import { RegoSet } from '../../../src/rego/values/rego-set';
import type { RegoValue } from '../../../src/rego/values/value';
import type { Call } from './opa-calls';
import type { Random } from './random-calls';

const VALUES: unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    1,
    -2,
    1.5,
    1e21,
    '',
    'a',
    '<b>',
    [],
    {},
    [1, 'x', null, [], {}],
    { a: 1, b: { c: [true] } },
  ],
  ...[{ a: { b: 'deep' } }, ['p', 'q'], { z: 1, y: '', x: null }],
];

function template(random: Random, depth: number): string {
  const operand = () => random.pick(['.a', '.b', '.a.b', '.c', '.', '$.a', '.a.b.c', '$x', '$k', '.missing', '.a.x']);
  const inner = () => (depth > 0 ? template(random, depth - 1) : random.pick(['t', ' ', '\n']));
  const otherwise = () => (random.below(2) ? `{{else}}${inner()}` : '');
  const open = () => random.pick(['{{', '{{ ', '{{- ']);
  const close = () => random.pick(['}}', ' }}', ' -}}']);
  const part = () => {
    switch (random.below(7)) {
      case 0:
        return random.pick(['text', ' ', '\n x \n', '}}', '{{/* note */}}', ' { ', random.below(9) ? 't' : '{{end}}']);
      case 1:
        return `${open()}if ${operand()}${close()}${inner()}${otherwise()}{{end}}`;
      case 2:
        return `${open()}with ${operand()}${close()}${inner()}${otherwise()}{{end}}`;
      case 3:
        return `{{range ${random.pick(['', '$x := ', '$k, $x := '])}${operand()}}}${inner()}${otherwise()}{{end}}`;
      default:
        return `${open()}${operand()}${close()}`;
    }
  };
  return Array.from({ length: 1 + random.below(3) }, part).join('');
}

/** Calls of `strings.render_template` with the parts of the language that are answered. */
export function templateCall(random: Random): Call {
  const value = (): RegoValue => (random.below(25) === 0 ? new RegoSet([1]) : fromPlain(random.pick(VALUES)));
  const variables = new RegoObject(
    ['a', 'b', 'c'].slice(0, 1 + random.below(3)).map((name) => [name, value()] as const),
  );
  return { name: 'strings.render_template', operands: [template(random, 2), variables] };
}
