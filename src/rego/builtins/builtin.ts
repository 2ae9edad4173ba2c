import { RegoNumber, RegoObject, RegoSet, typeName, type RegoTypeName, type RegoValue } from './rego-value';

/** What a built-in may know besides its operands; nothing else, so that a decision can be replayed. */
export interface BuiltinContext {
  /** the decision time, nanoseconds since the epoch, UTC; what `time.now_ns()` answers */
  readonly decisionTimeNs: bigint;
}

/**
 * A built-in function: the answer, or undefined where OPA's has none.
 *
 * @throws BuiltinError where OPA's reports an error; the expression that calls it is then undefined, as in OPA
 */
export type Builtin = (operands: readonly RegoValue[], context: BuiltinContext) => RegoValue | undefined;

/** A family of built-ins by their Rego names. */
export type Builtins = Readonly<Record<string, Builtin>>;

/** An error that the policy's author could have caused; any other error that leaves a built-in is a fault of ours. */
export class BuiltinError extends Error {
  override readonly name = 'BuiltinError';
}

function operand<T>(test: (value: RegoValue) => T | undefined, ...expected: RegoTypeName[]) {
  return (operands: readonly RegoValue[], index: number): T => {
    const value = operands[index];
    const found = value === undefined ? undefined : test(value);
    if (found !== undefined) return found;
    const got = value === undefined ? 'nothing' : typeName(value);
    throw new BuiltinError(`operand ${index + 1} must be ${expected.join(' or ')} but got ${got}`);
  };
}

export const stringAt = operand((v) => (typeof v === 'string' ? v : undefined), 'string');
export const booleanAt = operand((v) => (typeof v === 'boolean' ? v : undefined), 'boolean');
export const numberAt = operand((v) => (v instanceof RegoNumber ? v : undefined), 'number');
export const arrayAt = operand((v) => (Array.isArray(v) ? v : undefined), 'array');
export const objectAt = operand((v) => (v instanceof RegoObject ? v : undefined), 'object');
export const setAt = operand((v) => (v instanceof RegoSet ? v : undefined), 'set');
export const listAt = operand<readonly RegoValue[]>(
  (v) => (Array.isArray(v) ? v : v instanceof RegoSet ? v.items : undefined),
  'array',
  'set',
);

/** An integer of any size; `2.0` and `1e21` are integers too, as OPA's own operand check has it. */
export function bigIntAt(operands: readonly RegoValue[], index: number): bigint {
  const [, sign, whole, fraction = '', power = '0'] = NUMBER.exec(numberAt(operands, index).text)!;
  const exponent = Number(power) - fraction.length;
  const digits = BigInt(`${whole}${fraction}`);
  const scale = 10n ** BigInt(Math.min(Math.abs(exponent), MOST_DIGITS));
  if (exponent > MOST_DIGITS || (exponent < 0 && digits % scale !== 0n)) {
    throw new BuiltinError(`operand ${index + 1} must be integer number but got floating-point number`);
  }
  const size = exponent < 0 ? digits / scale : digits * scale;
  return sign === '-' ? -size : size;
}

const NUMBER = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
/** far beyond any count or time, and quick to compute with */
const MOST_DIGITS = 1_000;

/** An integer that fits JavaScript's exact range. */
export function integerAt(operands: readonly RegoValue[], index: number): number {
  const value = Number(bigIntAt(operands, index));
  if (Number.isSafeInteger(value)) return value;
  throw new BuiltinError(`operand ${index + 1} must be an integer within 2^53`);
}

/** The strings of an array or set, each checked. */
export function stringsOf(items: readonly RegoValue[]): string[] {
  return items.map((_, index) => stringAt(items, index));
}

/** Runs `read` and turns whatever it throws into a BuiltinError: for libraries that throw on bad input. */
export function orBuiltinError<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof BuiltinError) throw cause;
    throw new BuiltinError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
