import type { Builtins } from './builtin';
import { arrayAt, integerAt } from './operands';

export const arrayBuiltins: Builtins = {
  'array.concat': (operands, { budget }) => {
    const [a, b] = [arrayAt(operands, 0), arrayAt(operands, 1)];
    budget.elements(a.length + b.length);
    return [...a, ...b];
  },
  'array.flatten': (operands, { budget }) => {
    const items = arrayAt(operands, 0);
    budget.elements(items.reduce<number>((count, item) => count + (Array.isArray(item) ? item.length : 1), 0));
    return items.flat(1) as typeof items;
  },
  'array.reverse': (operands, { budget }) => {
    const items = arrayAt(operands, 0);
    budget.elements(items.length);
    return items.toReversed();
  },
  'array.slice': (operands, { budget }) => {
    const items = arrayAt(operands, 0);
    const [start, stop] = [integerAt(operands, 1), integerAt(operands, 2)];
    const end = Math.min(Math.max(stop, 0), items.length);
    const slice = items.slice(Math.min(Math.max(start, 0), end), end);
    budget.elements(slice.length);
    return slice;
  },
};
