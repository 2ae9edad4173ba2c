import { BuiltinError } from '../builtin';
import type { BuiltinBudget } from '../plan-builtin';
import { compareStrings } from '../../values/compare';
import { parseSchema, VALUE_KIND } from './parser';
import { PRELUDE } from './prelude';
import type {
  ArgumentDefinition,
  Definition,
  Directive,
  DirectiveDefinition,
  SchemaDefinition,
  SchemaDocument,
  Type,
} from './syntax-tree';

const OWN_DIRECTIVES = ['include', 'skip', 'deprecated', 'specifiedBy', 'defer', 'oneOf'];
const OUTPUT_KINDS = ['SCALAR', 'OBJECT', 'INTERFACE', 'UNION', 'ENUM'];
const INPUT_KINDS = ['SCALAR', 'ENUM', 'INPUT_OBJECT'];

/**
 * Whether a schema is one, together with the types of GraphQL itself: the rules of `vektah/gqlparser`.
 *
 * @throws BuiltinError with the first fault
 */
export function validateSchema(document: SchemaDocument, budget: BuiltinBudget): void {
  const prelude = parseSchema(PRELUDE);
  for (const definition of prelude.Definitions) definition.BuiltIn = true;
  new SchemaValidator(prelude, document, budget).validate();
}

class SchemaValidator {
  private readonly types = new Map<string, Definition>();
  private readonly directives = new Map<string, DirectiveDefinition>();
  /** what may stand for an interface or a union */
  private readonly possible = new Map<string, Set<string>>();

  constructor(
    private readonly prelude: SchemaDocument,
    private readonly document: SchemaDocument,
    private readonly budget: BuiltinBudget,
  ) {}

  validate(): void {
    const { Schema, SchemaExtension, Extensions } = this.document;
    this.declareTypes([...this.prelude.Definitions, ...this.document.Definitions]);
    for (const extension of Extensions) this.extend(extension);
    this.collectPossible();
    this.declareDirectives([...this.prelude.Directives, ...this.document.Directives]);
    if (Schema.length > 1) fail('Cannot have multiple schema entry points');
    for (const definition of [...Schema, ...SchemaExtension]) this.schemaDefinition(definition);
    const names = [...this.types.keys()].sort(compareStrings);
    for (const name of names) this.definition(this.types.get(name)!);
    this.inputCycles(names);
    for (const definition of this.directives.values()) {
      checkName(definition.Name);
      this.arguments(definition.Arguments, definition.Name);
    }
  }

  private declareTypes(definitions: readonly Definition[]): void {
    for (const definition of definitions) {
      if (this.types.has(definition.Name)) fail(`Cannot redeclare type ${definition.Name}`);
      this.types.set(definition.Name, { ...definition });
    }
  }

  private extend(extension: Definition): void {
    const empty = { Directives: [], Interfaces: [], Fields: [], Types: [], EnumValues: [] };
    const base = this.types.get(extension.Name) ?? { ...extension, ...empty };
    if (base.Kind !== extension.Kind) fail(`Cannot extend type ${extension.Name}`);
    this.types.set(extension.Name, {
      ...base,
      Directives: [...base.Directives, ...extension.Directives],
      Interfaces: [...base.Interfaces, ...extension.Interfaces],
      Fields: [...base.Fields, ...extension.Fields],
      Types: [...base.Types, ...extension.Types],
      EnumValues: [...base.EnumValues, ...extension.EnumValues],
    });
  }

  private collectPossible(): void {
    const add = (name: string, type: string) => {
      const known = this.possible.get(name) ?? new Set();
      this.possible.set(name, known.add(type));
    };
    for (const { Kind, Name, Types, Interfaces } of this.types.values()) {
      if (Kind === 'UNION') for (const type of Types) add(Name, type);
      if (Kind === 'OBJECT' || Kind === 'INPUT_OBJECT') add(Name, Name);
      if (Kind !== 'UNION') for (const type of Interfaces) add(type, Name);
    }
  }

