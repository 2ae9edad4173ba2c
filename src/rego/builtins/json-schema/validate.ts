import { formatFloat } from '../float-format';
import { unsupported, type Keywords, type Schema } from './schema';
import { equalValues } from '../../values/compare';
import { hashKey } from '../../values/hash-key';
import { writeJson } from '../../values/json';
import { compareNumbers, isNumber, toBigInt, toDouble, type RegoNumber } from '../../values/number';
import { fromPlain, toPlain } from '../../values/plain';
import type { RegoObject } from '../../values/rego-object';
import { isObject, typeName, type RegoValue } from '../../values/value';

/** A fault in the words of OPA's validator (a copy of xeipuu/gojsonschema). */
export interface SchemaFault {
  /** `a.0.b`, or `(Root)` */
  field: string;
  type: string;
  description: string;
}

/** @param field where `value` is, as OPA names it */
export function validate(schema: Schema, value: RegoValue, field = ROOT): SchemaFault[] {
  if (schema === true) return [];
  if (schema === false) return [{ field, type: 'false', description: 'False always fails validation' }];
  return new Validation(schema, value, field).faults();
}

export const ROOT = '(Root)';
const stepInto = (field: string, step: string) => (field === ROOT ? step : `${field}.${step}`);

class Validation {
  private readonly found: SchemaFault[] = [];

  constructor(
    private readonly schema: Keywords,
    private readonly value: RegoValue,
    private readonly field: string,
  ) {}

  faults(): SchemaFault[] {
    const { schema, value } = this;
    const type = jsonType(value);
    const isOfType = schema.types.includes(type) || (type === 'integer' && schema.types.includes('number'));
    if (schema.types.length > 0 && !isOfType) {
      const expected = schema.types.length > 1 ? `[${schema.types.join(',')}]` : schema.types[0];
      this.add('invalid_type', `Invalid type. Expected: ${expected}, given: ${type}`);
      return this.found;
    }
    this.combinations();
    if (Array.isArray(value)) this.array(value);
    if (isObject(value)) this.object(value);
    if (isNumber(value)) this.number(value);
    this.choices();
    if (typeof value === 'string') this.string(value);
    if (isObject(value)) this.properties(value);
    return this.found;
  }

  private add(type: string, description: string): void {
    this.found.push({ field: this.field, type, description });
  }

  private combinations(): void {
    const { allOf, anyOf, oneOf, not } = this.schema;
    const validIn = (schemas: Schema[]) =>
      schemas.filter((schema) => validate(schema, this.value, this.field).length === 0).length;
    // which of the faults OPA shows then depends on how many parts of each schema were met
    if (anyOf.length > 0 && validIn(anyOf) === 0) throw unsupported('the report on a failed anyOf');
    if (oneOf.length > 0 && validIn(oneOf) !== 1) throw unsupported('the report on a failed oneOf');
    for (const schema of allOf) this.found.push(...validate(schema, this.value, this.field));
    if (validIn(allOf) !== allOf.length) this.add('number_all_of', 'Must validate all the schemas (allOf)');
    if (not !== undefined && validIn([not]) === 1) this.add('number_not', 'Must not validate the schema (not)');
  }

  private choices(): void {
    const value = inDoubles(this.value);
    const allowed = this.schema.const === undefined ? undefined : inDoubles(this.schema.const);
    if (allowed !== undefined && !equalValues(allowed, value)) {
      this.add('const', `${this.field} does not match: ${writeJson(allowed)}`);
    }
    const choices = this.schema.enum?.map(inDoubles);
    if (choices && !choices.some((choice) => equalValues(choice, value))) {
      this.add('enum', `${this.field} must be one of the following: ${choices.map(writeJson).join(', ')}`);
    }
  }

