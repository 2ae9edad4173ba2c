import { isJsonObject } from '../../kernel/json';

/** Every text in the syntax tree of a Rego file (`opa parse`), once. */
export function textsIn(tree: unknown): string[] {
  const texts = new Set<string>();
  visit(tree, texts);
  return [...texts];
}

function visit(node: unknown, texts: Set<string>): void {
  if (Array.isArray(node)) for (const item of node as unknown[]) visit(item, texts);
  if (!isJsonObject(node)) return;
  if (node.type === 'string' && typeof node.value === 'string') texts.add(node.value);
  for (const [key, child] of Object.entries(node)) if (key !== 'location') visit(child, texts);
}
