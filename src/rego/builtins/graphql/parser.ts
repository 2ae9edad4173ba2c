import { BuiltinError } from '../builtin';
import { END, Lexer, type Token } from './lexer';
import type {
  Argument,
  ArgumentDefinition,
  CommentGroup,
  Definition,
  Directive,
  DirectiveDefinition,
  FieldDefinition,
  OperationType,
  SchemaDefinition,
  SchemaDocument,
  TreeNode,
  Type,
  Value,
} from './syntax-tree';

/** `ast.ValueKind` of OPA's parser. */
export const VALUE_KIND = {
  ...{ variable: 0, int: 1, float: 2, string: 3, 'block-string': 4, boolean: 5, null: 6, enum: 7, list: 8, object: 9 },
} as const;

const OPERATIONS = ['query', 'mutation', 'subscription'];
const KINDS: Readonly<Record<string, string>> = {
  ...{ scalar: 'SCALAR', type: 'OBJECT', interface: 'INTERFACE', union: 'UNION', enum: 'ENUM', input: 'INPUT_OBJECT' },
};
const LOCATIONS = [
  ...['QUERY', 'MUTATION', 'SUBSCRIPTION', 'FIELD', 'FRAGMENT_DEFINITION', 'FRAGMENT_SPREAD', 'INLINE_FRAGMENT'],
  ...['VARIABLE_DEFINITION', 'SCHEMA', 'SCALAR', 'OBJECT', 'FIELD_DEFINITION', 'ARGUMENT_DEFINITION', 'INTERFACE'],
  ...['UNION', 'ENUM', 'ENUM_VALUE', 'INPUT_OBJECT', 'INPUT_FIELD_DEFINITION'],
];

/** What stands before a definition. */
interface Description {
  text: string;
  comment?: CommentGroup;
}

/**
 * GraphQL as `vektah/gqlparser` reads it, OPA's parser: comments belong to the token that follows them.
 *
 * @throws BuiltinError where the text is no such document
 */
export const parseQuery = (text: string): TreeNode => new Parser(text).query();
export const parseSchema = (text: string): SchemaDocument => new Parser(text).schema();

class Parser {
  private readonly lexer: Lexer;
  private peeked: Token | undefined;
  /** the comments before the token that was peeked at */
  private comment: CommentGroup | undefined;

  constructor(text: string) {
    this.lexer = new Lexer(text);
  }

  query(): TreeNode {
    const document = { Operations: [] as TreeNode[], Fragments: [] as TreeNode[] };
    while (this.peek() !== END) {
      if (this.isName('fragment')) document.Fragments.push(this.fragmentDefinition());
      else if (this.is('{') || this.isName(...OPERATIONS)) document.Operations.push(this.operation());
      else this.unexpected();
    }
    return document;
  }

  schema(): SchemaDocument {
    const lists = { Schema: [], SchemaExtension: [], Directives: [], Definitions: [], Extensions: [] };
    const document: SchemaDocument = lists;
    while (this.peek() !== END) {
      const description = this.description();
      const { kind, text } = this.peek();
      if (kind !== 'name') this.unexpected();
      if (KINDS[text] !== undefined) document.Definitions.push(this.definition(description));
      else if (text === 'schema') document.Schema.push(this.schemaDefinition(description));
      else if (text === 'directive') document.Directives.push(this.directiveDefinition(description));
      else if (text === 'extend' && description.text === '') this.extension(document);
      else this.unexpected();
    }
    return { ...document, Comment: this.comment };
  }

  private peek(): Token {
    if (this.peeked) return this.peeked;
    let token = this.lexer.next();
    if (token.kind === 'comment') {
      const list: { Value: string }[] = [];
      for (; token.kind === 'comment'; token = this.lexer.next()) list.push({ Value: token.text });
      this.comment = { List: list };
    }
    return (this.peeked = token);
  }

  private next(): Token {
    const token = this.peek();
    this.peeked = undefined;
    this.comment = undefined;
    return token;
  }

