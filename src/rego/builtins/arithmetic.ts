import { BuiltinError, type Builtin, type Builtins } from './builtin';
import { exactInteger, numberAt, wrongType } from './operands';
import { addFloats, divideFloats, floatOfBigInt, isIntegral, multiplyFloats } from '../values/big-float';
import { negateFloat, toFloat, truncateFloat, type BigFloat } from '../values/big-float';
import { fromFloat } from '../values/big-float-text';
import { fromBigInt, isNumber, type RegoNumber } from '../values/number';
import { isSet } from '../values/value';

/**
 * OPA computes in the narrowest form that holds the operands exactly: int32, then integers of any length, then a
 * `big.Float` of 64 bits.
 */
interface Operation {
  /** of safe integers; undefined where the answer is not one */
  small(a: number, b: number): number | undefined;
  /** absent where only floats are exact enough for the answer */
  exact?(a: bigint, b: bigint): bigint;
  float(a: BigFloat, b: BigFloat): BigFloat;
}

function binary({ small, exact, float }: Operation) {
  return (a: RegoNumber, b: RegoNumber): RegoNumber => {
    if (Number.isSafeInteger(a) && Number.isSafeInteger(b)) {
      const result = small(a as number, b as number);
      // JavaScript's 0 * -1 is -0, which is no integer of Go's
      if (result !== undefined && Number.isSafeInteger(result)) return result === 0 ? 0 : result;
    }
    if (exact) {
      const x = exactInteger(a);
      const y = x === undefined ? undefined : exactInteger(b);
      if (x !== undefined && y !== undefined) return fromBigInt(exact(x, y));
    }
    return fromFloat(float(toFloat(a), toFloat(b)));
  };
}

const add = binary({ small: (a, b) => a + b, exact: (a, b) => a + b, float: addFloats });
const subtract = binary({
  small: (a, b) => a - b,
  exact: (a, b) => a - b,
  float: (a, b) => addFloats(a, negateFloat(b)),
});
const multiply = binary({ small: (a, b) => a * b, exact: (a, b) => a * b, float: multiplyFloats });
/** A dividend of 0 goes to the floats, whose quotient may be -0. */
const divide = binary({
  small: (a, b) => {
    if (b === 0 && isSmall(a)) throw new BuiltinError('divide by zero');
    return isSmall(a) && isSmall(b) && a !== 0 && a % b === 0 ? a / b : undefined;
  },
  float: (a, b) => {
    if (b.mantissa === 0n) throw new BuiltinError('divide by zero');
    return divideFloats(a, b);
  },
});
const remainder = binary({
  small: (a, b) => {
    if (b === 0) throw new BuiltinError('modulo by zero');
    return a % b;
  },
  exact: (a, b) => {
    if (b === 0n) throw new BuiltinError('modulo by zero');
    return a % b;
  },
  float: () => {
    throw new BuiltinError('modulo on floating-point number');
  },
});

const SMALLEST = -(2 ** 31);
const LARGEST = 2 ** 31 - 1;
const isSmall = (value: number) => value >= SMALLEST && value <= LARGEST;

/** In OPA every number beyond int32 goes through a float of 64 bits here, integers too. */
const unary =
  (small: (value: number) => number, float: (value: BigFloat) => BigFloat): Builtin =>
  (operands) => {
    const value = numberAt(operands, 0);
    if (typeof value === 'number' && Number.isInteger(value) && isSmall(value)) return small(value);
    return fromFloat(float(toFloat(value)));
  };

const itself = (value: number) => value;
const HALF: BigFloat = { negative: false, mantissa: 1n << 63n, exponent: -64 };
const ONE: BigFloat = { negative: false, mantissa: 1n << 63n, exponent: -63 };

/** Halves away from zero. */
function round(value: BigFloat): BigFloat {
  return floatOfBigInt(truncateFloat(addFloats(value, value.negative ? negateFloat(HALF) : HALF)));
}

/** As in OPA, `ceil(-0.5)` is 1: truncated to 0, it no longer shows that it was negative. */
function ceil(value: BigFloat): BigFloat {
  const integer = truncateFloat(value);
  const whole = floatOfBigInt(integer);
  return integer < 0n || isIntegral(value) ? whole : addFloats(whole, ONE);
}

function floor(value: BigFloat): BigFloat {
  const integer = truncateFloat(value);
  const whole = floatOfBigInt(integer);
  return integer >= 0n || isIntegral(value) ? whole : addFloats(whole, negateFloat(ONE));
}

const onNumbers =
  (operation: (a: RegoNumber, b: RegoNumber) => RegoNumber): Builtin =>
  (operands) =>
    operation(numberAt(operands, 0), numberAt(operands, 1));

export const arithmeticBuiltins: Builtins = {
  plus: onNumbers(add),
  minus: (operands) => {
    const [a, b] = operands as [(typeof operands)[0], (typeof operands)[0]];
    if (isNumber(a) && isNumber(b)) return subtract(a, b);
    if (isSet(a) && isSet(b)) return a.difference(b);
    if (!isNumber(a) && !isSet(a)) throw wrongType(operands, 0, 'number', 'set');
    throw wrongType(operands, 1, isNumber(b) ? 'set' : 'number');
  },
  mul: onNumbers(multiply),
  div: onNumbers(divide),
  rem: onNumbers(remainder),
  abs: unary(Math.abs, (value) => ({ ...value, negative: false })),
  round: unary(itself, round),
  ceil: unary(itself, ceil),
  floor: unary(itself, floor),
};
