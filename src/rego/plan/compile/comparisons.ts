import { compareStrings, compareValues, equalValues } from '../../values/compare';
import { typeRank, type RegoValue } from '../../values/value';
import type { Site } from '../absence/site';
import type { StatementOf } from '../plan';
import { NEXT, type Run, type Step } from '../run';
import type { Scope } from './scope';
import { noteTypes } from './tests';

/** The operators that are built-ins to the planner, with what they answer for an order. */
const ORDERINGS: Readonly<Record<string, { sign: string; holds: (order: number) => boolean }>> = {
  gt: { sign: '>', holds: (order) => order > 0 },
  gte: { sign: '>=', holds: (order) => order >= 0 },
  lt: { sign: '<', holds: (order) => order < 0 },
  lte: { sign: '<=', holds: (order) => order <= 0 },
};

/** @returns undefined where the call is no comparison */
export function compileComparison(statement: StatementOf<'CallStmt'>, scope: Scope): Step | undefined {
  const { func, args, result } = statement;
  if (args.length !== 2 || result === undefined) return undefined;
  const [readA, readB] = [scope.reader(args[0]!), scope.reader(args[1]!)];
  const slot = scope.slot(result);
  const site = scope.site(statement);
  const step = (compare: (a: RegoValue, b: RegoValue, run: Run) => boolean): Step => {
    return (frame, run) => {
      const a = readA(frame);
      const b = readB(frame);
      if (a === undefined || b === undefined) return 0;
      run.use(a);
      run.use(b);
      frame[slot] = compare(a, b, run);
      return NEXT;
    };
  };
  if (Object.hasOwn(ORDERINGS, func)) {
    const { sign, holds } = ORDERINGS[func]!;
    return step((a, b, run) => holds(order(a, b, sign, site, run)));
  }
  if (func === 'equal' || func === 'eq') return step((a, b, run) => isEqual(a, b, '==', site, run));
  if (func === 'neq') return step((a, b, run) => !isEqual(a, b, '!=', site, run));
  return undefined;
}

function order(a: RegoValue, b: RegoValue, sign: string, site: Site, run: Run): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b);
  if (typeRank(a) !== typeRank(b)) run.notebook.comparison(site, sign, a, b);
  return compareValues(a, b);
}

function isEqual(a: RegoValue, b: RegoValue, sign: string, site: Site, run: Run): boolean {
  if (a === b || equalValues(a, b)) return true;
  noteTypes(site, run, sign, a, b);
  return false;
}
