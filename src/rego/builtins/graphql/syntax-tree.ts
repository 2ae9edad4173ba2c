import { BuiltinError } from '../builtin';
import { isNumber, toIndex } from '../../values/number';
import { RegoObject } from '../../values/rego-object';
import { isObject, type RegoValue } from '../../values/value';

/** A group of comments before a token. */
export interface CommentGroup {
  List: { Value: string }[];
}

export interface Type {
  NamedType: string;
  Elem?: Type;
  NonNull: boolean;
}

export interface Value {
  Raw: string;
  Kind: number;
  Children: ChildValue[];
  Comment?: CommentGroup;
}

export interface ChildValue {
  Name: string;
  Value?: Value;
  Comment?: CommentGroup;
}

export interface Argument {
  Name: string;
  Value?: Value;
  Comment?: CommentGroup;
}

export interface Directive {
  Name: string;
  Arguments: Argument[];
}

interface Described {
  Description: string;
  BeforeDescriptionComment?: CommentGroup;
  AfterDescriptionComment?: CommentGroup;
}

export interface ArgumentDefinition extends Described {
  Name: string;
  DefaultValue?: Value;
  Type?: Type;
  Directives: Directive[];
}

export interface FieldDefinition extends ArgumentDefinition {
  Arguments: ArgumentDefinition[];
}

export interface EnumValueDefinition extends Described {
  Name: string;
  Directives: Directive[];
}

export interface Definition extends Described {
  Kind: string;
  Name: string;
  Directives: Directive[];
  Interfaces: string[];
  Fields: FieldDefinition[];
  Types: string[];
  EnumValues: EnumValueDefinition[];
  BuiltIn: boolean;
  EndOfDefinitionComment?: CommentGroup;
}

export interface DirectiveDefinition extends Described {
  Name: string;
  Arguments: ArgumentDefinition[];
  Locations: string[];
  IsRepeatable: boolean;
}

export interface OperationType {
  Operation: string;
  Type: string;
  Comment?: CommentGroup;
}

export interface SchemaDefinition extends Described {
  Directives: Directive[];
  OperationTypes: OperationType[];
  EndOfDefinitionComment?: CommentGroup;
}

export interface SchemaDocument {
  Schema: SchemaDefinition[];
  SchemaExtension: SchemaDefinition[];
  Directives: DirectiveDefinition[];
  Definitions: Definition[];
  Extensions: Definition[];
  Comment?: CommentGroup;
}

type Scalar = 'text' | 'flag' | 'count';
type FieldShape = Scalar | 'texts' | { one: string } | { many: string };
type Shape = Readonly<Record<string, FieldShape>>;

const one = (name: string) => ({ one: name });
const many = (name: string) => ({ many: name });
const DESCRIBED: Shape = {
  Description: 'text',
  BeforeDescriptionComment: one('CommentGroup'),
  AfterDescriptionComment: one('CommentGroup'),
};
const NAMED: Shape = { Name: 'text', Directives: many('Directive') };
const VALUED: Shape = { Name: 'text', Value: one('Value'), Comment: one('CommentGroup') };
const INPUT: Shape = { ...DESCRIBED, ...NAMED, DefaultValue: one('Value'), Type: one('Type') };
const SELECTION: Shape = { Directives: many('Directive'), Comment: one('CommentGroup') };

