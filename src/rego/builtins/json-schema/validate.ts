import { formatFloat } from '../float-format';
import type { BuiltinBudget } from '../plan-builtin';
import { compareNumbers, decimalOf, isNumber, toDouble, type RegoNumber } from '../../values/number';
import type { RegoObject } from '../../values/rego-object';
import { isObject, typeName, type RegoValue } from '../../values/value';
import { isOfFormat } from './formats';
import { marshalled } from './marshalled';
import { isInteger, type Schema } from './schema';

/** A fault in the words of OPA's validator (a copy of xeipuu/gojsonschema). */
export interface SchemaFault {
  /** `a.0.b`, or `(Root)` */
  field: string;
  type: string;
  description: string;
}

/** What was found; of several schemas the report shows the one with the highest score. */
interface Result {
  faults: SchemaFault[];
  score: number;
}

export const ROOT = '(Root)';
const stepInto = (field: string, step: string) => (field === ROOT ? step : `${field}.${step}`);

export function validate(schema: Schema, value: RegoValue, budget: BuiltinBudget): SchemaFault[] {
  return new Validator(budget).check(schema, value, ROOT).faults;
}

const isValid = ({ faults }: Result) => faults.length === 0;

class Validator {
  private found = 0;

  constructor(private readonly budget: BuiltinBudget) {}

  check(schema: Schema, value: RegoValue, field: string): Result {
    const result: Result = { faults: [], score: 0 };
    this.run(schema, value, field, result);
    return result;
  }

  private run(schema: Schema, value: RegoValue, field: string, result: Result): void {
    this.budget.spend(1);
    if (schema.pass !== undefined) {
      if (!schema.pass) this.add(result, field, 'false', 'False always fails validation');
      return;
    }
    if (schema.target) return this.run(schema.target, value, field, result);
    const type = isNumber(value) ? (isInteger(value) ? 'integer' : 'number') : typeName(value);
    const isOfType = schema.types.includes(type) || (type === 'integer' && schema.types.includes('number'));
    if (schema.types.length > 0 && !isOfType) {
      const expected = schema.types.length > 1 ? `[${schema.types.join(',')}]` : schema.types[0];
      this.add(result, field, 'invalid_type', `Invalid type. Expected: ${expected}, given: ${type}`);
      return;
    }
    this.combinations(schema, value, field, result);
    if (Array.isArray(value)) this.array(schema, value, field, result);
    else if (isObject(value)) this.object(schema, value, field, result);
    else if (isNumber(value)) this.number(schema, value, field, result);
    this.choices(schema, value, field, result);
    if (typeof value === 'string') this.text(schema, value, field, result);
    if (isObject(value)) {
      for (const [name, part] of schema.properties) {
        const item = value.get(name);
        if (item !== undefined) this.run(part, item, stepInto(field, name), result);
      }
    }
    result.score++;
  }

  private add(result: Result, field: string, type: string, description: string): void {
    this.budget.elements(++this.found);
    result.faults.push({ field, type, description });
    result.score -= 2;
  }

  private merge(result: Result, other: Result | undefined): void {
    if (!other) return;
    this.budget.spend(other.faults.length);
    for (const fault of other.faults) result.faults.push(fault);
    result.score += other.score;
  }

  private combinations(schema: Schema, value: RegoValue, field: string, result: Result): void {
    const { anyOf, oneOf, allOf, not } = schema;
    if (anyOf.length > 0) this.anyOf(anyOf, value, field, result);
    if (oneOf.length > 0) this.oneOf(oneOf, value, field, result);
    if (allOf.length > 0) {
      const results = allOf.map((part) => this.check(part, value, field));
      for (const one of results) this.merge(result, one);
      if (!results.every(isValid)) this.add(result, field, 'number_all_of', 'Must validate all the schemas (allOf)');
    }
    if (not && isValid(this.check(not, value, field))) {
      this.add(result, field, 'number_not', 'Must not validate the schema (not)');
    }
    if (isObject(value)) this.dependencies(schema, value, field, result);
    this.conditions(schema, value, field, result);
    result.score++;
  }

  private anyOf(schemas: Schema[], value: RegoValue, field: string, result: Result): void {
    let best: Result | undefined;
    for (const schema of schemas) {
      const one = this.check(schema, value, field);
      if (isValid(one)) return;
      if (!best || one.score > best.score) best = one;
    }
    this.add(result, field, 'number_any_of', 'Must validate at least one schema (anyOf)');
    this.merge(result, best);
  }

