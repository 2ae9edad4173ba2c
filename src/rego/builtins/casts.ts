import { BuiltinError, booleanAt, listAt, objectAt, stringAt, type Builtins } from './builtin';
import { RegoSet } from './rego-value';

/** Deprecated in OPA, and still there for policies that do not import rego.v1. */
export const castBuiltins: Builtins = {
  cast_array: (operands) => [...listAt(operands, 0)],
  cast_set: (operands) => new RegoSet(listAt(operands, 0)),
  cast_string: (operands) => stringAt(operands, 0),
  cast_boolean: (operands) => booleanAt(operands, 0),
  cast_object: (operands) => objectAt(operands, 0),
  cast_null: (operands) => {
    if (operands[0] !== null) throw new BuiltinError('operand 1 must be null');
    return null;
  },
  /** a note for OPA's own tracing; always true */
  trace: (operands) => {
    stringAt(operands, 0);
    return true;
  },
};
