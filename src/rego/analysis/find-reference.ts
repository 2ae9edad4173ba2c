import { isJsonObject } from '../../kernel/json';
import { placeOf, type SourcePlace } from './source-faults';

/**
 * The first place in a policy that names a path, `['input', 'deployment', 'zone']`; where no reference is as long as that,
 * the first that ends on the way there, as `i := input` does.
 *
 * @param trees syntax trees by file, in the order in which they are searched
 * @param path `input` or `data` first; one key means a reference to the whole document
 */
export function findReference(trees: ReadonlyMap<string, unknown>, path: readonly string[]): SourcePlace | undefined {
  let nearest: { place: SourcePlace; keys: number } | undefined;
  const visit = (file: string, node: unknown): void => {
    if (Array.isArray(node)) for (const item of node as unknown[]) visit(file, item);
    if (!isJsonObject(node)) return;
    const keys = node.type === 'ref' && Array.isArray(node.value) ? keysOf(node.value) : [];
    const isOnTheWay = keys.length > 0 && (path.length === 1 ? keys.length === 1 : true);
    if (isOnTheWay && keys.slice(0, path.length).every((key, index) => key === path[index])) {
      const place = placeOf(file, node);
      const shared = Math.min(keys.length, path.length);
      if (place !== undefined && shared > (nearest?.keys ?? 0)) nearest = { place, keys: shared };
    }
    for (const [key, child] of Object.entries(node)) if (key !== 'location') visit(file, child);
  };
  for (const [file, tree] of trees) visit(file, tree);
  return nearest?.place;
}

/** The constant keys that a reference begins with. */
function keysOf(terms: readonly unknown[]): string[] {
  const keys: string[] = [];
  for (const [index, term] of terms.entries()) {
    if (!isJsonObject(term) || (index > 0 && term.type === 'var')) break;
    if (index === 0 ? term.type !== 'var' : !['string', 'number'].includes(String(term.type))) break;
    keys.push(String(term.value));
  }
  return keys;
}
