import { isJsonObject, type JsonObject } from '../../kernel/json';
import type { Fault } from '../../kernel/failures';
import { lineOf, refuse } from './source-faults';

/**
 * Reads of the configuration by a key that is not written out (`data.config.limits[name]`). `opa deps` stops at such a
 * key, so nobody could say before the evaluation that the value is there, and in Rego an absent limit denies nothing. Refused
 * through imports (`import data.config.limits as l`) and through variables that hold the configuration or a part of it.
 *
 * @param tree the file's syntax tree (`opa parse --format json --json-include locations`)
 */
export function configKeyFaults(file: string, tree: unknown): Fault[] {
  const prefixes = configNames(tree);
  const faults: Fault[] = [];
  walk(tree, 1, (node, line) => {
    const keys = keysBelowConfig(node, prefixes);
    const computed = keys?.findIndex((key) => !isConstant(key)) ?? -1;
    if (keys === undefined || computed < 0) return;
    const path = ['data.config', ...keys.slice(0, computed).map((key) => String(key.value))].join('.');
    const what = `${path} is read by a key that is not written out: whether the value is there could not be checked, and an absent limit denies nothing`;
    faults.push(refuse(file, line, `${what}. Name every key, as in ${path}.max`));
  });
  return faults;
}

interface Term extends JsonObject {
  type: string;
}

/** Names of a file that stand for a path below `data.config`: imports, rules, and variables assigned to one. */
function configNames(tree: unknown): Map<string, Term[]> {
  const names = new Map<string, Term[]>();
  const imports = isJsonObject(tree) && Array.isArray(tree.imports) ? tree.imports : [];
  for (const entry of imports) {
    if (!isJsonObject(entry)) continue;
    const below = keysBelowConfig(entry.path, names);
    const last = below?.at(-1)?.value ?? 'config';
    if (below) names.set(typeof entry.alias === 'string' ? entry.alias : String(last), below);
  }
  const rules = isJsonObject(tree) && Array.isArray(tree.rules) ? tree.rules : [];
  for (const rule of rules) {
    const head = isJsonObject(rule) ? rule.head : undefined;
    if (!isJsonObject(head) || typeof head.name !== 'string') continue;
    const below = keysBelowConfig(head.value, names);
    if (below) names.set(head.name, below);
  }
  // Twice, so that a variable assigned from another one is known whatever their order.
  for (let round = 0; round < 2; round += 1) {
    walk(tree, 1, (node) => {
      const terms = node.terms;
      if (!Array.isArray(terms) || terms.length !== 3) return;
      const [operator, ...sides] = terms;
      if (!isJsonObject(operator) || !['assign', 'eq'].includes(operatorName(operator))) return;
      for (const [variable, value] of [sides, [...sides].reverse()]) {
        if (!isJsonObject(variable) || variable.type !== 'var') continue;
        const below = keysBelowConfig(value, names);
        if (below) names.set(String(variable.value), below);
      }
    });
  }
  return names;
}

/** The keys below `data.config` that a reference reads; undefined when it reads something else. */
function keysBelowConfig(node: unknown, names: ReadonlyMap<string, Term[]>): Term[] | undefined {
  if (!isJsonObject(node)) return undefined;
  if (node.type === 'var') return names.get(String(node.value));
  if (node.type !== 'ref' || !Array.isArray(node.value)) return undefined;
  const [head, ...keys] = node.value as Term[];
  if (head?.type !== 'var') return undefined;
  if (head.value === 'data') return keys[0]?.value === 'config' ? keys.slice(1) : undefined;
  const prefix = names.get(String(head.value));
  return prefix === undefined ? undefined : [...prefix, ...keys];
}

function isConstant(key: Term): boolean {
  return key.type === 'string';
}

function operatorName(operator: JsonObject): string {
  const [head] = Array.isArray(operator.value) ? operator.value : [];
  return isJsonObject(head) ? String(head.value) : '';
}

function walk(node: unknown, line: number, visit: (node: JsonObject, line: number) => void): void {
  if (Array.isArray(node)) for (const item of node as unknown[]) walk(item, line, visit);
  if (!isJsonObject(node)) return;
  const here = lineOf(node) ?? line;
  visit(node, here);
  for (const [key, child] of Object.entries(node)) if (key !== 'location') walk(child, here, visit);
}
