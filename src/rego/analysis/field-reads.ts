import { FailureType, type Fault } from '../../kernel/failures';
import { isJsonObject } from '../../kernel/json';

/** Every text in the syntax tree of a Rego file (`opa parse`), once. */
export function textsIn(tree: unknown): string[] {
  const texts = new Set<string>();
  visit(tree, (node) => {
    if (node.type === 'string' && typeof node.value === 'string') texts.add(node.value);
  });
  return [...texts];
}

/**
 * Fields that are read of a function's parameter or of what `every` goes through, under a name that input.json gives to
 * no property. OPA's type checker knows neither of the two (tried with 1.22), and an absent field would not deny.
 *
 * @param declared names of properties; keys of objects that the file itself writes are known too
 */
export function unknownFields(file: string, tree: unknown, declared: readonly string[]): Fault[] {
  const known = new Set(declared);
  visit(tree, (node) => {
    if (node.type === 'object' && Array.isArray(node.value)) {
      for (const pair of node.value as unknown[]) if (Array.isArray(pair)) known.add(String(textOf(pair[0])));
    }
  });
  const global = new Set(['input', 'data', ...rulesAndImports(tree)]);
  const faults: Fault[] = [];
  const findIn = (part: unknown): void =>
    visit(part, (node) => {
      if (node.type !== 'ref' || !Array.isArray(node.value)) return;
      const [head, ...keys] = node.value as unknown[];
      if (!isJsonObject(head) || head.type !== 'var' || global.has(String(head.value))) return;
      const unknown = keys.map(textOf).find((key) => key !== undefined && !known.has(key));
      if (unknown === undefined || faults.some(({ where }) => where === placeOf(file, node, unknown))) return;
      const message = `${placeOf(file, node, unknown)}: input.json declares no property ${unknown}, which is read of ${String(head.value)}`;
      faults.push({ type: FailureType.PolicyInvalid, message, where: placeOf(file, node, unknown) });
    });
  visit(tree, (node) => {
    if (isJsonObject(node.head) && Array.isArray(node.head.args)) findIn(node);
    if (isJsonObject(node.terms) && 'domain' in node.terms) findIn(node.terms.body);
  });
  return faults;
}

function rulesAndImports(tree: unknown): string[] {
  if (!isJsonObject(tree)) return [];
  const listed = (value: unknown): Record<string, unknown>[] =>
    Array.isArray(value) ? value.filter(isJsonObject) : [];
  const rules = listed(tree.rules).map(({ head }) => {
    if (!isJsonObject(head)) return '';
    const [first] = listed(head.ref);
    return String(head.name ?? first?.value ?? '');
  });
  const imports = listed(tree.imports).map((one) => {
    const path = isJsonObject(one.path) ? listed(one.path.value).at(-1)?.value : undefined;
    return String(one.alias ?? path ?? '');
  });
  return [...rules, ...imports];
}

/** A called function is a reference as well; `strings.count` and the like name no field. */
function visit(node: unknown, see: (node: Record<string, unknown>) => void, isOperator = false): void {
  if (Array.isArray(node)) return node.forEach((item) => visit(item, see));
  if (!isJsonObject(node)) return;
  if (!isOperator) see(node);
  for (const [key, child] of Object.entries(node)) {
    if (key === 'location') continue;
    const isCall =
      Array.isArray(child) && ((key === 'value' && node.type === 'call') || (key === 'terms' && child.length > 0));
    if (!isCall) visit(child, see);
    else (child as unknown[]).forEach((item, index) => visit(item, see, index === 0));
  }
}

function textOf(term: unknown): string | undefined {
  return isJsonObject(term) && term.type === 'string' ? String(term.value) : undefined;
}

function placeOf(file: string, node: Record<string, unknown>, field: string): string {
  const row = isJsonObject(node.location) ? node.location.row : undefined;
  return row === undefined ? `${file} (${field})` : `${file}:${String(row)}`;
}
