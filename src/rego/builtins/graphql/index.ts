import { BuiltinError, type Builtins } from '../builtin';
import { stringAt } from '../operands';
import type { BuiltinBudget } from '../plan-builtin';
import { isObject, type RegoValue } from '../../values/value';
import { parseQuery, parseSchema } from './parser';
import { describeTree, readTree, type SchemaDocument, type TreeNode } from './syntax-tree';
import { validateSchema } from './validate-schema';

/** GraphQL without the rules for queries: what needs them is refused when a policy is built. */
export const graphqlBuiltins: Builtins = {
  'graphql.parse_query': (operands, { budget }) => {
    const text = stringAt(operands, 0);
    spendFor(text, budget);
    return describeTree('QueryDocument', parseQuery(text));
  },
  'graphql.parse_schema': (operands, { budget }) => {
    const text = stringAt(operands, 0);
    spendFor(text, budget);
    return describeTree('SchemaDocument', parseSchema(text) as unknown as TreeNode);
  },
  'graphql.schema_is_valid': ([schema], { budget }) => {
    try {
      const document = schemaOf(schema!, budget);
      if (document) validateSchema(document, budget);
      return document !== undefined;
    } catch (error) {
      if (error instanceof BuiltinError) return false;
      throw error;
    }
  },
};

/** A schema, or the object that describes one. */
function schemaOf(schema: RegoValue, budget: BuiltinBudget): SchemaDocument | undefined {
  if (typeof schema === 'string') {
    spendFor(schema, budget);
    return parseSchema(schema);
  }
  return isObject(schema) ? (readTree('SchemaDocument', schema) as unknown as SchemaDocument) : undefined;
}

/** A token is a character at least, and a node has some fields. */
function spendFor(text: string, budget: BuiltinBudget): void {
  budget.elements(text.length);
}