  private is(kind: string): boolean {
    return this.peek().kind === kind;
  }

  private isName(...texts: string[]): boolean {
    const { kind, text } = this.peek();
    return kind === 'name' && texts.includes(text);
  }

  private skip(kind: string): boolean {
    const isThere = this.is(kind);
    if (isThere) this.next();
    return isThere;
  }

  /** @returns the comments before it */
  private expect(kind: string): CommentGroup | undefined {
    if (!this.is(kind)) this.unexpected();
    const { comment } = this;
    this.next();
    return comment;
  }

  private keyword(text: string): CommentGroup | undefined {
    if (!this.isName(text)) this.unexpected();
    return this.expect('name');
  }

  private name(): string {
    if (!this.is('name')) this.unexpected();
    return this.next().text;
  }

  private unexpected(): never {
    const { kind, text } = this.peek();
    throw new BuiltinError(`Unexpected ${kind} ${JSON.stringify(text)}`);
  }

  /** @returns the comments before the end, where there is a beginning */
  private some(open: string, close: string, read: () => void): CommentGroup | undefined {
    if (!this.skip(open)) return undefined;
    if (this.is(close)) this.unexpected();
    while (!this.is(close)) read();
    return this.expect(close);
  }

  private operation(): TreeNode {
    this.peek();
    const { comment } = this;
    // OPA's parser loses the comment before a query without its keyword
    if (this.is('{')) return { Operation: 'query', SelectionSet: this.selectionSet() };
    const operation = this.next().text;
    return {
      Comment: comment,
      Operation: operation,
      Name: this.is('name') ? this.next().text : '',
      VariableDefinitions: this.variableDefinitions(),
      Directives: this.directives(false),
      SelectionSet: this.selectionSet(),
    };
  }

  private variableDefinitions(): TreeNode[] {
    const definitions: TreeNode[] = [];
    this.some('(', ')', () => {
      const { comment } = this;
      const variable = this.variable();
      this.expect(':');
      definitions.push({
        Comment: comment,
        Variable: variable,
        Type: this.type(),
        DefaultValue: this.skip('=') ? this.value(true) : undefined,
        Directives: this.directives(false),
      });
    });
    return definitions;
  }

  private variable(): string {
    this.expect('$');
    return this.name();
  }

  private selectionSet(): TreeNode[] {
    if (!this.is('{')) this.unexpected();
    const selections: TreeNode[] = [];
    this.some('{', '}', () => selections.push(this.is('...') ? this.fragment() : this.field()));
    return selections;
  }

  private field(): TreeNode {
    const { comment } = this;
    const alias = this.name();
    return {
      selection: 'Field',
      Comment: comment,
      Alias: alias,
      Name: this.skip(':') ? this.name() : alias,
      Arguments: this.arguments(false),
      Directives: this.directives(false),
      SelectionSet: this.is('{') ? this.selectionSet() : [],
    };
  }

  private fragment(): TreeNode {
    const comment = this.expect('...');
    if (this.is('name') && !this.isName('on')) {
      const name = this.fragmentName();
      return { selection: 'FragmentSpread', Comment: comment, Name: name, Directives: this.directives(false) };
    }
    const hasCondition = this.peek().text === 'on';
    if (hasCondition) this.next();
    return {
      selection: 'InlineFragment',
      Comment: comment,
      TypeCondition: hasCondition ? this.name() : '',
      Directives: this.directives(false),
      SelectionSet: this.selectionSet(),
    };
  }

  private fragmentDefinition(): TreeNode {
    const comment = this.keyword('fragment');
    const name = this.fragmentName();
    const variables = this.variableDefinitions();
    this.keyword('on');
    return {
      Comment: comment,
      Name: name,
      VariableDefinition: variables,
      TypeCondition: this.name(),
      Directives: this.directives(false),
      SelectionSet: this.selectionSet(),
    };
  }

  private fragmentName(): string {
    if (this.peek().text === 'on') this.unexpected();
    return this.name();
  }

