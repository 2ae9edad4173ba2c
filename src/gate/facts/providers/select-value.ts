import { FailureType, GateError } from '../../../kernel/failures';
import type { JsonValue } from '../../../kernel/json';
import { parsePointer, valueAt } from '../../../kernel/json-pointer';
import { parseExpression, searchExpression } from './jmespath';

/** Picks a part of a document; undefined when it is not there. */
export type Selector = (document: JsonValue) => JsonValue | undefined;

/**
 * Compiles a JSON Pointer (empty, or begins with `/`) or a JMESPath expression.
 * Throws GateError ConfigInvalid naming `where` when it is neither.
 */
export function compileSelector(expression: string, where: string): Selector {
  if (expression === '' || expression.startsWith('/')) {
    const keys = parsePointer(expression);
    if (keys === undefined) throw invalid(where, expression, 'a ~ in a JSON Pointer is written ~0');
    return (document) => valueAt(document, keys);
  }
  try {
    const tree = parseExpression(expression);
    return (document) => searchExpression(tree, document);
  } catch (error) {
    throw invalid(where, expression, (error as Error).message, error);
  }
}

/** Whether it compiles: one that does not is a fault of its own. */
export function isSelector(expression: string): boolean {
  try {
    compileSelector(expression, '');
    return true;
  } catch {
    return false;
  }
}

function invalid(where: string, expression: string, why: string, cause?: unknown): GateError {
  const message = `Expected ${where} to be a JSON Pointer or a JMESPath expression, got '${expression}': ${why}`;
  return new GateError(FailureType.ConfigInvalid, message, [{ type: FailureType.ConfigInvalid, message, where }], {
    cause,
  });
}
