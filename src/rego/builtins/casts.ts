import type { Builtins } from './builtin';
import { booleanAt, itemsOf, objectAt, stringAt, wrongType } from './operands';
import { RegoSet } from '../values/rego-set';
import type { RegoValue } from '../values/value';

/** Deprecated in OPA, and still there for policies that do not import rego.v1. */
export const castBuiltins: Builtins = {
  cast_array: (operands) => [...itemsAt(operands)],
  cast_set: (operands) => new RegoSet(itemsAt(operands)),
  cast_string: (operands) => stringAt(operands, 0),
  cast_boolean: (operands) => booleanAt(operands, 0),
  cast_object: (operands) => objectAt(operands, 0),
  cast_null: (operands) => {
    if (operands[0] !== null) throw wrongType(operands, 0, 'null');
    return null;
  },
  /** a note for OPA's own tracing; always true */
  trace: (operands) => {
    stringAt(operands, 0);
    return true;
  },
};

function itemsAt(operands: readonly RegoValue[]): readonly RegoValue[] {
  const items = itemsOf(operands[0]!);
  if (!items) throw wrongType(operands, 0, 'array', 'set');
  return items;
}
