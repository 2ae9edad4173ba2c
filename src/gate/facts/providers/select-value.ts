import { createRequire } from 'node:module';
import { FailureType, GateError } from '../../../kernel/failures';
import type { JsonValue } from '../../../kernel/json';

// The package ships CommonJS, but its types claim to be ESM only, so TypeScript refuses a plain import.
const { compile, TreeInterpreter } = createRequire(__filename)('@jmespath-community/jmespath') as {
  compile(expression: string): unknown;
  TreeInterpreter: { search(tree: unknown, document: JsonValue): JsonValue };
};

/** Picks a part of a document; undefined when it is not there. */
export type Selector = (document: JsonValue) => JsonValue | undefined;

/** JSON Pointer (RFC 6901) lookup of own keys. */
export function atPointer(document: JsonValue, pointer: string): JsonValue | undefined {
  let current: JsonValue | undefined = document;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    if (Array.isArray(current) && !/^(0|[1-9]\d*)$/.test(key)) return undefined;
    current = (current as Record<string, JsonValue>)[key];
  }
  return current;
}

/**
 * Compiles a JSON Pointer (empty, or begins with `/`) or a JMESPath expression.
 * Throws GateError ConfigInvalid naming `where` when it is neither.
 */
export function compileSelector(expression: string, where: string): Selector {
  if (expression === '' || expression.startsWith('/')) return (document) => atPointer(document, expression);
  try {
    const tree = compile(expression);
    return (document) => TreeInterpreter.search(tree, document);
  } catch (error) {
    const message = `Expected ${where} to be a JSON Pointer or a JMESPath expression, got '${expression}': ${(error as Error).message}`;
    const faults = [{ type: FailureType.ConfigInvalid, message, where }];
    throw new GateError(FailureType.ConfigInvalid, message, faults, { cause: error });
  }
}
