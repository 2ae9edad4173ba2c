import { describe, expect, it } from '@jest/globals';
import { notesToFaults } from '../../../src/gate/decisions/notes-to-faults';
import type { Note } from '../../../src/rego/plan/absence/note';

const note = (over: Partial<Note>): Note => ({
  kind: 'absent',
  at: { file: 'gate.rego', row: 12, col: 2 },
  rule: 'data.gate.deny_reasons',
  message: 'expected a value, found nothing',
  ...over,
});
const faultOf = (over: Partial<Note>) =>
  notesToFaults({ absent: [note(over)], builtinErrors: [], comparisons: [], isTruncated: false })[0]!;

describe('a note of an evaluation becomes a fault', () => {
  it.each<[string, Partial<Note>, string]>([
    ['a fact that is not there', { path: ['input', 'fleet'] }, 'FactMissing'],
    ['a fact that is null', { path: ['input', 'fleet'], kind: 'null' }, 'FactInvalid'],
    ['a field of a fact', { path: ['input', 'fleet', 'pending'] }, 'FactInvalid'],
    ['an attribute', { path: ['input', 'deployment', 'attributes', 'risk'] }, 'FactInvalid'],
    ['a limit', { path: ['data', 'config', 'limits', 'max'] }, 'ConfigInvalid'],
    ['other data', { path: ['data', 'freeze'] }, 'PolicyEvaluation'],
    ['a value of the policy', { path: ['data', 'gate', 'by_region', 'eu'], isMade: true }, 'PolicyEvaluation'],
    ['an error of a built-in', { kind: 'builtin-error', builtin: 'semver.compare' }, 'PolicyEvaluation'],
    ['a comparison', { kind: 'comparison' }, 'PolicyEvaluation'],
  ])('%s: with its type', (_, over, type) => expect(faultOf(over).type).toBe(type));

  it('that has the line, what was found and what to do', () => {
    expect(
      faultOf({ path: ['input', 'fleet', 'a b'], message: 'input.fleet["a b"]: expected a value, found nothing' }),
    ).toEqual({
      type: 'FactInvalid',
      factId: 'fleet',
      where: 'gate.rego:12',
      message:
        'gate.rego:12: input.fleet["a b"]: expected a value, found nothing; where that is normal, data.gate.deny_reasons ' +
        'declares custom.gate.optional: ["input.fleet[\\"a b\\"]"], or looks before it reads',
    });
  });

  it('that proposes any position where the path has one in a list', () => {
    const { message } = faultOf({ path: ['input', 'pod', 'containers', '12', 'ports'] });
    expect(message).toContain('declares custom.gate.optional: ["input.pod.containers.*.ports"]');
  });

  it('that proposes no declaration for a whole fact, which is never optional', () => {
    const whole = faultOf({ path: ['input', 'sites'], kind: 'empty' });
    expect(whole.message).toMatch(/; where that is normal, the schema says minItems: 0 or minProperties: 0$/);
    const { message } = faultOf({ path: ['input', 'fleet', 'sites'], kind: 'empty' });
    expect(message).toContain('declares custom.gate.optional: ["input.fleet.sites"]');
  });

  it('that names a fact only for what is in one', () => {
    expect(faultOf({ path: ['input', 'deployment', 'attributes', 'risk'] }).factId).toBeUndefined();
    expect(faultOf({ path: ['data', 'config', 'limits'] }).factId).toBeUndefined();
  });

  it('unless there are too many, which one more says', () => {
    const absent = Array.from({ length: 60 }, (_, row) =>
      note({ path: ['input', 'a', 'b'], at: { file: 'x', row, col: 1 } }),
    );
    const faults = notesToFaults({ absent, builtinErrors: [], comparisons: [], isTruncated: false });
    expect(faults).toHaveLength(51);
    expect(faults.at(-1)!.message).toContain('10 more places');
  });
});