  private declareDirectives(definitions: readonly DirectiveDefinition[]): void {
    for (const definition of definitions) {
      const { Name } = definition;
      if (this.directives.has(Name) && !OWN_DIRECTIVES.includes(Name)) fail(`Cannot redeclare directive ${Name}`);
      this.directives.set(Name, definition);
    }
  }

  private schemaDefinition({ OperationTypes, Directives }: SchemaDefinition): void {
    for (const { Type } of OperationTypes) if (!this.types.has(Type)) fail(`Schema root refers to a type ${Type}`);
    this.directivesAt(Directives, 'SCHEMA');
  }

  private definition(definition: Definition): void {
    const { Kind, Name, Fields, Types, Interfaces, EnumValues } = definition;
    this.budget.spend(1 + Fields.length + Types.length + EnumValues.length);
    for (const field of Fields) {
      checkName(field.Name);
      this.typeOf(field.Type);
      this.arguments(field.Arguments);
      this.directivesAt(field.Directives, Kind === 'INPUT_OBJECT' ? 'INPUT_FIELD_DEFINITION' : 'FIELD_DEFINITION');
    }
    for (const type of Types) if (this.types.get(type)?.Kind !== 'OBJECT') fail(`Undefined type ${type}`);
    for (const name of Interfaces) this.implementation(definition, name);
    this.kind(definition);
    checkOnce(Fields, `Field of ${Name}`);
    checkOnce(EnumValues, `Enum value of ${Name}`);
    if (new Set(Types).size < Types.length) fail(`Union type ${Name} can only include a type once`);
    if (!definition.BuiltIn) checkName(Name);
    this.directivesAt(definition.Directives, Kind, undefined, true);
  }

  private kind({ Kind, Name, Fields, EnumValues }: Definition): void {
    const fieldKinds = Kind === 'INPUT_OBJECT' ? INPUT_KINDS : OUTPUT_KINDS;
    if (Kind === 'OBJECT' || Kind === 'INTERFACE' || Kind === 'INPUT_OBJECT') {
      if (Fields.length === 0) fail(`${Kind} ${Name}: must define one or more fields`);
      for (const { Type } of Fields) if (!fieldKinds.includes(this.typeOf(Type).Kind)) fail(`${Kind} ${Name}: field`);
    } else if (Kind === 'ENUM') {
      if (EnumValues.length === 0) fail(`ENUM ${Name}: must define one or more unique enum values`);
      for (const value of EnumValues) {
        if (['true', 'false', 'null'].includes(value.Name)) fail(`ENUM ${Name}: non-enum value ${value.Name}`);
        this.directivesAt(value.Directives, 'ENUM_VALUE');
      }
    }
  }

  private typeOf(type: Type | undefined): Definition {
    const name = nameOf(type);
    return this.types.get(name) ?? fail(`Undefined type ${name}`);
  }

  private arguments(definitions: readonly ArgumentDefinition[], directive?: string): void {
    for (const { Name, Type, Directives } of definitions) {
      checkName(Name);
      if (!INPUT_KINDS.includes(this.typeOf(Type).Kind)) fail(`cannot use the type of argument ${Name} as input`);
      this.directivesAt(Directives, 'ARGUMENT_DEFINITION', directive);
    }
  }

  /**
   * @param own the directive that is defined here
   * @param mayRepeat of definitions, whose extensions may repeat a directive
   */
  private directivesAt(directives: readonly Directive[], location: string, own?: string, mayRepeat = false): void {
    const seen = new Set<string>();
    for (const { Name, Arguments } of directives) {
      this.budget.spend(1);
      checkName(Name);
      if (Name === own) fail(`Directive ${Name} cannot refer to itself`);
      const definition = this.directives.get(Name) ?? fail(`Undefined directive ${Name}`);
      if (!mayRepeat && seen.has(Name) && !definition.IsRepeatable) fail(`The directive ${Name} can only be used once`);
      seen.add(Name);
      if (!definition.Locations.includes(location)) fail(`Directive ${Name} is not applicable on ${location}`);
      for (const argument of Arguments) {
        if (!definition.Arguments.some((known) => known.Name === argument.Name)) fail('Undefined argument');
      }
      for (const known of definition.Arguments) {
        if (known.Type?.NonNull !== true || known.DefaultValue !== undefined) continue;
        const given = Arguments.find((argument) => argument.Name === known.Name);
        if (!given || given.Value?.Kind === VALUE_KIND.null) fail(`Argument ${known.Name} cannot be null`);
      }
    }
  }

