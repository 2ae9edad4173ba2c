import { BUDGET, BudgetExceededError, EvaluationConflictError } from '../../builtins/plan-builtin';
import { equalValues } from '../../values/compare';
import { fromBigInt, numberOf } from '../../values/number';
import { RegoObject } from '../../values/rego-object';
import { RegoSet } from '../../values/rego-set';
import { isObject, isSet, type RegoValue } from '../../values/value';
import { assigned } from '../absence/origin';
import { isCollection } from '../absence/outside';
import { isLargeInteger } from '../large-integers';
import { measure } from '../measure';
import { NEXT, type Run, type Step } from '../run';
import { insertOnce, mergeValues } from '../values';
import type { Local, SourceLine } from '../plan';
import type { CompileStatement, Scope } from './scope';

function makes(target: Local, scope: Scope, make: () => RegoValue | undefined): Step {
  const slot = scope.slot(target);
  scope.learn(target, undefined);
  return (frame) => {
    frame[slot] = make();
    return NEXT;
  };
}

/** As `makes`, of a value that does not change. */
function keeps(target: Local, scope: Scope, value: RegoValue | undefined): Step {
  const slot = scope.slot(target);
  scope.learn(target, undefined);
  return (frame) => {
    frame[slot] = value;
    return NEXT;
  };
}

export const compileMakeNull: CompileStatement<'MakeNullStmt'> = ({ target }, scope) => keeps(target, scope, null);
export const compileMakeArray: CompileStatement<'MakeArrayStmt'> = ({ target }, scope) =>
  makes(target, scope, () => []);
export const compileMakeObject: CompileStatement<'MakeObjectStmt'> = ({ target }, scope) =>
  makes(target, scope, () => new RegoObject());
export const compileMakeSet: CompileStatement<'MakeSetStmt'> = ({ target }, scope) =>
  makes(target, scope, () => new RegoSet());
export const compileReset: CompileStatement<'ResetLocalStmt'> = ({ target }, scope) => keeps(target, scope, undefined);

export const compileInteger: CompileStatement<'AssignIntStmt' | 'MakeNumberIntStmt'> = (statement, scope) => {
  const value = fromBigInt(statement.value);
  if (typeof value === 'number') return keeps(statement.target, scope, value);
  return makesDoubtful(statement.target, statement, value, scope);
};

export const compileNumber: CompileStatement<'MakeNumberRefStmt'> = (statement, scope) => {
  const value = numberOf(statement.text);
  if (typeof value === 'number' && (Number.isSafeInteger(value) || !Number.isInteger(value))) {
    return keeps(statement.target, scope, value);
  }
  return makesDoubtful(statement.target, statement, value, scope);
};

/** A literal that is no plain integer or fraction. */
function makesDoubtful(target: Local, { at }: { at: SourceLine }, value: RegoValue, scope: Scope): Step {
  const slot = scope.slot(target);
  scope.learn(target, undefined);
  if (isLargeInteger(value)) scope.plan.mayDoubt?.('large-integer', at);
  return (frame, run) => {
    run.doubts.largeInteger(value, at);
    frame[slot] = value;
    return NEXT;
  };
}

export const compileAssign: CompileStatement<'AssignVarStmt'> = ({ source, target }, scope) => {
  const slot = scope.slot(target);
  const known = scope.origins.has(target);
  const origin = assigned(scope.originOf(source));
  // the second of two ways that lead to one local: nothing is known of it for certain
  scope.learn(target, known ? undefined : origin);
  if (source.kind === 'local') {
    const from = scope.slot(source.local);
    return (frame) => {
      frame[slot] = frame[from];
      return NEXT;
    };
  }
  const { value } = source;
  return (frame) => {
    frame[slot] = value;
    return NEXT;
  };
};

/** Of equal values that are written differently, the last stays. */
export const compileAssignOnce: CompileStatement<'AssignVarOnceStmt'> = ({ source, target }, scope) => {
  const slot = scope.slot(target);
  const read = scope.reader(source);
  const name = ['data', ...scope.rulePath].join('.');
  return (frame) => {
    const value = read(frame)!;
    const had = frame[slot];
    if (had !== undefined && had !== value && !equalValues(had, value)) {
      throw new EvaluationConflictError(`${name} produced conflicting values`);
    }
    frame[slot] = value;
    return NEXT;
  };
};

export const compileAppend: CompileStatement<'ArrayAppendStmt'> = ({ value, array }, scope) => {
  const slot = scope.slot(array);
  const read = scope.reader(value);
  return (frame, run) => {
    const list = frame[slot] as RegoValue[];
    if (list.length >= BUDGET.elements) throw new BudgetExceededError('elements');
    run.budget.spend(1);
    const item = read(frame)!;
    run.use(item);
    list.push(item);
    return NEXT;
  };
};

export const compileAdd: CompileStatement<'SetAddStmt'> = ({ value, set }, scope) => {
  const slot = scope.slot(set);
  const read = scope.reader(value);
  return (frame, run) => {
    const into = frame[slot] as RegoSet;
    const member = read(frame)!;
    admit(into.size, member, run);
    run.use(member);
    into.add(member);
    return NEXT;
  };
};

export const compileInsert: CompileStatement<'ObjectInsertStmt'> = ({ key, value, object }, scope) => {
  const slot = scope.slot(object);
  const [readKey, readValue] = [scope.reader(key), scope.reader(value)];
  return (frame, run) => {
    const into = frame[slot] as RegoObject;
    const name = readKey(frame)!;
    admit(into.size, name, run);
    const value = readValue(frame)!;
    run.use(value);
    into.set(name, value);
    return NEXT;
  };
};

export const compileInsertOnce: CompileStatement<'ObjectInsertOnceStmt'> = ({ key, value, object }, scope) => {
  const slot = scope.slot(object);
  const [readKey, readValue] = [scope.reader(key), scope.reader(value)];
  return (frame, run) => {
    const into = frame[slot] as RegoObject;
    const name = readKey(frame)!;
    admit(into.size, name, run);
    const value = readValue(frame)!;
    run.use(value);
    insertOnce(into, name, value);
    return NEXT;
  };
};

/** A collection that is a member or a key is written out to be compared, which takes as much as it holds. */
function admit(size: number, member: RegoValue, run: Run): void {
  if (size >= BUDGET.elements) throw new BudgetExceededError('elements');
  if (isCollection(member)) measure(member, run.budget);
  else run.budget.spend(1);
}

export const compileMerge: CompileStatement<'ObjectMergeStmt'> = ({ a, b, target }, scope) => {
  const [first, second, slot] = [scope.slot(a), scope.slot(b), scope.slot(target)];
  scope.learn(target, undefined);
  return (frame, run) => {
    const one = frame[first]!;
    if (isObject(one) || isSet(one)) run.budget.spend(one.size);
    frame[slot] = mergeValues(one, frame[second]!);
    return NEXT;
  };
};
