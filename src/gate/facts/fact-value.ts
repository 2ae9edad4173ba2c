import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import type { JsonSchema } from '../../kernel/json';
import { findUnsafeNumber } from '../../kernel/numbers';

const ajv = addFormats(new Ajv2020({ allErrors: true, strict: false, validateSchema: false }));
const compiled = new WeakMap<JsonSchema, ValidateFunction>();

/** What is wrong with a fact's value as a clause ("is null"), undefined when it may be used. Throws nothing. */
export function valueFault(value: unknown, schema: JsonSchema): string | undefined {
  if (value === null || value === undefined) return `is ${value === null ? 'null' : 'absent'}`;
  const unsafe = findUnsafeNumber(value);
  if (unsafe !== undefined) return `holds a number beyond 2^53 or not finite${unsafe === '' ? '' : ` at ${unsafe}`}`;
  let validate = compiled.get(schema);
  if (validate === undefined) {
    try {
      validate = ajv.compile(schema);
    } catch (error) {
      return `cannot be checked, its schema is broken: ${(error as Error).message}`;
    }
    compiled.set(schema, validate);
  }
  if (validate(value)) return undefined;
  return `does not fit its schema: ${ajv.errorsText(validate.errors, { dataVar: 'value' })}`;
}
