import { BuiltinError, type Builtins } from '../builtin';
import { unmarshal } from '../json';
import type { BuiltinBudget } from '../plan-builtin';
import { compileSchema } from './schema';
import { validate } from './validate';
import { writeJson } from '../../values/json';
import { RegoObject } from '../../values/rego-object';
import { isObject, type RegoValue } from '../../values/value';

/**
 * JSON schemas as OPA's own validator reads them, as far as its answers are certain; what is beyond that stops the
 * evaluation (docs/built-ins.md). Of several faults OPA's order is random where it iterates over properties; here it is
 * that of their names.
 */
export const jsonSchemaBuiltins: Builtins = {
  'json.verify_schema': ([schema], { budget }) => {
    try {
      compileSchema(documentOf(schema!, budget));
      return [true, null];
    } catch (error) {
      if (error instanceof BuiltinError) return [false, `jsonschema: ${error.message}`];
      throw error;
    }
  },
  'json.match_schema': ([document, schema], { budget }) => {
    const value = documentOf(document!, budget);
    const faults = validate(compileSchema(documentOf(schema!, budget)), value, budget);
    const listed = faults.map(({ field, type, description }) =>
      RegoObject.from({ error: `${field}: ${description}`, type, field, desc: description }),
    );
    return [faults.length === 0, listed];
  },
};

/** A document, or its JSON text; sets become arrays and keys text, as in JSON. */
function documentOf(value: RegoValue, budget: BuiltinBudget): RegoValue {
  if (typeof value === 'string') {
    try {
      return unmarshal(value, budget);
    } catch (error) {
      if (error instanceof BuiltinError) throw new BuiltinError('invalid JSON string', { cause: error });
      throw error;
    }
  }
  if (!isObject(value) && !Array.isArray(value)) throw new BuiltinError('wrong type, expected string or object');
  return unmarshal(writeJson(value), budget);
}
