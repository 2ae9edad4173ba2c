import { describe, expect, it } from '@jest/globals';
import { evaluateWhen, readWhen, WHEN_LIMITS } from '../../../src/plans/execution/when';
import type { JsonObject } from '../../../src/kernel/json';

const parameters: JsonObject = {
  env: 'prod',
  count: 3,
  ratio: 1.5,
  big: 2 ** 60,
  list: [1, 2],
  nothing: null,
  nested: { on: true },
};
const nodes = {
  canary: { phase: 'Succeeded' as const, outputs: { version: 'v2', devices: 12 } },
  'roll-out': { phase: 'Failed' as const, outputs: {} },
};
const holds = (text: string) => evaluateWhen(text, { parameters, nodes });

describe('the expression of when', () => {
  it.each<[string, boolean]>([
    ['parameters.env == "prod"', true],
    ['parameters.env == "dev"', false],
    ['parameters.count + 1 == 4', true],
    ['parameters.count % 2 == 1', true],
    ['parameters.count == 3.0', true],
    ['parameters.ratio > 1', true],
    ['parameters.big > 1000000', true],
    ['parameters.nothing == null', true],
    ['parameters.nested.on', true],
    ['has(parameters.missing)', false],
    ['!has(parameters.missing) || parameters.missing > 1', true],
    ['parameters.list.exists(each, each == 2)', true],
    ['size(parameters.list) == 2 && 1 in parameters.list', true],
    ['nodes.canary.phase == "Succeeded"', true],
    ['nodes["roll-out"].phase == "Failed"', true],
    ['nodes.canary.outputs.devices > 10', true],
    ['has(nodes.canary.outputs.version)', true],
    ['"version" in nodes["roll-out"].outputs', false],
    ['nodes.canary.outputs.version.startsWith("v")', true],
    ['"parameters.env" == "nodes.x"', false],
    ['true', true],
  ])('%s is %s', (text, wanted) => {
    expect(readWhen(text).faults).toBeUndefined();
    expect(holds(text)).toEqual({ holds: wanted });
  });

  it.each<[string, string]>([
    ['parameters.missing == 1', 'No such key: missing at character 12'],
    ['parameters.missing.further', 'No such key: missing at character 12'],
    ['parameters.env > 3', 'no such overload: dyn<string> > int at character 1'],
    ['parameters.env', 'expected true or false, got a text'],
    ['parameters.count', 'expected true or false, got a number'],
    ['parameters.nothing', 'expected true or false, got null'],
    ['parameters.list', 'expected true or false, got a list'],
    ['parameters.count / 0 == 1', 'division by zero at character 1'],
    ['parameters.constructor == "x"', 'No such key: constructor at character 12'],
    ['parameters.__proto__ == "x"', 'No such key: __proto__ at character 12'],
    ['parameters.env.matches("(")', 'Invalid regular expression: ( at character 1'],
  ])('%s can be read, and has no answer: %s', (text, wanted) => {
    expect(readWhen(text).faults).toBeUndefined();
    expect(holds(text)).toEqual({ fault: wanted });
  });

  it.each<[string, string]>([
    ['', 'Unexpected token: EOF at character 1'],
    ['1 +', 'Unexpected token: EOF at character 4'],
    ['parameters.env == "prod', 'Unterminated string at character 19'],
    ['environment == "prod"', 'Unknown variable: environment'],
    ['now() > 1', "found no matching overload for 'now()'"],
    ['"1" == 1', 'no such overload: string == int'],
    ['1', 'expected an expression that is true or false, got one of type int'],
    [
      'nodes.roll-out.phase == "Failed"',
      'Unknown variable: out at character 12; write nodes["roll-out"] for nodes.roll-out',
    ],
    ['has(nodes["a-b"].outputs.c)', 'has() invalid argument at character 5; write "KEY" in nodes["ID"].outputs for'],
    ['nodes.canary.message == ""', 'expected nodes.canary.phase or .outputs, got .message at character 1'],
    [
      'nodes[parameters.env].phase == ""',
      'expected nodes to be read as nodes.ID.phase or nodes["ID"].outputs at character 1',
    ],
    ['"canary" in nodes', 'expected nodes to be read as nodes.ID.phase or nodes["ID"].outputs at character 13'],
    ['nodes.all(each, true)', 'expected nodes to be read as nodes.ID.phase or nodes["ID"].outputs at character 1'],
  ])('%s is refused before anything runs: %s', (text, wanted) => {
    expect(readWhen(text).faults?.join('; ')).toContain(wanted);
  });

  it.each<[string, string]>([
    ['of 1 MB', `"${'x'.repeat(1_000_000)}" == "y"`],
    ['nested a thousand times', `${'('.repeat(1_000)}true${')'.repeat(1_000)}`],
    ['negated a thousand times', `${'!'.repeat(1_000)}true`],
    ['of a thousand parts', `${'1+'.repeat(1_000)}1 == 1`],
    ['one byte too long', `"${'ä'.repeat(WHEN_LIMITS.bytes / 2 - 4)}" != ""x`],
  ])('an expression %s is refused by a limit', (_what, text) => {
    expect(readWhen(text).faults?.[0]).toMatch(/at most 4096 bytes|Exceeded max/);
  });

  it('names each node that it reads once, also within macros and calls', () => {
    const text =
      'nodes.a.phase == "x" && parameters.l.all(each, each in nodes["b-c"].outputs.l || has(nodes.d.outputs.e)) && nodes.a.outputs.f';
    expect(readWhen(text)).toEqual({ nodes: ['a', 'b-c', 'd'] });
  });
});
