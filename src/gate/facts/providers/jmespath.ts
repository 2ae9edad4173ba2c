import { createRequire } from 'node:module';
import type { JsonValue } from '../../../kernel/json';

/** A node of a JMESPath expression's syntax tree, as the package makes it. */
export interface ExpressionNode {
  type: string;
  name?: string;
  value?: unknown;
  left?: ExpressionNode;
  right?: ExpressionNode;
  child?: ExpressionNode;
  condition?: ExpressionNode;
  children?: readonly ExpressionNode[];
}

// The package ships CommonJS, but its types claim to be ESM only, so TypeScript refuses a plain import.
const { compile, TreeInterpreter } = createRequire(__filename)('@jmespath-community/jmespath') as {
  compile(expression: string): ExpressionNode;
  TreeInterpreter: { search(tree: ExpressionNode, document: JsonValue): JsonValue };
};

/** Throws what the package throws for a text that is no expression. */
export const parseExpression = (expression: string): ExpressionNode => compile(expression);

/** Throws what the package throws where a function gets another type than it takes. */
export const searchExpression = (tree: ExpressionNode, document: JsonValue): JsonValue =>
  TreeInterpreter.search(tree, document);