  private oneOf(schemas: Schema[], value: RegoValue, field: string, result: Result): void {
    let valid = 0;
    let best: Result | undefined;
    for (const schema of schemas) {
      const one = this.check(schema, value, field);
      if (isValid(one)) valid++;
      else if (valid === 0 && (!best || one.score > best.score)) best = one;
    }
    if (valid === 1) return;
    this.add(result, field, 'number_one_of', 'Must validate one and only one schema (oneOf)');
    if (valid === 0) this.merge(result, best);
  }

  private dependencies({ dependencies }: Schema, value: RegoObject, field: string, result: Result): void {
    if (dependencies.size === 0) return;
    for (const key of value.keys) {
      const dependency = dependencies.get(String(key));
      if (Array.isArray(dependency)) {
        for (const name of dependency) {
          if (!value.has(name)) this.add(result, field, 'missing_dependency', `Has a dependency on ${name}`);
        }
      } else if (dependency) this.run(dependency, value, field, result);
    }
  }

  private conditions(schema: Schema, value: RegoValue, field: string, result: Result): void {
    if (!schema.if) return;
    const holds = isValid(this.check(schema.if, value, field));
    const branch = holds ? schema.then : schema.else;
    const other = branch && this.check(branch, value, field);
    if (!other || isValid(other)) return;
    if (holds) this.add(result, field, 'condition_then', 'Must validate "then" as "if" was valid');
    else this.add(result, field, 'condition_else', 'Must validate "else" as "if" was not valid');
    this.merge(result, other);
  }

  private array(schema: Schema, items: RegoValue[], field: string, result: Result): void {
    const check = (part: Schema, index: number) => this.check(part, items[index]!, stepInto(field, String(index)));
    const { items: parts, additionalItems } = schema;
    const inOrder = Array.isArray(parts) ? parts : [];
    for (let index = 0; index < items.length; index++) {
      const part = Array.isArray(parts) ? inOrder[index] : parts;
      if (part) this.merge(result, check(part, index));
    }
    if (inOrder.length > 0 && inOrder.length < items.length) {
      if (additionalItems === false) {
        this.add(result, field, 'array_no_additional_items', 'No additional items allowed on array');
      } else if (typeof additionalItems === 'object') {
        for (let index = inOrder.length; index < items.length; index++)
          this.merge(result, check(additionalItems, index));
      }
    }
    if (items.length < (schema.minItems ?? 0)) {
      this.add(result, field, 'array_min_items', `Array must have at least ${schema.minItems} items`);
    }
    if (items.length > (schema.maxItems ?? Infinity)) {
      this.add(result, field, 'array_max_items', `Array must have at most ${schema.maxItems} items`);
    }
    if (schema.uniqueItems) this.unique(items, field, result);
    if (schema.contains) this.contains(schema.contains, items, field, result);
    result.score++;
  }

  private unique(items: RegoValue[], field: string, result: Result): void {
    const seen = new Map<string, number>();
    for (const [index, item] of items.entries()) {
      const key = marshalled(item);
      this.budget.spend(key.length >> 3);
      const before = seen.get(key);
      if (before !== undefined) this.add(result, field, 'unique', `array items[${before},${index}] must be unique`);
      seen.set(key, index);
    }
  }

  private contains(schema: Schema, items: RegoValue[], field: string, result: Result): void {
    let best: Result | undefined;
    for (const [index, item] of items.entries()) {
      const one = this.check(schema, item, stepInto(field, String(index)));
      if (isValid(one)) return;
      if (!best || one.score > best.score) best = one;
    }
    this.add(result, field, 'contains', 'At least one of the items must match');
    this.merge(result, best);
  }