  private implementation(definition: Definition, name: string): void {
    const parent = this.types.get(name) ?? fail(`Undefined type ${name}`);
    if (parent.Kind !== 'INTERFACE') fail(`${name} is a non interface type`);
    const fields = new Map(definition.Fields.toReversed().map((field) => [field.Name, field]));
    for (const required of parent.Fields) {
      this.budget.spend(1);
      const found = fields.get(required.Name) ?? fail(`must have a field called ${required.Name}`);
      if (!this.isCovariant(required.Type, found.Type)) fail(`the field ${required.Name} must have its type`);
      for (const argument of required.Arguments) {
        const own = found.Arguments.find((one) => one.Name === argument.Name);
        if (!own || !isCompatible(argument.Type, own.Type)) fail(`must have the same arguments: ${argument.Name}`);
      }
      for (const own of found.Arguments) {
        const isExtra = !required.Arguments.some((one) => one.Name === own.Name);
        if (isExtra && own.Type?.NonNull && own.DefaultValue === undefined) fail(`${own.Name} must be optional`);
      }
    }
    for (const further of parent.Interfaces) {
      if (!definition.Interfaces.includes(further)) fail(`Type ${definition.Name} must implement ${further}`);
    }
  }

  private isCovariant(required: Type | undefined, actual: Type | undefined): boolean {
    if (!required || !actual) return false;
    if (required.NonNull && !actual.NonNull) return false;
    if (required.NamedType !== '') {
      const isPossible = this.possible.get(required.NamedType)?.has(actual.NamedType) ?? false;
      return required.NamedType === actual.NamedType || isPossible;
    }
    return this.isCovariant(required.Elem, actual.Elem);
  }

  /** An input that needs itself cannot be given. */
  private inputCycles(names: readonly string[]): void {
    const done = new Set<string>();
    const open = new Set<string>();
    const visit = (definition: Definition): void => {
      if (done.has(definition.Name)) return;
      done.add(definition.Name);
      open.add(definition.Name);
      for (const { Type } of definition.Fields) {
        if (!Type?.NonNull || Type.NamedType === '') continue;
        const next = this.types.get(Type.NamedType);
        if (next?.Kind !== 'INPUT_OBJECT') continue;
        if (open.has(next.Name)) fail(`Cannot reference Input Object ${next.Name} within itself`);
        visit(next);
      }
      open.delete(definition.Name);
    };
    for (const name of names) {
      const definition = this.types.get(name)!;
      if (definition.Kind === 'INPUT_OBJECT') visit(definition);
    }
  }
}

function nameOf(type: Type | undefined): string {
  if (!type) throw new BuiltinError('a type is missing');
  return type.NamedType !== '' ? type.NamedType : nameOf(type.Elem);
}

function isCompatible(type: Type | undefined, other: Type | undefined): boolean {
  if (!type || !other || type.NamedType !== other.NamedType) return false;
  if (type.Elem && !isCompatible(type.Elem, other.Elem)) return false;
  return !other.NonNull || type.NonNull;
}

function checkName(name: string): void {
  if (name.startsWith('__')) fail(`Name "${name}" must not begin with "__"`);
}

function checkOnce(named: readonly { Name: string }[], what: string): void {
  if (new Set(named.map(({ Name }) => Name)).size < named.length) fail(`${what} can only be defined once`);
}

function fail(problem: string): never {
  throw new BuiltinError(problem);
}
