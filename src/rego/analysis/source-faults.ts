import { FailureType, type Fault } from '../../kernel/failures';
import { placeText } from '../../kernel/fault-text';
import { isJsonObject } from '../../kernel/json';

/** Defaults of the policy's own for a fact that is absent: never reached, as an absent fact is an error before. */
export function unreachableDefaults(file: string, tree: unknown): Fault[] {
  const found: Fault[] = [];
  const visit = (node: unknown, place: SourcePlace): void => {
    if (Array.isArray(node)) {
      const [operator, object] = node as unknown[];
      if (refText(operator) === 'object.get' && refText(object) === 'input') {
        found.push(
          refuse(place, `the default of object.get(input, …) is never reached: an absent fact is an error before`),
        );
      }
      for (const item of node as unknown[]) visit(item, place);
    }
    if (!isJsonObject(node)) return;
    const here = placeOf(file, node) ?? place;
    for (const [key, child] of Object.entries(node)) if (key !== 'location') visit(child, here);
  };
  visit(tree, { file, line: 1, column: 1 });
  return found;
}

/** A place in a Rego file, lines and columns from 1. */
export interface SourcePlace {
  file: string;
  line: number;
  column?: number;
}

/** A fault at one place of a Rego file. */
export function refuse({ file, line, column }: SourcePlace, what: string): Fault {
  const where = placeText(file, line, column);
  return { type: FailureType.PolicyInvalid, message: `${where}: ${what}`, where };
}

/** Where a node of the syntax tree of `file` is, when it says. */
export function placeOf(file: string, node: Record<string, unknown>): SourcePlace | undefined {
  const { location } = node;
  if (!isJsonObject(location) || typeof location.row !== 'number') return undefined;
  return { file, line: location.row, ...(typeof location.col === 'number' ? { column: location.col } : {}) };
}

function refText(term: unknown): string {
  if (!isJsonObject(term)) return '';
  if (term.type === 'var') return String(term.value);
  return term.type === 'ref' && Array.isArray(term.value)
    ? term.value.map((part) => (isJsonObject(part) ? String(part.value) : '')).join('.')
    : '';
}
