import { FailureType, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonValue } from '../../kernel/json';
import { isSafeNumber } from '../../kernel/numbers';

/** A number literal that JavaScript cannot hold: kept as it is written. */
export interface UnsafeNumber {
  unsafeNumber: string;
}

/** For a JSON parser that hands over numbers as text: the number, or an `UnsafeNumber` from 2^53 on or not finite. */
export function parseNumber(text: string): number | UnsafeNumber {
  const value = Number(text);
  return isSafeNumber(value) ? value : { unsafeNumber: text };
}

/**
 * What the syntax tree of one Rego file (`opa parse --format json --json-include locations`, numbers read by
 * `parseNumber`) holds that a policy must not: `with input` and `with data`, which hide reads and invent others, numbers
 * that wasm would round silently, and references into `data` that wasm answers differently.
 */
export function sourceFaults(file: string, tree: unknown): Fault[] {
  const faults: Fault[] = [];
  const visit = (node: unknown, line: number): void => {
    if (Array.isArray(node)) for (const item of node as JsonValue[]) visit(item, line);
    if (!isJsonObject(node)) return;
    const here = lineOf(node) ?? line;
    const target = node.target;
    if (isJsonObject(target) && 'value' in node && ['input', 'data'].includes(rootOf(target))) {
      faults.push(
        refuse(file, here, `with ${rootOf(target)} is allowed in tests only: it hides what the policy reads`),
      );
    }
    if (node.type === 'ref' && rootOf(node) === 'data' && hasNumberKey(node.value)) {
      const what = `${refText(node)} has a number as key, which OPA finds in an object and its wasm does not`;
      faults.push(refuse(file, here, `${what}; assign the collection to a variable first: list := data.list, list[0]`));
    }
    if (typeof node.unsafeNumber === 'string') {
      faults.push(refuse(file, here, `number ${node.unsafeNumber} is 2^53 or more and would be rounded in wasm`));
    }
    for (const [key, child] of Object.entries(node)) if (key !== 'location') visit(child, here);
  };
  visit(tree, 1);
  return faults;
}

/** Defaults of the policy's own for a fact that is absent: never reached, as an absent fact is an error before. */
export function unreachableDefaults(file: string, tree: unknown): Fault[] {
  const found: Fault[] = [];
  const visit = (node: unknown, line: number): void => {
    if (Array.isArray(node)) {
      const [operator, object] = node as unknown[];
      if (rootOf(operator) === 'object' && refText(operator) === 'object.get' && rootOf(object) === 'input') {
        found.push(
          refuse(
            file,
            line,
            `the default of object.get(${refText(object)}, …) is never reached: an absent fact is an error`,
          ),
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

/** Where a node of the syntax tree stands, when it says. */
export function lineOf(node: Record<string, unknown>): number | undefined {
  return isJsonObject(node.location) && typeof node.location.row === 'number' ? node.location.row : undefined;
}

function hasNumberKey(keys: unknown): boolean {
  return Array.isArray(keys) && keys.some((key) => isJsonObject(key) && key.type === 'number');
}

function refText(term: unknown): string {
  if (!isJsonObject(term)) return '';
  if (term.type === 'var') return String(term.value);
  return term.type === 'ref' && Array.isArray(term.value)
    ? term.value.map((part) => (isJsonObject(part) ? String(part.value) : '')).join('.')
    : '';
}

const rootOf = (term: unknown): string => refText(term).split('.')[0] ?? '';
