import { FailureType, type Fault } from '../../kernel/failures';
import { isJsonObject } from '../../kernel/json';

/** Defaults of the policy's own for a fact that is absent: never reached, as an absent fact is an error before. */
export function unreachableDefaults(file: string, tree: unknown): Fault[] {
  const found: Fault[] = [];
  const visit = (node: unknown, line: number): void => {
    if (Array.isArray(node)) {
      const [operator, object] = node as unknown[];
      if (refText(operator) === 'object.get' && refText(object) === 'input') {
        found.push(
          refuse(file, line, `the default of object.get(input, …) is never reached: an absent fact is an error before`),
        );
      }
      for (const item of node as unknown[]) visit(item, line);
    }
    if (!isJsonObject(node)) return;
    const here = lineOf(node) ?? line;
    for (const [key, child] of Object.entries(node)) if (key !== 'location') visit(child, here);
  };
  visit(tree, 1);
  return found;
}

/** A fault of one line of a Rego file. */
export function refuse(file: string, line: number, what: string): Fault {
  const where = `${file}:${line}`;
  return { type: FailureType.PolicyInvalid, message: `${where}: ${what}`, where };
}

/** Where a node of the syntax tree is, when it says. */
export function lineOf(node: Record<string, unknown>): number | undefined {
  return isJsonObject(node.location) && typeof node.location.row === 'number' ? node.location.row : undefined;
}

function refText(term: unknown): string {
  if (!isJsonObject(term)) return '';
  if (term.type === 'var') return String(term.value);
  return term.type === 'ref' && Array.isArray(term.value)
    ? term.value.map((part) => (isJsonObject(part) ? String(part.value) : '')).join('.')
    : '';
}
