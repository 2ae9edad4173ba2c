import { BuiltinError } from '../../builtins/builtin';
import { BUDGET, BudgetExceededError } from '../../builtins/plan-builtin';
import type { RegoValue } from '../../values/value';
import type { Site } from '../absence/site';
import { INPUT, type Operand, type StatementOf } from '../plan';
import { NEXT, RETURN, UNDEFINED, type Frame, type Run, type Step } from '../run';
import { isLargeInteger } from '../large-integers';
import { replaceAt } from '../values';
import { compileComparison } from './comparisons';
import { outward } from './control';
import type { CompiledFunction, CompileStatement, Scope } from './scope';
import { possibleDoubt, watchOf } from './watches';

export const compileCall: CompileStatement<'CallStmt'> = (statement, scope) => {
  const called = scope.plan.functionOf(statement.func);
  const slot = statement.result === undefined ? undefined : scope.slot(statement.result);
  if (called !== undefined) {
    const path = called.definition.path.slice(1);
    if (statement.result !== undefined) scope.learn(statement.result, { kind: 'rule', path });
    return callFunction(called, statement.args, slot, scope);
  }
  if (statement.result !== undefined) scope.learn(statement.result, undefined);
  const comparison = compileComparison(statement, scope);
  return comparison ?? callBuiltin(statement, scope);
};

function callFunction(
  called: CompiledFunction,
  args: readonly Operand[],
  slot: number | undefined,
  scope: Scope,
): Step {
  const answered = (frame: Frame, value: RegoValue | undefined): number => {
    if (slot !== undefined) frame[slot] = value;
    return value === undefined ? 0 : NEXT;
  };
  if (called.memo !== undefined && args.length === 2) {
    const [readInput, readData] = [scope.reader(args[0]!), scope.reader(args[1]!)];
    const { memo: place } = called;
    return (frame, run) => {
      const known = run.memo[place];
      if (known !== undefined) return answered(frame, known === UNDEFINED ? undefined : known);
      return answered(frame, callRule(called, readInput(frame), readData(frame), run));
    };
  }
  const readers = args.map((operand) => scope.reader(operand));
  return (frame, run) => {
    const values = readers.map((read) => read(frame));
    return answered(frame, invoke(called, values, run));
  };
}

/** A rule, once in each evaluation and once more within each `with`. */
function callRule(called: CompiledFunction, input: RegoValue | undefined, data: RegoValue | undefined, run: Run) {
  const { memo } = run;
  run.budget.spend(1);
  const frame = frameOf(called);
  frame[called.parameters[0]!] = input;
  frame[called.parameters[1]!] = data;
  const value = runBody(called, frame, run);
  memo[called.memo!] = value === undefined ? UNDEFINED : value;
  return value;
}

export function invoke(called: CompiledFunction, values: readonly (RegoValue | undefined)[], run: Run) {
  run.budget.spend(1);
  const { parameters } = called;
  const frame = frameOf(called);
  for (let i = 0; i < parameters.length; i++) frame[parameters[i]!] = values[i];
  return runBody(called, frame, run);
}

function frameOf({ slots }: CompiledFunction): Frame {
  const frame = new Array<RegoValue | undefined>(slots);
  for (let i = 0; i < slots; i++) frame[i] = undefined;
  return frame;
}

function runBody({ blocks }: CompiledFunction, frame: Frame, run: Run): RegoValue | undefined {
  for (let i = 0; i < blocks.length; i++) if (blocks[i]!(frame, run) === RETURN) break;
  const { returned } = run;
  run.returned = undefined;
  return returned;
}

/** OPA's planner uses 3 as the number of blocks that it leaves where the rule that it found is undefined. */
const BREAK_WHERE_UNDEFINED = 3;

