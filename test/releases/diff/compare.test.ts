import { describe, expect, it } from '@jest/globals';
import { compareRules, readSource, type PolicySource } from '../../../src/releases/diff/rules';
import { builtInNames, parseSources } from '../../../src/rego/toolchain/parse-sources';

describe('compareRules', () => {
  const source = async (text: string): Promise<PolicySource> =>
    readSource(await parseSources({ 'gate.rego': `package gate\n${text}` }));
  const changes = async (a: string, b: string): Promise<string[]> =>
    compareRules((await source(a)).rules, (await source(b)).rules).map(({ change, rule }) => `${change} ${rule}`);

  it.each([
    ['layout and comments', 'p if { input.a; input.b }', '# c\np if {\n\tinput.a # d\n\n\tinput.b\n}', []],
    ['another order', 'p := 1\nq := 2', 'q := 2\np := 1', []],
    ['wildcards that are numbered anew', 'p if input.a[_]', 'q if input.b[_]\np if input.a[_]', ['added gate.q']],
    ['metadata', 'p := 1', '# METADATA\n# title: t\np := 1', []],
    ['another value', 'p := 1', 'p := 2', ['changed gate.p']],
    ['another default', 'default p := false', 'default p := true', ['changed gate.p']],
    ['a default that is left out', 'default p := false\np if input.a', 'p if input.a', ['removed gate.p']],
    ['another else', 'p := 1 if input.a else := 2', 'p := 1 if input.a else := 3', ['changed gate.p']],
    [
      'another import',
      'import input.a as f\np := f',
      'import input.b as f\np := f',
      ['removed import', 'added import'],
    ],
    [
      'a rule twice',
      's contains "x" if input.a',
      's contains "x" if input.a\ns contains "x" if input.a',
      ['added gate.s'],
    ],
    [
      'one changed and one more of the same name',
      's contains "x" if input.a\ns contains "y" if input.b',
      's contains "z" if input.c\ns contains "y" if input.d\ns contains "x" if input.a',
      ['changed gate.s', 'added gate.s'],
    ],
    ['another number beyond 2^53', 'p := 9007199254740993', 'p := 9007199254740995', ['changed gate.p']],
  ])('compareRules sees %s', async (_what, a, b, expected) => {
    expect(await changes(a, b)).toEqual(expected);
  });

  it('compareRules tells where a rule is and how it is written', async () => {
    const a = await source('import input.a as f\ndefault p := false');
    const [first, second] = compareRules(a.rules, []);
    expect(second).toEqual({
      change: 'removed',
      rule: 'import',
      a: { file: 'gate.rego', row: 2, text: 'import input.a as f' },
    });
    expect(first).toMatchObject({ rule: 'gate.p', a: { row: 3, text: 'default p := false' } });
  });

  it('compareRules knows what is called, and the texts and numbers that are written out, not the names of fields', async () => {
    const { calls, texts, numbers } = await source(
      'p if { x := upper(input.a.field); x == "RED"; count(input.c) > 3; h(x) }\nh(_) := true',
    );
    expect([...texts]).toEqual(['RED']);
    expect([...numbers]).toEqual([3]);
    const builtIns = await builtInNames();
    expect([...calls].filter((name) => builtIns.has(name)).sort()).toEqual(['count', 'upper']);
  });

  it('compareRules names every file that is no Rego, as the bundle does', async () => {
    await expect(parseSources({ 'a/b.rego': 'package', 'c.rego': 'nothing' })).rejects.toMatchObject({
      type: 'PolicyInvalid',
      faults: expect.arrayContaining([
        expect.objectContaining({ where: expect.stringMatching(/^a\/b\.rego:1(:\d+)?$/) }),
        expect.objectContaining({ where: expect.stringMatching(/^c\.rego:1(:\d+)?$/) }),
      ]),
    });
  });
});
