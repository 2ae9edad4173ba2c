import { describe, expect, it } from '@jest/globals';
import { nextTurn, skippedBehind, type Schedule } from '../../../src/plans/execution/schedule';
import type { NodePhase } from '../../../src/plans/kinds/phases';

/** `c<a~b`: c waits for a, and softly for b. */
function scheduleOf(text: string, maxParallel = 100): Schedule {
  const nodes = text.split(' ').map((word) => {
    const [id = '', ...waits] = word.split(/(?=[<~])/);
    const after = (sign: string) => waits.filter((each) => each.startsWith(sign)).map((each) => each.slice(1));
    return { id, hard: after('<'), soft: after('~') };
  });
  return { nodes, maxParallel };
}

const PHASES: Record<string, NodePhase> = {
  '.': 'Pending',
  r: 'Running',
  b: 'Blocked',
  s: 'Succeeded',
  f: 'Failed',
  k: 'Skipped',
  c: 'Cancelled',
};
/** `srf`: the phases of a, b and c. */
const phasesOf = ({ nodes }: Schedule, text: string) =>
  new Map(nodes.map(({ id }, index) => [id, PHASES[text[index] ?? '.']!]));

describe('the schedule of a plan', () => {
  it.each<[title: string, graph: string, phases: string, start: string, skip: string, over?: boolean]>([
    ['nodes without dependencies begin together', 'a b c', '...', 'a b c', ''],
    ['a node waits for a hard dependency that runs', 'a b<a', 'r.', '', ''],
    ['a node waits for a hard dependency that is blocked', 'a b<a', 'b.', '', ''],
    ['a node begins when its hard dependency has succeeded', 'a b<a', 's.', 'b', ''],
    ['a node begins only when all of its dependencies have succeeded', 'a b c<a<b', 'sr.', '', ''],
    ['a node whose hard dependency failed is skipped', 'a b<a', 'f.', '', 'b', true],
    ['a node whose hard dependency was cancelled is skipped', 'a b<a', 'c.', '', 'b', true],
    ['what depends on a skipped node is skipped in turn', 'a b<a c<b', 'f..', '', 'b c', true],
    ['a node is skipped although another dependency still runs', 'a b c<a<b', 'fr.', '', 'c'],
    ['a failure holds up no other branch', 'a b<a c d<c', 'f.s.', 'd', 'b'],
    ['a soft dependency that runs is waited for', 'a b~a', 'r.', '', ''],
    ['a soft dependency that succeeded lets begin', 'a b~a', 's.', 'b', ''],
    ['a soft dependency that failed lets begin', 'a b~a', 'f.', 'b', ''],
    ['a soft dependency that was skipped lets begin', 'a b<a c~b', 'f..', 'c', 'b'],
    ['a hard dependency counts beside a soft one', 'a b c<a~b', 'fs.', '', 'c', true],
    ['all is over when every node has ended', 'a b<a', 'ss', '', '', true],
    ['nothing is over while a node runs', 'a b', 'sr', '', ''],
    ['nothing is over while a node is blocked', 'a b', 'sb', '', ''],
  ])('%s', (_title, graph, phases, start, skip, isOver = false) => {
    const schedule = scheduleOf(graph);
    const turn = nextTurn(schedule, phasesOf(schedule, phases));
    const skipped = turn.skip.map(({ id }) => id).join(' ');
    expect({ start: turn.start.join(' '), skip: skipped, isOver: turn.isOver }).toEqual({ start, skip, isOver });
  });

  it('where failures are compensated nothing begins after one', () => {
    const schedule: Schedule = { ...scheduleOf('a b c<a d'), compensates: true };
    const { start, skip, isOver } = nextTurn(schedule, phasesOf(schedule, 'fr..'));
    expect({ start, isOver, skipped: skip.map(({ id }) => id) }).toEqual({
      start: [],
      isOver: false,
      skipped: ['c', 'd'],
    });
    expect(skip[1]!.because).toBe('node a failed, and what was done is compensated');
    expect(nextTurn(schedule, phasesOf(schedule, 'fskk')).isOver).toBe(true);
  });

  it.each<[number, string, string]>([
    [1, '....', 'a'],
    [2, '....', 'a b'],
    [2, 'r...', 'b'],
    [2, 'b...', 'b'],
    [2, 'rb..', ''],
    [2, 'sr..', 'c'],
    [4, '....', 'a b c d'],
  ])('at most %i nodes are under way at %s', (maxParallel, phases, start) => {
    const schedule = scheduleOf('a b c d', maxParallel);
    expect(nextTurn(schedule, phasesOf(schedule, phases)).start.join(' ')).toBe(start);
  });

  it('says which dependency a node is skipped for, and how that one ended', () => {
    const schedule = scheduleOf('a b<a c<b');
    expect(nextTurn(schedule, phasesOf(schedule, 'f..')).skip).toEqual([
      { id: 'b', because: 'node a, which it depends on, failed' },
      { id: 'c', because: 'node b, which it depends on, was skipped' },
    ]);
  });

  it.each<[string, string, string, string]>([
    ['those that it alone held up', 'a b<a c<b', 'fkk', 'b c'],
    ['none that ended for itself', 'a b~a c', 'fsk', ''],
    ['none behind a soft edge', 'a b<a c~b', 'fks', 'b'],
  ])('a node that is run again frees %s', (_title, graph, phases, freed) => {
    const schedule = scheduleOf(graph);
    expect(skippedBehind(schedule, phasesOf(schedule, phases), 'a').join(' ')).toBe(freed);
  });

  it('a thousand nodes in a chain of parallel pairs come to an end', () => {
    const nodes = Array.from({ length: 1_000 }, (_, index) => ({
      id: `n${index}`,
      hard: index < 2 ? [] : [`n${index - (index % 2) - 1}`, `n${index - (index % 2) - 2}`],
      soft: [],
    }));
    const schedule = { nodes, maxParallel: 100 };
    const phases = new Map<string, NodePhase>();
    let turns = 0;
    for (let turn = nextTurn(schedule, phases); !turn.isOver; turn = nextTurn(schedule, phases)) {
      expect(turn.start).toHaveLength(2);
      for (const id of turn.start) phases.set(id, 'Succeeded');
      turns += 1;
    }
    expect(turns).toBe(500);
  });
});
