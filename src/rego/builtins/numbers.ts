import { BuiltinError, bigIntAt, type Builtins } from './builtin';
import { RegoNumber, type RegoValue } from './rego-value';

/** An evaluation must end within its deadline and memory; OPA itself would be stopped from outside. */
const LONGEST_RANGE = 1_000_000n;

export const numberBuiltins: Builtins = {
  'numbers.range_step': (operands) => {
    const [from, to, step] = [bigIntAt(operands, 0), bigIntAt(operands, 1), bigIntAt(operands, 2)];
    if (step <= 0n) throw new BuiltinError('numbers.range_step: step must be a positive integer');
    const distance = from <= to ? to - from : from - to;
    if (distance / step > LONGEST_RANGE) throw new Error(`numbers.range_step: more than ${LONGEST_RANGE} numbers`);
    const range: RegoValue[] = [];
    for (let covered = 0n; covered <= distance; covered += step) {
      range.push(RegoNumber.of(from <= to ? from + covered : from - covered));
    }
    return range;
  },
};