  private object(schema: Schema, object: RegoObject, field: string, result: Result): void {
    const { minProperties = 0, maxProperties = Infinity, required, properties, patternProperties } = schema;
    if (object.size < minProperties) {
      this.add(result, field, 'array_min_properties', `Must have at least ${minProperties} properties`);
    }
    if (object.size > maxProperties) {
      this.add(result, field, 'array_max_properties', `Must have at most ${maxProperties} properties`);
    }
    for (const name of required) {
      if (object.has(name)) result.score++;
      else this.add(result, field, 'required', `${name} is required`);
    }
    const described = new Set(properties.map(([name]) => name));
    for (const [key, value] of object.entries) {
      const name = String(key);
      this.budget.spend(patternProperties.length + (name.length >> 3));
      const matching = patternProperties.filter(([pattern]) => pattern.matcher(name).find());
      for (const [, part] of matching) this.merge(result, this.check(part, value, stepInto(field, name)));
      if (matching.length > 0) result.score++;
      else if (!described.has(name)) this.additional(schema, name, value, field, result);
    }
    if (schema.propertyNames) {
      for (const key of object.keys) {
        const one = this.check(schema.propertyNames, key, field);
        if (isValid(one)) continue;
        this.add(result, field, 'invalid_property_name', `Property name of "${String(key)}" does not match`);
        this.merge(result, one);
      }
    }
    result.score++;
  }

  private additional(schema: Schema, name: string, value: RegoValue, field: string, result: Result): void {
    const { additionalProperties } = schema;
    if (additionalProperties === false) {
      const description = `Additional property ${name} is not allowed`;
      this.add(result, field, 'additional_property_not_allowed', description);
    } else if (typeof additionalProperties === 'object') {
      this.merge(result, this.check(additionalProperties, value, stepInto(field, name)));
    }
  }

  private choices(schema: Schema, value: RegoValue, field: string, result: Result): void {
    if (schema.const !== undefined && marshalled(value) !== schema.const) {
      this.add(result, field, 'const', `${field} does not match: ${schema.const}`);
    }
    if (schema.enum && !schema.enum.includes(marshalled(value))) {
      this.add(result, field, 'enum', `${field} must be one of the following: ${schema.enum.join(', ')}`);
    }
    if (schema.format !== undefined && typeof value === 'string' && !isOfFormat(schema.format, value)) {
      this.add(result, field, 'format', `Does not match format '${schema.format}'`);
    }
    result.score++;
  }

  private number(schema: Schema, value: RegoNumber, field: string, result: Result): void {
    const { multipleOf, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
    const text = (limit: RegoNumber) => formatFloat(toDouble(limit) + 0, 'g', 10);
    if (multipleOf !== undefined && !this.isMultiple(value, multipleOf)) {
      this.add(result, field, 'multiple_of', `Must be a multiple of ${text(multipleOf)}`);
    }
    if (maximum !== undefined && compareNumbers(value, maximum) > 0) {
      this.add(result, field, 'number_lte', `Must be less than or equal to ${text(maximum)}`);
    }
    if (exclusiveMaximum !== undefined && compareNumbers(value, exclusiveMaximum) >= 0) {
      this.add(result, field, 'number_lt', `Must be less than ${text(exclusiveMaximum)}`);
    }
    if (minimum !== undefined && compareNumbers(value, minimum) < 0) {
      this.add(result, field, 'number_gte', `Must be greater than or equal to ${text(minimum)}`);
    }
    if (exclusiveMinimum !== undefined && compareNumbers(value, exclusiveMinimum) <= 0) {
      this.add(result, field, 'number_gt', `Must be greater than ${text(exclusiveMinimum)}`);
    }
    result.score++;
  }

  /** exactly, in decimal */
  private isMultiple(value: RegoNumber, multiple: RegoNumber): boolean {
    const [a, b] = [decimalOf(value), decimalOf(multiple)];
    if (a.digits === '') return true;
    const least = Math.min(a.exponent, b.exponent);
    const [aZeros, bZeros] = [a.exponent - least, b.exponent - least];
    this.budget.characters(a.digits.length + b.digits.length + aZeros + bZeros);
    this.budget.spend(((aZeros + bZeros) >> 6) ** 2);
    const scaled = (digits: string, zeros: number) => BigInt(digits) * 10n ** BigInt(zeros);
    return scaled(a.digits, aZeros) % scaled(b.digits, bZeros) === 0n;
  }

  private text(schema: Schema, value: string, field: string, result: Result): void {
    const { minLength = 0, maxLength = Infinity, pattern } = schema;
    this.budget.spend(value.length >> 3);
    const length = [...value].length;
    if (length < minLength) {
      this.add(result, field, 'string_gte', `String length must be greater than or equal to ${minLength}`);
    }
    if (length > maxLength) {
      this.add(result, field, 'string_lte', `String length must be less than or equal to ${maxLength}`);
    }
    if (pattern && !pattern.expression.matcher(value).find()) {
      this.add(result, field, 'pattern', `Does not match pattern '${pattern.text}'`);
    }
    result.score++;
  }
}
