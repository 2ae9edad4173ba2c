import { describe, expect, it } from '@jest/globals';
import { GateError } from '../../../src/kernel/failures';
import { buildPolicy } from '../../../src/rego/toolchain/build-policy';
import { schemaOf, withPolicy } from '../toolchain/policy-fixture';

const input = schemaOf({ level: { type: 'number' }, name: { type: 'string' } });

const policy = (condition: string, before = '', after = ''): string => `package gate

${before}

# METADATA
# entrypoint: true
response := {"allow": allow, "deny_reasons": deny_reasons}

default allow := false

allow if count(deny_reasons) == 0

deny_reasons contains "too_high: x" if {
	${condition}
}

${after}
`;

async function faultsOf(text: string): Promise<string[]> {
  try {
    await withPolicy({ 'gate.rego': text, 'input.json': input }, (dir) => buildPolicy(dir));
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(GateError);
    return (error as GateError).faults.map(({ message }) => message);
  }
}

describe('a read of the configuration', () => {
  it.each([
    ['by full name', policy('input.level > data.config.limits.max')],
    ['in brackets', policy('input.level > data["config"]["limits"]["max"]')],
    ['through an import', policy('input.level > limits.max', 'import data.config.limits')],
    ['through a variable', policy('limits := data.config.limits\n\tinput.level > limits.max')],
    ['through a rule', policy('input.level > limits.max', '', 'limits := data.config.limits')],
  ])('%s builds', async (_how, text) => {
    expect(await faultsOf(text)).toEqual([]);
  });

  it('in the policy’s own data by a number is refused, as wasm does not find it in an object', async () => {
    const faults = await faultsOf(policy('input.level > data.thresholds[2]'));
    expect(faults.join('\n')).toMatch(/^gate\.rego:\d+: data\.thresholds\.2 has a number as key/m);
    expect(await faultsOf(policy('list := data.thresholds\n\tinput.level > list[2]'))).toEqual([]);
  });

  it.each([
    ['by a fact', policy('input.level > data.config.limits[input.name]'), 'data.config.limits'],
    ['by a variable', policy('some name in ["max"]\n\tinput.level > data.config.limits[name]'), 'data.config.limits'],
    [
      'of every element',
      policy('input.level > data.config.parameters.regions[_].max'),
      'data.config.parameters.regions',
    ],
    [
      'through an import',
      policy('input.level > l[input.name]', 'import data.config.limits as l'),
      'data.config.limits',
    ],
    [
      'through an import without another name',
      policy('input.level > config.limits[input.name]', 'import data.config'),
      'data.config.limits',
    ],
    [
      'through a variable',
      policy('limits := data.config.limits\n\tinput.level > limits[input.name]'),
      'data.config.limits',
    ],
    [
      'through a variable of a variable',
      policy('c := data["config"]\n\tl := c.limits\n\tinput.level > l[input.name]'),
      'data.config.limits',
    ],
    [
      'through a rule',
      policy('input.level > limits[input.name]', '', 'limits := data.config.limits'),
      'data.config.limits',
    ],
  ])('by a key that is not written out is refused, %s, with its line', async (_how, text, path) => {
    const faults = await faultsOf(text);
    expect(faults.join('\n')).toMatch(
      new RegExp(`^gate\\.rego:\\d+: ${path.replaceAll('.', '\\.')} is read by a key that is not written out`, 'm'),
    );
  });
});
