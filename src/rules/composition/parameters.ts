import { canonicalJson } from '../../kernel/canonical-json';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { escapePointer } from '../../kernel/json-pointer';
import { shortText } from '../../kernel/short-text';
import { closeName } from '../../platform/documents/close-name';
import { describeKind } from '../../platform/documents/json-document';
import type { RuleFault } from '../conditions/read-condition';
import type { Parameter } from '../document/rule-policy';

export type Parameters = Readonly<Record<string, Parameter>>;

/**
 * `value` with every `{ "parameter": NAME }` replaced by its argument, or its default. An argument may itself hold parameters,
 * those of the policy that gives it: these stay.
 *
 * @param pointer of `value` in its document
 */
export function fillIn(
  value: JsonValue,
  pointer: string,
  parameters: Parameters,
  given: JsonObject,
): { value: JsonValue; faults: RuleFault[] } {
  const faults: RuleFault[] = [];
  const names = Object.keys(parameters);

  function filled(item: JsonValue, at: string): JsonValue {
    if (Array.isArray(item)) return item.map((each, index) => filled(each, `${at}/${index}`));
    if (!isJsonObject(item)) return item;
    if (!isParameterReference(item)) {
      return Object.fromEntries(
        Object.entries(item).map(([key, each]) => [key, filled(each, `${at}/${escapePointer(key)}`)]),
      );
    }
    const name = item.parameter;
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (parameter === undefined) {
      const close = closeName(name, names);
      const hint = close === undefined ? `declared are ${names.join(', ') || 'none'}` : `did you mean ${close}?`;
      faults.push({ pointer: at, sentence: `unknown parameter ${shortText(name, 80)}; ${hint}` });
      return item;
    }
    const argument = Object.hasOwn(given, name) ? given[name] : (parameter.default as JsonValue | undefined);
    if (argument === undefined) {
      faults.push({ pointer: at, sentence: `the parameter ${name} has no default and is not given` });
      return null;
    }
    return argument;
  }

  return { value: filled(value, pointer), faults };
}

/** What is wrong with arguments: names that nobody declares, and values that their parameter does not take. */
export function argumentFaults(parameters: Parameters, given: JsonObject, pointer: string): RuleFault[] {
  return Object.entries(given).flatMap(([name, value]) => {
    const at = `${pointer}/${escapePointer(name)}`;
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (parameter === undefined) {
      const names = Object.keys(parameters);
      const close = closeName(name, names);
      const hint = close === undefined ? `known are ${names.join(', ') || 'none'}` : `did you mean ${close}?`;
      return [{ pointer: at, sentence: `unknown parameter ${shortText(name, 80)}; ${hint}` }];
    }
    const sentence = holdsParameter(value) ? undefined : parameterFault(parameter, value);
    return sentence === undefined ? [] : [{ pointer: at, sentence }];
  });
}

/** What is wrong with declarations: a default that its own parameter does not take. */
export function declarationFaults(parameters: Parameters, pointer: string): RuleFault[] {
  return Object.entries(parameters).flatMap(([name, parameter]) => {
    if (parameter.default === undefined) return [];
    const sentence = parameterFault(parameter, parameter.default as JsonValue);
    return sentence === undefined ? [] : [{ pointer: `${pointer}/${escapePointer(name)}/default`, sentence }];
  });
}

function parameterFault({ type, minimum, maximum, enum: values }: Parameter, value: JsonValue): string | undefined {
  if (!isOfType(type, value)) return `expected a value of type ${type}, got ${describeKind(value)}`;
  if (typeof value === 'number' && minimum !== undefined && value < minimum) {
    return `expected at least ${minimum}, got ${value}`;
  }
  if (typeof value === 'number' && maximum !== undefined && value > maximum) {
    return `expected at most ${maximum}, got ${value}`;
  }
  if (values !== undefined && !values.some((each) => canonicalJson(each) === canonicalJson(value))) {
    return `expected one of ${values.map((each) => JSON.stringify(each)).join(', ')}, got ${shortText(JSON.stringify(value), 80)}`;
  }
  return undefined;
}

function isOfType(type: Parameter['type'], value: JsonValue): boolean {
  if (type === 'integer') return Number.isInteger(value);
  return type === 'array' ? Array.isArray(value) : typeof value === type;
}

function isParameterReference(value: JsonObject): value is { parameter: string } {
  const keys = Object.keys(value);
  return keys.length === 1 && keys[0] === 'parameter' && typeof value.parameter === 'string';
}

function holdsParameter(value: JsonValue): boolean {
  if (Array.isArray(value)) return value.some(holdsParameter);
  if (!isJsonObject(value)) return false;
  return isParameterReference(value) || Object.values(value).some(holdsParameter);
}
