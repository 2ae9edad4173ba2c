import { isJsonObject, type JsonObject, type JsonValue } from '../../../kernel/json';
import { parseExpression, type ExpressionNode } from './jmespath';

/**
 * What an answer's schema leaves open of the paths that a JMESPath expression names, each as the rest of a sentence after
 * "but". An expression that is more than a path (identifiers, indexes, sub-expressions and pipes between them) can turn an
 * absent field into a value, so the schema has to make each field present: `required` down the path, `items` of a list.
 *
 * @returns undefined for a JSON Pointer and for an expression that is only a path: there an absent field gives nothing
 */
export function selectorGaps(expression: string, schema: JsonObject): string[] | undefined {
  if (expression === '' || expression.startsWith('/')) return undefined;
  const tree = parseExpression(expression);
  if (isPath(tree)) return undefined;
  const walk = new SchemaWalk(schema);
  walk.visit(tree, { schema, path: '' });
  return [...walk.gaps];
}

function isPath(node: ExpressionNode): boolean {
  switch (node.type) {
    case 'Field':
    case 'Index':
    case 'Identity':
    case 'Current':
      return true;
    case 'Subexpression':
    case 'IndexExpression':
    case 'Pipe':
      return isPath(node.left!) && isPath(node.right!);
    default:
      return false;
  }
}

/** A value that an expression is at: what its schema says of it, undefined where that is not known any more. */
interface Place {
  schema: JsonObject | undefined;
  path: string;
}

class SchemaWalk {
  readonly gaps = new Set<string>();

  constructor(private readonly root: JsonObject) {}

  /** Goes down the expression and the schema together; gives the place of its result. */
  visit(node: ExpressionNode, at: Place): Place {
    switch (node.type) {
      case 'Identity':
      case 'Current':
        return at;
      case 'Root':
        return { schema: this.root, path: '' };
      case 'Literal':
        return { schema: undefined, path: '`literal`' };
      case 'Field':
        return this.field(node.name!, at);
      case 'Index':
        return this.items(at, Number(node.value), `[${String(node.value)}]`);
      case 'Slice':
        return at;
      case 'Subexpression':
      case 'IndexExpression':
      case 'Pipe':
        return this.visit(node.right!, this.visit(node.left!, at));
      case 'Flatten':
        return this.flatten(this.visit(node.child!, at));
      case 'Projection':
        return this.project(node, this.visit(node.left!, at));
      case 'FilterProjection': {
        const list = this.visit(node.left!, at);
        this.visit(node.condition!, this.items(list, undefined, '[]'));
        return this.project(node, list);
      }
      case 'ValueProjection':
        return this.values(node, this.visit(node.left!, at));
      case 'Function':
        return this.call(node, at);
      default:
        return this.parts(node, at);
    }
  }

  private field(name: string, { schema, path }: Place): Place {
    const place = path === '' ? name : `${path}.${name}`;
    const open = (why: string): Place => {
      this.gaps.add(`${place} ${why}`);
      return { schema: undefined, path: place };
    };
    if (schema === undefined) return open('cannot be followed in it');
    const { properties, required } = schema;
    const own = isJsonObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (!isOfType(schema, 'object')) return open(`is not in an object by it`);
    if (!Array.isArray(required) || !required.includes(name)) return open('is optional in it');
    return { schema: isJsonObject(own) ? this.resolve(own) : undefined, path: place };
  }

  private items({ schema, path }: Place, index: number | undefined, suffix: string): Place {
    const place = `${path}${suffix}`;
    const open = (why: string): Place => {
      this.gaps.add(`${path === '' ? 'the answer' : path} ${why}`);
      return { schema: undefined, path: place };
    };
    if (schema === undefined || !isOfType(schema, 'array')) return open('is no list by it');
    if (!isJsonObject(schema.items)) return open('has no items described in it');
    const least = typeof schema.minItems === 'number' ? schema.minItems : 0;
    const needed = index === undefined ? 0 : index < 0 ? -index : index + 1;
    if (least < needed) return open(`may have fewer than ${needed} items by it (minItems)`);
    return { schema: this.resolve(schema.items), path: place };
  }

  /** A list stays a list of what each element gives. */
  private project(node: ExpressionNode, list: Place): Place {
    const element = this.visit(node.right!, this.items(list, undefined, '[]'));
    return { schema: element.schema && { type: 'array', items: element.schema }, path: element.path };
  }

  private values(node: ExpressionNode, at: Place): Place {
    const { schema, path } = at;
    const { properties, additionalProperties } = schema ?? {};
    const described = [
      ...(isJsonObject(properties) ? Object.values(properties) : []),
      ...(isJsonObject(additionalProperties) ? [additionalProperties] : []),
    ].filter((one): one is JsonObject => isJsonObject(one));
    if (schema === undefined || !isOfType(schema, 'object') || described.length === 0) {
      this.gaps.add(`the values of ${path === '' ? 'the answer' : path} are not described in it`);
      return { schema: undefined, path: `${path}.*` };
    }
    const places = described.map((one) => this.visit(node.right!, { schema: this.resolve(one), path: `${path}.*` }));
    const items = places.length === 1 ? places[0]!.schema : undefined;
    return { schema: items && { type: 'array', items }, path: `${path}.*` };
  }

  /** One level less where the elements are lists, else the list itself. */
  private flatten(at: Place): Place {
    const element = isJsonObject(at.schema?.items) ? this.resolve(at.schema.items) : undefined;
    return element !== undefined && isOfType(element, 'array') ? { schema: element, path: `${at.path}[]` } : at;
  }

  /** `&expression` is evaluated for each element of the list beside it. */
  private call(node: ExpressionNode, at: Place): Place {
    const [first, ...others] = node.children ?? [];
    const place = first === undefined ? at : this.visitArgument(first, at, at);
    for (const other of others) this.visitArgument(other, at, place);
    if (['sort', 'sort_by', 'reverse'].includes(node.name!)) return place;
    if (['max_by', 'min_by'].includes(node.name!)) return this.items(place, undefined, '[]');
    return { schema: undefined, path: `${node.name}(…)` };
  }

  private visitArgument(node: ExpressionNode, at: Place, list: Place): Place {
    return node.type === 'ExpressionReference'
      ? this.visit(node.child!, this.items(list, undefined, '[]'))
      : this.visit(node, at);
  }

  /** Comparisons, arithmetic, and, or, not, and lists and objects that the expression makes: every part counts. */
  private parts(node: ExpressionNode, at: Place): Place {
    const parts = [node.left, node.right, node.child, node.value, ...(node.children ?? [])].filter(isNode);
    if (parts.length === 0) this.gaps.add(`${node.type} cannot be followed; name the path by simpler means`);
    for (const part of parts) this.visit(part, at);
    return { schema: undefined, path: '(…)' };
  }

  /** A reference within the schema itself, `#/$defs/item`; anything else is not followed. */
  private resolve(schema: JsonObject, depth = 0): JsonObject {
    const { $ref } = schema;
    if (typeof $ref !== 'string' || !$ref.startsWith('#/') || depth > 20) return schema;
    let found: JsonValue | undefined = this.root;
    for (const part of $ref.slice(2).split('/')) {
      const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
      found = isJsonObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
    }
    return isJsonObject(found) ? this.resolve(found, depth + 1) : schema;
  }
}

const isNode = (value: unknown): value is ExpressionNode =>
  isJsonObject(value as JsonValue) && 'type' in (value as object);

const isOfType = ({ type }: JsonObject, name: string): boolean => type === name;
