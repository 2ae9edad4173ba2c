import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { gate, schemaOf, withPolicy } from '../../rego/toolchain/policy-fixture';
import { runCli } from '../run-cli';

const MORE = [
  '# METADATA',
  '# custom:',
  '#   gate: {optional: ["input.fleet.note"]}',
  'deny_reasons contains "note: bad" if input.fleet.note == "bad"',
  '',
  'f(x) if object.get(x, "mode", "off") == "on"',
  '',
  'deny_reasons contains "mode: on" if f(input.fleet)',
].join('\n');

async function explain(facts: object, output: 'json' | 'text') {
  const files = {
    'policy/gate.rego': gate('input.fleet.pending > data.config.limits.maxPending', MORE),
    'policy/input.json': schemaOf({ fleet: { type: 'object' } }),
  };
  return withPolicy(files, async (dir) => {
    const policy = join(dir, 'policy');
    await writeFile(join(dir, 'facts.json'), JSON.stringify(facts));
    return runCli(dir, ['evaluate', '--policy', policy, '--facts', 'facts.json', '--explain', '--output', output]);
  });
}

describe('gate evaluate --explain', () => {
  it('prints each lookup with its line and value, what is optional, and the second opinion', async () => {
    const { code, stdout } = await explain({ fleet: { pending: 3, mode: 'off' } }, 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: 'allow',
      evaluation: {
        evaluator: 'plan',
        second_opinion: 'agreed',
        looked_at: ['fleet'],
        lookups: expect.arrayContaining([
          { where: 'gate.rego:8', path: 'input.fleet.pending', value: 3 },
          { where: 'gate.rego:8', path: 'data.config.limits.maxPending', value: 2000 },
          { where: 'gate.rego:13', path: 'input.fleet.note' },
          { where: 'gate.rego:15', path: 'input.fleet.mode', value: 'off' },
        ]),
        noted: [],
        tolerated: [
          { where: 'gate.rego:13', kind: 'absent', path: 'input.fleet.note', rule: 'data.gate.deny_reasons' },
        ],
        used_declarations: ['gate.rego:10'],
      },
    });
  });

  it('names what was missing and why the module was not asked', async () => {
    const { code, stdout } = await explain({ fleet: { mode: 'off' } }, 'text');
    expect(code).toBe(2);
    expect(stdout.split('\n').map((line) => line.trim())).toEqual(
      expect.arrayContaining([
        'gate.rego:8: input.fleet.pending is missing',
        'gate.rego:15: input.fleet.mode = "off"',
        'noted gate.rego:8: input.fleet.pending: expected a value, found nothing (in data.gate.deny_reasons)',
        'tolerated gate.rego:13: input.fleet.note: expected a value, found nothing (in data.gate.deny_reasons) (declared at gate.rego:10)',
        'second opinion: not-asked',
      ]),
    );
  });
});