/** The fields of OPA's syntax tree, which its answers show; places in the text are left out. */
const SHAPES: Readonly<Record<string, Shape>> = {
  CommentGroup: { List: many('Comment') },
  Comment: { Value: 'text' },
  Type: { NamedType: 'text', Elem: one('Type'), NonNull: 'flag' },
  Value: {
    ...{ Raw: 'text', Kind: 'count', Children: many('ChildValue'), Comment: one('CommentGroup') },
    ExpectedTypeHasDefault: 'flag',
  },
  ChildValue: VALUED,
  Argument: VALUED,
  Directive: { Name: 'text', Arguments: many('Argument'), Location: 'text' },
  ArgumentDefinition: INPUT,
  FieldDefinition: { ...INPUT, Arguments: many('ArgumentDefinition') },
  EnumValueDefinition: { ...DESCRIBED, ...NAMED },
  Definition: {
    ...{ ...DESCRIBED, ...NAMED, Kind: 'text', Interfaces: 'texts', Fields: many('FieldDefinition'), Types: 'texts' },
    ...{ EnumValues: many('EnumValueDefinition'), BuiltIn: 'flag', EndOfDefinitionComment: one('CommentGroup') },
  },
  DirectiveDefinition: {
    ...{ ...DESCRIBED, Name: 'text', Arguments: many('ArgumentDefinition'), Locations: 'texts', IsRepeatable: 'flag' },
  },
  OperationTypeDefinition: { Operation: 'text', Type: 'text', Comment: one('CommentGroup') },
  SchemaDefinition: {
    ...{ ...DESCRIBED, Directives: many('Directive'), OperationTypes: many('OperationTypeDefinition') },
    EndOfDefinitionComment: one('CommentGroup'),
  },
  SchemaDocument: {
    ...{ Schema: many('SchemaDefinition'), SchemaExtension: many('SchemaDefinition') },
    ...{ Directives: many('DirectiveDefinition'), Definitions: many('Definition'), Extensions: many('Definition') },
    Comment: one('CommentGroup'),
  },
  Field: { ...SELECTION, Alias: 'text', Name: 'text', Arguments: many('Argument'), SelectionSet: many('Selection') },
  FragmentSpread: { ...SELECTION, Name: 'text' },
  InlineFragment: { ...SELECTION, TypeCondition: 'text', SelectionSet: many('Selection') },
  VariableDefinition: {
    ...{ ...SELECTION, Variable: 'text', Type: one('Type'), DefaultValue: one('Value'), Used: 'flag' },
  },
  OperationDefinition: {
    ...{ ...SELECTION, Operation: 'text', Name: 'text', VariableDefinitions: many('VariableDefinition') },
    SelectionSet: many('Selection'),
  },
  FragmentDefinition: {
    ...{ ...SELECTION, Name: 'text', VariableDefinition: many('VariableDefinition'), TypeCondition: 'text' },
    SelectionSet: many('Selection'),
  },
  QueryDocument: { Operations: many('OperationDefinition'), Fragments: many('FragmentDefinition') },
};

/** A node by its shape; a selection says its own. */
export type TreeNode = Readonly<Record<string, unknown>>;

const ZERO: Readonly<Record<Scalar, RegoValue>> = { text: '', flag: false, count: 0 };

/** OPA's answer: texts, flags and counts always, what is empty or absent never. */
export function describeTree(name: string, node: TreeNode): RegoObject {
  const shapeName = name === 'Selection' ? (node.selection as string) : name;
  const described = new RegoObject();
  for (const [field, shape] of Object.entries(SHAPES[shapeName]!)) {
    const value = describeField(shape, node[field]);
    if (value !== undefined) described.set(field, value);
  }
  return described;
}

function describeField(shape: FieldShape, value: unknown): RegoValue | undefined {
  if (shape === 'texts') return (value as string[] | undefined)?.length ? [...(value as string[])] : undefined;
  if (typeof shape === 'string') return (value as RegoValue | undefined) ?? ZERO[shape];
  if ('one' in shape) return value === undefined ? undefined : orNothing(describeTree(shape.one, value as TreeNode));
  const list = ((value ?? []) as TreeNode[]).map((item) => describeTree(shape.many, item));
  const filled = list.filter((item) => item.size > 0);
  return filled.length > 0 ? filled : undefined;
}

const orNothing = (object: RegoObject) => (object.size > 0 ? object : undefined);

/**
 * A tree from the object that describes it; what is absent is empty.
 *
 * @throws BuiltinError where a field is of another type
 */
export function readTree(name: string, value: RegoValue): TreeNode {
  if (!isObject(value)) throw new BuiltinError(`json: cannot unmarshal into ${name}`);
  return Object.fromEntries(
    Object.entries(SHAPES[name]!).map(([field, shape]) => [field, readField(shape, value.get(field) ?? null)]),
  );
}

function readField(shape: FieldShape, value: RegoValue): unknown {
  const wrong = () => new BuiltinError('json: cannot unmarshal a value of another type');
  if (typeof shape === 'object') {
    if ('one' in shape) return value === null ? undefined : readTree(shape.one, value);
    if (value !== null && !Array.isArray(value)) throw wrong();
    return (value ?? []).map((item) => readTree(shape.many, item));
  }
  if (value === null) return shape === 'texts' ? [] : ZERO[shape];
  if (shape === 'texts') {
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw wrong();
    return value;
  }
  const isRight = {
    text: typeof value === 'string',
    flag: typeof value === 'boolean',
    count: isNumber(value) && toIndex(value) !== undefined,
  };
  if (!isRight[shape]) throw wrong();
  return isNumber(value) ? toIndex(value) : value;
}