export const compileCallDynamic: CompileStatement<'CallDynamicStmt'> = (statement, scope) => {
  const path = statement.path.map((part) => scope.reader(part));
  const args = statement.args.map((local) => scope.slot(local));
  const slot = scope.slot(statement.result);
  scope.learn(statement.result, undefined);
  return (frame, run) => {
    const names = path.map((read) => read(frame));
    if (!names.every((name) => typeof name === 'string')) return 0;
    const called = scope.plan.functionAt(names);
    if (called === undefined) return 0;
    frame[slot] = callDynamic(
      called,
      args.map((arg) => frame[arg]),
      run,
    );
    return frame[slot] === undefined ? BREAK_WHERE_UNDEFINED : NEXT;
  };
};

function callDynamic(called: CompiledFunction, values: (RegoValue | undefined)[], run: Run): RegoValue | undefined {
  if (called.memo === undefined) return invoke(called, values, run);
  const known = run.memo[called.memo];
  if (known !== undefined) return known === UNDEFINED ? undefined : known;
  return callRule(called, values[0], values[1], run);
}

/** The block sees another `input` or `data`; what rules answered before does not hold in it, nor the other way round. */
export const compileWith: CompileStatement<'WithStmt'> = ({ local, path, value, block }, scope) => {
  const slot = scope.slot(local);
  const read = scope.reader(value);
  const body = scope.block(block);
  const isInput = local === INPUT;
  return (frame, run) => {
    const [saved, input, memo] = [frame[slot], run.input, run.memo];
    run.budget.spend(1);
    frame[slot] = path.length === 0 ? read(frame) : replaceAt(saved, path, read(frame)!);
    if (isInput) run.input = frame[slot];
    run.memo = [];
    const answer = body(frame, run);
    frame[slot] = saved;
    run.input = input;
    run.memo = memo;
    return outward(answer);
  };
};

function callBuiltin(statement: StatementOf<'CallStmt'>, scope: Scope): Step {
  const { func: name, args, result } = statement;
  const builtin = scope.plan.builtin(name);
  const readers = args.map((operand) => scope.reader(operand));
  const site = scope.site(statement);
  const watch = watchOf(name, args, scope)?.(site);
  const reason = possibleDoubt(name);
  if (reason !== undefined) scope.plan.mayDoubt?.(reason, site.at);
  // OPA gives a void function the local that is the input as its result
  const slot = result === undefined || result === INPUT ? undefined : scope.slot(result);
  return (frame, run) => {
    const operands = new Array<RegoValue>(readers.length);
    for (let i = 0; i < readers.length; i++) {
      const operand = readers[i]!(frame);
      if (operand === undefined) return 0;
      if (operand === run.input && name !== 'object.get') run.touchedAll = true;
      operands[i] = operand;
    }
    run.budget.spend(1);
    watch?.before?.(operands, frame, run);
    const value = answerOf(name, builtin, operands, site, run);
    if (value === undefined) {
      if (slot === undefined) return NEXT;
      frame[slot] = undefined;
      return 0;
    }
    watch?.after?.(operands, value, run);
    if (isLargeInteger(value)) run.doubts.add('large-integer', statement.at);
    checkSize(value);
    if (slot !== undefined) frame[slot] = value;
    return NEXT;
  };
}

/** As OPA does without `--strict-builtin-errors`: a built-in that reports an error is undefined. It is noted. */
function answerOf(
  name: string,
  builtin: ReturnType<Scope['plan']['builtin']>,
  operands: readonly RegoValue[],
  site: Site,
  run: Run,
): RegoValue | undefined {
  try {
    const value = builtin(operands, run.context);
    if (value === undefined) run.notebook.builtinUndefined(site, name, operands);
    return value;
  } catch (error) {
    if (!(error instanceof BuiltinError)) throw error;
    run.notebook.builtinError(site, name, operands, error.message);
    return undefined;
  }
}

/** What a built-in made without asking; the next one may double it. */
function checkSize(value: RegoValue): void {
  if (typeof value === 'string') {
    if (value.length > BUDGET.characters) throw new BudgetExceededError('characters');
  } else if (Array.isArray(value)) {
    if (value.length > BUDGET.elements) throw new BudgetExceededError('elements');
  } else if (typeof value === 'object' && value !== null && 'size' in value && value.size > BUDGET.elements) {
    throw new BudgetExceededError('elements');
  }
}