  private array(items: RegoValue[]): void {
    const { items: schema, minItems, maxItems, uniqueItems } = this.schema;
    if (schema !== undefined) {
      for (const [index, item] of items.entries()) {
        this.found.push(...validate(schema, item, stepInto(this.field, String(index))));
      }
    }
    if (minItems !== undefined && items.length < minItems) {
      this.add('array_min_items', `Array must have at least ${minItems} items`);
    }
    if (maxItems !== undefined && items.length > maxItems) {
      this.add('array_max_items', `Array must have at most ${maxItems} items`);
    }
    const seen = new Map<unknown, number>();
    for (const [index, item] of items.entries()) {
      const key = hashKey(inDoubles(item));
      const before = seen.get(key);
      if (uniqueItems && before !== undefined) {
        this.add('unique', `array items[${before},${index}] must be unique`);
      }
      seen.set(key, index);
    }
  }

  private object(object: RegoObject): void {
    const { minProperties, maxProperties, required, properties, patternProperties } = this.schema;
    if (minProperties !== undefined && object.size < minProperties) {
      this.add('array_min_properties', `Must have at least ${minProperties} properties`);
    }
    if (maxProperties !== undefined && object.size > maxProperties) {
      this.add('array_max_properties', `Must have at most ${maxProperties} properties`);
    }
    for (const name of required) if (!object.has(name)) this.add('required', `${name} is required`);
    for (const [key, value] of object.entries) {
      const name = String(key);
      const patterns = patternProperties.filter(([pattern]) => pattern.matcher(name).find());
      for (const [, schema] of patterns) this.found.push(...validate(schema, value, stepInto(this.field, name)));
      if (patterns.length === 0 && !properties.some(([described]) => described === name)) this.additional(name, value);
    }
  }

  private additional(name: string, value: RegoValue): void {
    const { additionalProperties } = this.schema;
    if (additionalProperties === false) {
      this.add('additional_property_not_allowed', `Additional property ${name} is not allowed`);
    } else this.found.push(...validate(additionalProperties, value, stepInto(this.field, name)));
  }

  private properties(object: RegoObject): void {
    for (const [name, schema] of this.schema.properties) {
      const value = object.get(name);
      if (value !== undefined) this.found.push(...validate(schema, value, stepInto(this.field, name)));
    }
  }

  private number(value: RegoNumber): void {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = this.schema;
    const text = (limit: RegoNumber) => formatFloat(toDouble(limit), 'g', 10);
    if (maximum !== undefined && compareNumbers(value, maximum) > 0) {
      this.add('number_lte', `Must be less than or equal to ${text(maximum)}`);
    }
    if (exclusiveMaximum !== undefined && compareNumbers(value, exclusiveMaximum) >= 0) {
      this.add('number_lt', `Must be less than ${text(exclusiveMaximum)}`);
    }
    if (minimum !== undefined && compareNumbers(value, minimum) < 0) {
      this.add('number_gte', `Must be greater than or equal to ${text(minimum)}`);
    }
    if (exclusiveMinimum !== undefined && compareNumbers(value, exclusiveMinimum) <= 0) {
      this.add('number_gt', `Must be greater than ${text(exclusiveMinimum)}`);
    }
  }

  private string(value: string): void {
    const { minLength, maxLength, pattern } = this.schema;
    const length = [...value].length;
    if (minLength !== undefined && length < minLength) {
      this.add('string_gte', `String length must be greater than or equal to ${minLength}`);
    }
    if (maxLength !== undefined && length > maxLength) {
      this.add('string_lte', `String length must be less than or equal to ${maxLength}`);
    }
    if (pattern && !pattern.expression.matcher(value).find()) {
      this.add('pattern', `Does not match pattern '${pattern.text}'`);
    }
  }
}

/** Values are compared and shown as Go does after it read their numbers as doubles. */
const inDoubles = (value: RegoValue): RegoValue => fromPlain(toPlain(value));

/** 2.0 is an integer. */
function jsonType(value: RegoValue): string {
  if (!isNumber(value)) return typeName(value);
  return toBigInt(value) === undefined ? 'number' : 'integer';
}
