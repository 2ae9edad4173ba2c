import { describe, expect, it } from '@jest/globals';
import { declarationsAt } from '../../../src/rego/declarations/declaration';
import { readDeclarations } from '../../../src/rego/declarations/read-declarations';
import { parseSources } from '../../../src/rego/toolchain/parse-sources';

const read = async (sources: Record<string, string>) => readDeclarations(await parseSources(sources), 'gate/response');

/** A METADATA block above what follows. */
const metadata = (custom: string, scope?: string): string =>
  ['# METADATA', ...(scope === undefined ? [] : [`# scope: ${scope}`]), '# custom:', `#   gate: ${custom}`, ''].join(
    '\n',
  );

describe('the declarations of a policy', () => {
  it('cover the lines of the rule below them, its else branches included', async () => {
    const source = `package gate

${metadata('{optional: ["input.fleet.note"]}', 'rule')}verdict := 1 if {
	input.fleet.note == "x"
} else := 2 if {
	input.fleet.count > 3
}

verdict := 3 if input.fleet.count < 0
`;
    const { declarations, faults } = await read({ 'gate.rego': source });
    expect(faults).toEqual([]);
    expect(declarations.rules.map(({ where, ranges }) => ({ where, ranges }))).toEqual([
      { where: 'gate.rego:3', ranges: [{ file: 'gate.rego', first: 7, last: 11 }] },
    ]);
    const textsAt = (line: number): string[] =>
      declarationsAt(declarations, 'gate.rego', line).flatMap(({ optional }) => optional.map(({ text }) => text));
    expect([6, 7, 11, 12, 13].map(textsAt)).toEqual([[], ['input.fleet.note'], ['input.fleet.note'], [], []]);
  });

  it('the declarations of a policy of scope document cover all rules of the name, in every file of the package', async () => {
    const first = `package gate\n\n${metadata('{comparisons: as-opa}', 'document')}deny contains "a" if input.a.b > 1\n`;
    const second = 'package gate\n\ndeny contains "b" if input.a.b > 2\n\nother if input.a.c\n';
    const { declarations } = await read({ 'a.rego': first, 'b.rego': second });
    expect(declarations.rules).toEqual([
      {
        where: 'a.rego:3',
        optional: [],
        builtinErrorsAreUndefined: false,
        comparesAsOpa: true,
        ranges: [
          { file: 'a.rego', first: 7, last: 7 },
          { file: 'b.rego', first: 3, last: 3 },
        ],
      },
    ]);
  });

  it.each([
    ['package', ['gate.rego']],
    ['subpackages', ['gate.rego', 'sub.rego']],
  ])('the declarations of a policy of scope %s cover the rules of %j', async (scope, expected) => {
    const { declarations } = await read({
      'gate.rego': `${metadata('{builtin_errors: undefined}', scope)}package gate\n\na := 1\n`,
      'sub.rego': 'package gate.sub\n\na := 1\n',
      'other.rego': 'package gated\n\na := 1\n',
    });
    expect(declarations.rules.flatMap(({ ranges }) => ranges.map(({ file }) => file))).toEqual(expected);
    expect(declarations.rules.every(({ builtinErrorsAreUndefined }) => builtinErrorsAreUndefined)).toBe(true);
  });

  it('the declarations of a policy say on the entrypoint alone that a denial with notes denies', async () => {
    const custom = metadata('{deny_with_notes: deny}');
    const onEntrypoint = await read({ 'gate.rego': `package gate\n\n${custom}response := {}\n` });
    expect(onEntrypoint).toMatchObject({ declarations: { deniesWithNotes: true }, faults: [] });
    const elsewhere = await read({ 'gate.rego': `package gate\n\n${custom}other := {}\n` });
    expect(elsewhere.declarations.deniesWithNotes).toBe(false);
    expect(elsewhere.faults[0]!.message).toContain('expected it on the entrypoint');
  });

  it('the declarations of a policy are checked, every fault with its file and line', async () => {
    const custom = '{optional: ["input.fleet", 7], builtin_errors: ignored, comparisons: 1, optionals: []}';
    const { faults } = await read({ 'gate.rego': `package gate\n\n${metadata(custom)}a := 1\n` });
    expect(faults.map(({ message }) => message)).toEqual([
      'gate.rego:3:1: METADATA custom.gate.optionals: expected one of optional, builtin_errors, comparisons, deny_with_notes',
      'gate.rego:3:1: METADATA custom.gate.builtin_errors: expected "undefined", found "ignored"',
      'gate.rego:3:1: METADATA custom.gate.comparisons: expected "as-opa", found 1',
      expect.stringContaining('found "input.fleet"'),
      expect.stringContaining('expected a path as text, found 7'),
    ]);
  });
});
