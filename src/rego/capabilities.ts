import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/json';
import { BUILTIN_NAMES } from './builtins/names';

/**
 * The built-ins that OPA 1.22 compiles into the module itself (`builtinsFunctions` in its internal/compiler/wasm).
 * Two kinds that never reach it are at the end: what the compiler rewrites, and `print`, which `opa build` leaves out.
 * Two are left out, since the module's answers are not always OPA's: `json.unmarshal`, `format_int`.
 */
export const WASM_BUILTINS: readonly string[] = [
  ...['plus', 'minus', 'mul', 'div', 'abs', 'round', 'ceil', 'floor', 'rem'],
  ...['array.concat', 'array.flatten', 'array.reverse', 'array.slice'],
  ...['set_diff', 'and', 'or', 'intersection', 'union'],
  ...['is_number', 'is_string', 'is_boolean', 'is_array', 'is_set', 'is_object', 'is_null', 'type_name'],
  ...['bits.or', 'bits.and', 'bits.negate', 'bits.xor', 'bits.lsh', 'bits.rsh'],
  ...['count', 'sum', 'product', 'max', 'min', 'sort', 'all', 'any'],
  ...['base64.is_valid', 'base64.decode', 'base64.encode', 'base64url.encode', 'base64url.decode'],
  ...['net.cidr_contains', 'net.cidr_overlap', 'net.cidr_intersects'],
  ...['equal', 'gt', 'gte', 'lt', 'lte', 'neq', 'glob.match'],
  ...['json.marshal', 'json.is_valid', 'json.remove', 'json.filter'],
  ...['object.filter', 'object.get', 'object.keys', 'object.remove', 'object.union', 'object.union_n'],
  ...['concat', 'indexof', 'substring', 'lower', 'upper', 'contains', 'startswith', 'endswith'],
  ...['strings.reverse', 'split', 'replace', 'strings.replace_n'],
  ...['trim', 'trim_left', 'trim_prefix', 'trim_right', 'trim_suffix', 'trim_space'],
  ...['internal.template_string', 'numbers.range', 'to_number', 'walk', 'graph.reachable'],
  ...['regex.is_valid', 'regex.match', 're_match', 'regex.find_all_string_submatch_n'],
  ...['internal.member_2', 'internal.member_3'],
  ...['assign', 'eq', 'rego.metadata.chain', 'rego.metadata.rule'],
  ...['print', 'internal.print', 'internal.test_case'],
];

/** Those that the module has and answers in a way of its own: where the plan calls one, the module has no vote. */
export const PLAN_ONLY_BUILTINS: readonly string[] = ['format_int', 'json.unmarshal'];

/** The built-ins that a module asks its host for, sorted; see docs/built-ins.md. */
export const HOST_BUILTINS: readonly string[] = BUILTIN_NAMES.filter(
  (name) => !WASM_BUILTINS.includes(name) && !PLAN_ONLY_BUILTINS.includes(name),
).toSorted();

/** What decides: OPA's plan takes every built-in from our table, a wasm module has many in ways of its own. */
export type CapabilitiesTarget = 'plan' | 'wasm';

/** What the compiler rewrites or leaves out, so that no evaluator ever calls it. */
const COMPILED_AWAY: readonly string[] = ['assign', 'print', 'rego.metadata.chain', 'rego.metadata.rule'];

/** The built-ins that a policy may call, sorted; see docs/built-ins.md. */
export function supportedBuiltins(target: CapabilitiesTarget): readonly string[] {
  if (target === 'plan') return [...new Set([...BUILTIN_NAMES, ...COMPILED_AWAY])].sort();
  return [...WASM_BUILTINS, ...HOST_BUILTINS].sort();
}

/**
 * Capabilities for `opa build --capabilities`: those of the `opa` at hand (`opa capabilities --current`) less the
 * built-ins that the evaluator lacks, so that a policy that calls one does not build.
 *
 * @throws TypeError when `current` is not such a document
 */
export function createCapabilities(current: JsonObject, target: CapabilitiesTarget = 'wasm'): JsonObject {
  const { builtins } = current;
  if (!Array.isArray(builtins)) {
    throw new TypeError('Expected the capabilities of opa to have a list called builtins');
  }
  const supported = new Set(supportedBuiltins(target));
  const isSupported = (builtin: JsonValue) =>
    isJsonObject(builtin) && typeof builtin.name === 'string' && supported.has(builtin.name);
  return { ...current, builtins: builtins.filter(isSupported) };
}
