import type { Builtins } from './builtin';
import { arrayAt } from './operands';
import { EvaluationConflictError } from './plan-builtin';
import { formatValue } from './rego-format';
import { isSet } from '../values/value';

/** What OPA's compiler calls for a syntax of its own. */
export const internalBuiltins: Builtins = {
  'internal.template_string': (operands, { budget }) => {
    const parts = arrayAt(operands, 0).map((part) => {
      if (!isSet(part)) return textOf(part);
      if (part.size > 1) throw new EvaluationConflictError('template-strings must not produce multiple outputs');
      return part.size === 0 ? '<undefined>' : textOf(part.items[0]!);
    });
    budget.characters(parts.reduce((length, part) => length + part.length, 0));
    return parts.join('');
  },
  /** a decision prints nowhere */
  'internal.print': () => true,
  /** names a test's case for OPA's own report */
  'internal.test_case': () => true,
};

const textOf = (value: Parameters<typeof formatValue>[0]) => (typeof value === 'string' ? value : formatValue(value));
