import { BuiltinError, orBuiltinError, type Builtins } from './builtin';
import { objectAt, OperandError, stringAt } from './operands';
import type { BuiltinBudget } from './plan-builtin';
import { escapeHtml, jsonEntries, quoteJson, writeJson } from '../values/json';
import { parseJson } from '../values/parse-json';
import type { RegoObject } from '../values/rego-object';
import { isObject, isSet, type RegoValue } from '../values/value';

/** Go's `encoding/json` reads no deeper. */
const DEEPEST = 10_000;

export const jsonBuiltins: Builtins = {
  'json.marshal': ([value], { budget }) => {
    const json = escapeHtml(writeJson(value!));
    budget.characters(json.length);
    return json;
  },
  'json.marshal_with_options': (operands, { budget }) => marshal(operands[0]!, objectAt(operands, 1), budget),
  'json.unmarshal': (operands, { budget }) => unmarshal(stringAt(operands, 0), budget),
  'json.is_valid': ([text]) => {
    if (typeof text !== 'string' || depthOf(text) > DEEPEST) return false;
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  },
};

export function unmarshal(text: string, budget: BuiltinBudget): RegoValue {
  // as many elements as it has commas and brackets, at most
  budget.elements(text.length >> 1);
  if (depthOf(text) > DEEPEST) throw new BuiltinError('exceeded max depth');
  return orBuiltinError(() => parseJson(text));
}

function depthOf(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const [bracket] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (bracket === '[' || bracket === '{') deepest = Math.max(deepest, ++depth);
    else if (bracket === ']' || bracket === '}') depth--;
  }
  return deepest;
}

/** Indenting is off unless asked for; naming a prefix or an indent asks for it. */
function marshal(value: RegoValue, options: RegoObject, budget: BuiltinBudget): string {
  const { prefix, indent, pretty } = readOptions(options);
  if (!pretty) {
    const json = escapeHtml(writeJson(value));
    budget.characters(json.length);
    return json;
  }
  return prefix + indented(value, `\n${prefix}`, indent, budget);
}

function readOptions(options: RegoObject): { prefix: string; indent: string; pretty: boolean } {
  let [prefix, indent] = ['', '\t'];
  let pretty: boolean | undefined;
  for (const [key, option] of options.entries) {
    if (key === 'pretty' && typeof option === 'boolean') pretty = option;
    else if (key === 'prefix' && typeof option === 'string') prefix = option;
    else if (key === 'indent' && typeof option === 'string') indent = option;
    else throw new OperandError(1, `object contained unknown key ${writeJson(key)}, or one of the wrong type`);
  }
  return { prefix, indent, pretty: pretty ?? (options.has('prefix') || options.has('indent')) };
}

function indented(value: RegoValue, newline: string, indent: string, budget: BuiltinBudget): string {
  const inner = newline + indent;
  const items = isObject(value)
    ? jsonEntries(value).map(([key, item]) => [`${escapeHtml(quoteJson(key))}: `, item] as const)
    : (isSet(value) ? value.items : Array.isArray(value) ? value : undefined)?.map((item) => ['', item] as const);
  if (!items) return escapeHtml(writeJson(value));
  const [open, close] = isObject(value) ? ['{', '}'] : ['[', ']'];
  if (items.length === 0) return open + close;
  const parts = items.map(([name, item]) => name + indented(item, inner, indent, budget));
  const length = parts.reduce((sum, part) => sum + part.length + inner.length + 1, newline.length + 2);
  budget.characters(length);
  return `${open}${inner}${parts.join(`,${inner}`)}${newline}${close}`;
}