  private arguments(isConstant: boolean): Argument[] {
    const found: Argument[] = [];
    this.some('(', ')', () => {
      const { comment } = this;
      const name = this.name();
      this.expect(':');
      found.push({ Comment: comment, Name: name, Value: this.value(isConstant) });
    });
    return found;
  }

  private value(isConstant: boolean): Value {
    const { kind, text } = this.peek();
    switch (kind) {
      case '[':
      case '{':
        return this.values(kind === '[', isConstant);
      case '$':
        if (isConstant) this.unexpected();
        return { Raw: this.variable(), Kind: VALUE_KIND.variable, Children: [] };
      case 'int':
      case 'float':
      case 'string':
      case 'block-string':
        this.next();
        return { Raw: text, Kind: VALUE_KIND[kind], Children: [] };
      case 'name': {
        this.next();
        const isBoolean = text === 'true' || text === 'false';
        const named = isBoolean ? 'boolean' : text === 'null' ? 'null' : 'enum';
        return { Raw: text, Kind: VALUE_KIND[named], Children: [] };
      }
      default:
        return this.unexpected();
    }
  }

  private values(isList: boolean, isConstant: boolean): Value {
    const { comment } = this;
    const [close, kind] = isList ? [']', VALUE_KIND.list] : ['}', VALUE_KIND.object];
    const children: Value['Children'] = [];
    this.next();
    while (!this.is(close)) {
      if (isList) children.push({ Name: '', Value: this.value(isConstant) });
      else {
        const own = this.comment;
        const name = this.name();
        this.expect(':');
        children.push({ Comment: own, Name: name, Value: this.value(isConstant) });
      }
    }
    this.next();
    return { Raw: '', Kind: kind, Children: children, Comment: comment };
  }

  private directives(isConstant: boolean): Directive[] {
    const found: Directive[] = [];
    while (this.skip('@')) found.push({ Name: this.name(), Arguments: this.arguments(isConstant) });
    return found;
  }

  private type(): Type {
    let type: Type;
    if (this.skip('[')) {
      type = { NamedType: '', Elem: this.type(), NonNull: false };
      this.expect(']');
    } else type = { NamedType: this.name(), NonNull: false };
    return { ...type, NonNull: this.skip('!') };
  }

  private description(): Description {
    if (!this.is('string') && !this.is('block-string')) return { text: '' };
    const { comment } = this;
    return { comment, text: this.next().text };
  }

  /** A description within a definition; an empty one counts as none. */
  private innerDescription() {
    const { text, comment } = this.description();
    this.peek();
    const before = text === '' ? undefined : comment;
    return { Description: text, BeforeDescriptionComment: before, AfterDescriptionComment: this.comment };
  }

  private schemaDefinition(description: Description): SchemaDefinition {
    return { ...outer(description, this.keyword('schema')), ...this.schemaBody() };
  }

  private schemaBody() {
    const directives = this.directives(true);
    const operations: OperationType[] = [];
    const end = this.some('{', '}', () => {
      const { comment } = this;
      if (!OPERATIONS.includes(this.peek().text)) this.unexpected();
      const operation = this.next().text;
      this.expect(':');
      operations.push({ Comment: comment, Operation: operation, Type: this.name() });
    });
    return { Directives: directives, OperationTypes: operations, EndOfDefinitionComment: end };
  }

  private definition(description: Description, extendComment?: CommentGroup): Definition {
    const keyword = this.peek().text;
    const comment = this.keyword(keyword);
    const kind = KINDS[keyword]!;
    const definition: Definition = {
      ...outer(description, extendComment ?? comment),
      ...{ Kind: kind, Name: this.name(), Directives: [], Interfaces: [], Fields: [], Types: [], EnumValues: [] },
      BuiltIn: false,
    };
    return { ...definition, ...this.definitionBody(kind, false) };
  }

