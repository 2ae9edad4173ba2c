import { BuiltinError } from './builtin';
import { isNumber, toBigInt, toIndex, type RegoNumber } from '../values/number';
import type { RegoObject } from '../values/rego-object';
import type { RegoSet } from '../values/rego-set';
import { isObject, isSet, typeName, type RegoTypeName, type RegoValue } from '../values/value';

/** An operand of a wrong type or form. OPA's strict mode calls it `eval_type_error`, any other `eval_builtin_error`. */
export class OperandError extends BuiltinError {
  constructor(index: number, problem: string) {
    super(`operand ${index + 1} ${problem}`);
  }
}

/** OPA's `NewOperandTypeErr`. */
export function wrongType(operands: readonly RegoValue[], index: number, ...expected: string[]): OperandError {
  const value = operands[index];
  const wanted = expected.length === 1 ? expected[0]! : `one of {${expected.join(', ')}}`;
  return new OperandError(index, `must be ${wanted} but got ${value === undefined ? 'nothing' : typeName(value)}`);
}

/** OPA's `NewOperandElementErr`: a wrong item of an array or set. */
export function wrongItem(index: number, list: RegoValue, item: RegoValue, expected: RegoTypeName): OperandError {
  const type = typeName(list);
  return new OperandError(index, `must be ${type} of ${expected}s but got ${type} containing ${typeName(item)}`);
}

function operand<T>(test: (value: RegoValue) => T | undefined, ...expected: RegoTypeName[]) {
  return (operands: readonly RegoValue[], index: number): T => {
    const value = operands[index];
    const found = value === undefined ? undefined : test(value);
    if (found !== undefined) return found;
    throw wrongType(operands, index, ...expected);
  };
}

export const stringAt = operand((v) => (typeof v === 'string' ? v : undefined), 'string');
export const booleanAt = operand((v) => (typeof v === 'boolean' ? v : undefined), 'boolean');
export const numberAt = operand((v): RegoNumber | undefined => (isNumber(v) ? v : undefined), 'number');
export const arrayAt = operand((v) => (Array.isArray(v) ? v : undefined), 'array');
export const objectAt = operand((v): RegoObject | undefined => (isObject(v) ? v : undefined), 'object');
export const setAt = operand((v): RegoSet | undefined => (isSet(v) ? v : undefined), 'set');

/** The items of an array or set; most of OPA's built-ins name the two types in this order. */
export const listAt = operand((v) => itemsOf(v), 'set', 'array');

/** The items of an array or, in their order, of a set. */
export function itemsOf(value: RegoValue): readonly RegoValue[] | undefined {
  if (Array.isArray(value)) return value;
  return isSet(value) ? value.items : undefined;
}

/** An integer of any size; `2.0` and `1e21` are integers too. */
export function bigIntAt(operands: readonly RegoValue[], index: number): bigint {
  const value = operands[index]!;
  if (!isNumber(value)) throw wrongType(operands, index, 'integer');
  const integer = exactInteger(value);
  if (integer === undefined) throw notAnInteger(index);
  return integer;
}

/** @throws BuiltinError where the integer has too many digits to write out */
export function exactInteger(value: RegoNumber): bigint | undefined {
  try {
    return toBigInt(value);
  } catch (cause) {
    throw new BuiltinError('number too big', { cause });
  }
}

/** An integer of 64 bits, written with digits; beyond 2^53 it is only near, and larger than any count or position. */
export function integerAt(operands: readonly RegoValue[], index: number): number {
  const integer = toIndex(numberAt(operands, index));
  if (integer === undefined) throw notAnInteger(index);
  return integer;
}

const notAnInteger = (index: number) => new OperandError(index, 'must be integer number but got floating-point number');

/** The strings of an array or set, each checked. */
export function stringsAt(operands: readonly RegoValue[], index: number): string[] {
  return listAt(operands, index).map((item) => {
    if (typeof item !== 'string') throw wrongItem(index, operands[index]!, item, 'string');
    return item;
  });
}
