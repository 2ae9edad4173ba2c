import { equalValues } from '../../values/compare';
import { isObject, isSet, typeRank, type RegoValue } from '../../values/value';
import type { Site } from '../absence/site';
import type { Operand } from '../plan';
import { NEXT, type Frame, type Run, type Step } from '../run';
import type { CompileStatement, Scope } from './scope';

export const compileEqual: CompileStatement<'EqualStmt'> = (statement, scope) => {
  const [readA, readB] = [scope.reader(statement.a), scope.reader(statement.b)];
  const pattern = scope.shapes.patternLengths.get(statement);
  if (pattern !== undefined)
    return patternLength(pattern, readA, readB, scope, scope.site(statement, whose(pattern, scope)));
  const site = scope.site(statement);
  const isHead = scope.shapes.headTests.has(statement);
  return (frame, run) => {
    const a = readA(frame)!;
    const b = readB(frame)!;
    run.use(a);
    run.use(b);
    if (a === b || equalValues(a, b)) return NEXT;
    if (!isHead) noteTypes(site, run, '==', a, b);
    return 0;
  };
};

/** `x != false` is how the planner asks whether an expression holds; `!=` of the policy itself is a built-in. */
export const compileNotEqual: CompileStatement<'NotEqualStmt'> = (statement, scope) => {
  const readA = scope.reader(statement.a);
  if (statement.b.kind === 'constant') {
    const { value } = statement.b;
    return (frame) => (readA(frame) === value ? 0 : NEXT);
  }
  const readB = scope.reader(statement.b);
  const site = scope.site(statement);
  return (frame, run) => {
    const a = readA(frame)!;
    const b = readB(frame)!;
    run.use(a);
    run.use(b);
    if (a === b || equalValues(a, b)) return 0;
    noteTypes(site, run, '!=', a, b);
    return NEXT;
  };
};

/** Two values that differ are compared in vain where they are of different types, unless one is null. */
export function noteTypes(site: Site, run: Run, operator: string, a: RegoValue, b: RegoValue): void {
  if (typeof a === typeof b && typeof a !== 'object') return;
  if (a === null || b === null || a === undefined || b === undefined || typeRank(a) === typeRank(b)) return;
  run.notebook.comparison(site, operator, a, b);
}

const whose = (source: Operand, scope: Scope) => {
  const origin = scope.originOf(source);
  return origin === undefined ? {} : { origin };
};

function patternLength(
  source: Operand,
  readFound: (frame: Frame) => RegoValue | undefined,
  readExpected: (frame: Frame) => RegoValue | undefined,
  scope: Scope,
  site: Site,
): Step {
  const read = scope.reader(source);
  return (frame, run) => {
    const expected = readExpected(frame);
    if (readFound(frame) === expected) return NEXT;
    run.notebook.pattern(site, frame, read(frame), `one of length ${String(expected)}, as the pattern has`);
    return 0;
  };
}

type TypeTest = CompileStatement<'IsArrayStmt' | 'IsObjectStmt' | 'IsSetStmt'>;

function compileTypeTest(expected: string, is: (value: RegoValue | undefined) => boolean): TypeTest {
  return (statement, scope) => {
    const read = scope.reader(statement.source);
    if (!scope.shapes.patternTypes.has(statement)) return (frame) => (is(read(frame)) ? NEXT : 0);
    const site = scope.site(statement, whose(statement.source, scope));
    return (frame, run) => {
      const value = read(frame);
      if (is(value)) return NEXT;
      run.notebook.pattern(site, frame, value, expected);
      return 0;
    };
  };
}

export const compileIsArray = compileTypeTest('an array, as the pattern is', Array.isArray);
export const compileIsObject = compileTypeTest('an object, as the pattern is', isObject);
export const compileIsSet = compileTypeTest('a set', isSet);