  private definitionBody(kind: string, isExtension: boolean): Partial<Definition> {
    const hasInterfaces = kind === 'OBJECT' || (kind === 'INTERFACE' && !isExtension);
    const interfaces = hasInterfaces ? this.interfaces() : [];
    const body: Partial<Definition> = {
      Interfaces: interfaces,
      Directives: this.directives(kind !== 'INPUT_OBJECT' || !isExtension),
    };
    if (kind === 'UNION') body.Types = this.unionTypes();
    else if (kind === 'ENUM') {
      body.EnumValues = [];
      body.EndOfDefinitionComment = this.some('{', '}', () =>
        body.EnumValues!.push({ ...this.innerDescription(), Name: this.name(), Directives: this.directives(true) }),
      );
    } else if (kind !== 'SCALAR') {
      body.Fields = [];
      body.EndOfDefinitionComment = this.some('{', '}', () =>
        body.Fields!.push(kind === 'INPUT_OBJECT' ? { ...this.input(), Arguments: [] } : this.fieldDefinition()),
      );
    }
    return body;
  }

  private interfaces(): string[] {
    if (this.peek().text !== 'implements') return [];
    this.next();
    this.skip('&');
    const names = [this.name()];
    while (this.skip('&')) names.push(this.name());
    return names;
  }

  private unionTypes(): string[] {
    if (!this.skip('=')) return [];
    this.skip('|');
    const names = [this.name()];
    while (this.skip('|')) names.push(this.name());
    return names;
  }

  private fieldDefinition(): FieldDefinition {
    const description = this.innerDescription();
    const name = this.name();
    const definitions = this.argumentDefinitions();
    this.expect(':');
    return {
      ...description,
      Name: name,
      Arguments: definitions,
      Type: this.type(),
      Directives: this.directives(true),
    };
  }

  private argumentDefinitions(): ArgumentDefinition[] {
    const definitions: ArgumentDefinition[] = [];
    this.some('(', ')', () => definitions.push(this.input()));
    return definitions;
  }

  private input(): ArgumentDefinition {
    const description = this.innerDescription();
    const name = this.name();
    this.expect(':');
    return {
      ...description,
      Name: name,
      Type: this.type(),
      DefaultValue: this.skip('=') ? this.value(true) : undefined,
      Directives: this.directives(true),
    };
  }

  private extension(document: SchemaDocument): void {
    const comment = this.keyword('extend');
    const { text } = this.peek();
    if (text === 'schema') {
      this.keyword('schema');
      const definition = { ...outer({ text: '' }, comment), ...this.schemaBody() };
      if (definition.Directives.length + definition.OperationTypes.length === 0) this.unexpected();
      document.SchemaExtension.push(definition);
      return;
    }
    const kind = KINDS[text];
    if (kind === undefined) this.unexpected();
    this.keyword(text);
    const name = this.name();
    const body = this.definitionBody(kind, true);
    const isEmpty = [body.Interfaces, body.Directives, body.Fields, body.Types, body.EnumValues].every(
      (list) => (list?.length ?? 0) === 0,
    );
    if (isEmpty) this.unexpected();
    const empty = { Interfaces: [], Directives: [], Fields: [], Types: [], EnumValues: [], BuiltIn: false };
    document.Extensions.push({ ...outer({ text: '' }, comment), ...empty, Kind: kind, Name: name, ...body });
  }

  private directiveDefinition(description: Description): DirectiveDefinition {
    const comment = this.keyword('directive');
    this.expect('@');
    const name = this.name();
    const definitions = this.argumentDefinitions();
    const isRepeatable = this.isName('repeatable');
    if (isRepeatable) this.next();
    this.keyword('on');
    this.skip('|');
    const locations = [this.location()];
    while (this.skip('|')) locations.push(this.location());
    return {
      ...outer(description, comment),
      ...{ Name: name, Arguments: definitions, IsRepeatable: isRepeatable, Locations: locations },
    };
  }

  private location(): string {
    if (!this.isName(...LOCATIONS)) this.unexpected();
    return this.next().text;
  }
}

function outer({ text, comment }: Description, after: CommentGroup | undefined) {
  return { Description: text, BeforeDescriptionComment: comment, AfterDescriptionComment: after };
}
