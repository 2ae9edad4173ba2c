import type { Builtins } from './builtin';
import { setAt, wrongType } from './operands';
import { BUDGET } from './plan-builtin';
import { RegoSet } from '../values/rego-set';
import { isSet } from '../values/value';

export const setBuiltins: Builtins = {
  and: (operands, { budget }) => {
    const [a, b] = [setAt(operands, 0), setAt(operands, 1)];
    budget.spend(a.size);
    return a.intersection(b);
  },
  or: (operands, { budget }) => {
    const [a, b] = [setAt(operands, 0), setAt(operands, 1)];
    budget.spend(a.size + b.size);
    const union = a.union(b);
    budget.elements(union.size);
    return union;
  },
  set_diff: (operands) => setAt(operands, 0).difference(setAt(operands, 1)),
  intersection: (operands) => {
    const [first, ...rest] = setsOf(operands);
    return rest.reduce((a, b) => a.intersection(b), first ?? new RegoSet());
  },
  union: (operands, { budget }) => {
    const union = new RegoSet();
    for (const set of setsOf(operands)) {
      budget.spend(set.size);
      for (const item of set.items) union.add(item);
      if (union.size > BUDGET.elements) break;
    }
    budget.elements(union.size);
    return union;
  },
};

function setsOf(operands: Parameters<typeof setAt>[0]): RegoSet[] {
  return setAt(operands, 0).items.map((item) => {
    if (!isSet(item)) throw wrongType([item], 0, 'set');
    return item;
  });
}
