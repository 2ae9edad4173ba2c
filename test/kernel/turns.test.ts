import { describe, expect, it } from '@jest/globals';
import { createTurns, TurnTimeoutError } from '../../src/kernel/turns';

/** Timers that fire when the test says so. */
function manualTimers() {
  const due: { ms: number; run(): void }[] = [];
  return {
    due,
    after(ms: number, run: () => void) {
      const timer = { ms, run };
      due.push(timer);
      return () => void due.splice(due.indexOf(timer), 1);
    },
  };
}

/** A work that is told when to end. */
function aWork(name: string, began: string[]) {
  let end!: () => void;
  const ended = new Promise<void>((resolve) => (end = resolve));
  return {
    end,
    work: () => {
      began.push(name);
      return ended.then(() => name);
    },
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('turns', () => {
  it('let as many works be under way as they say, and the others begin in the order of their coming', async () => {
    const timers = manualTimers();
    const turns = createTurns({ timers, atOnce: 2, waitMs: 50 });
    const began: string[] = [];
    const works = ['a', 'b', 'c', 'd'].map((name) => aWork(name, began));
    const taken = works.map(({ work }) => turns.take(work));
    await settled();
    expect(began).toEqual(['a', 'b']);
    works[1]!.end();
    expect(await taken[1]).toBe('b');
    await settled();
    expect(began).toEqual(['a', 'b', 'c']);
    works.forEach(({ end }) => end());
    expect(await Promise.all(taken)).toEqual(['a', 'b', 'c', 'd']);
    expect(timers.due).toEqual([]);
  });

  it('are given back by a work that fails', async () => {
    const turns = createTurns({ timers: manualTimers(), atOnce: 1, waitMs: 50 });
    await expect(turns.take(() => Promise.reject(new RangeError('no')))).rejects.toThrow(RangeError);
    expect(await turns.take(() => Promise.resolve('next'))).toBe('next');
  });

  it('end the wait of one whose time is over, which never begins, and hold up no other for it', async () => {
    const timers = manualTimers();
    const turns = createTurns({ timers, atOnce: 1, waitMs: 2_000 });
    const began: string[] = [];
    const [first, late, next] = ['first', 'late', 'next'].map((name) => aWork(name, began));
    const taken = turns.take(first!.work);
    const tooLate = turns.take(late!.work);
    const after = turns.take(next!.work);
    await settled();
    expect(timers.due.map(({ ms }) => ms)).toEqual([2_000, 2_000]);
    timers.due[0]!.run();
    await expect(tooLate).rejects.toThrow(new TurnTimeoutError(2_000).message);
    first!.end();
    next!.end();
    expect([await taken, await after]).toEqual(['first', 'next']);
    expect(began).toEqual(['first', 'next']);
  });
});
