import { messageOf } from '../../kernel/message-of';
import { BUILTIN_NAMES } from '../builtins/names';
import { parseJson } from '../values/parse-json';
import { splitNumber } from '../values/decimal';
import { ExactNumber, isTooBig, toBigInt } from '../values/number';
import { isObject, type RegoValue } from '../values/value';
import { RegoObject } from '../values/rego-object';
import { eachStatement } from './each-statement';
import type {
  Block,
  Entrypoint,
  Local,
  Operand,
  Plan,
  PlanFunction,
  SourceLine,
  Statement,
  StatementType,
} from './plan';

/** plan.json is not what this evaluator understands; it is refused whole. */
export class PlanInvalidError extends Error {
  override readonly name = 'PlanInvalidError';
}

/** More than any planner makes of a policy; fewer than bring down the stack of whoever walks through them. */
const DEEPEST_BLOCK = 1_000;
/** A frame has a slot for each; OPA numbers them from 0 without gaps. */
const MOST_LOCALS = 100_000;

/** What a field of a statement holds. */
type FieldKind =
  | 'local'
  | 'optional local'
  | 'locals'
  | 'operand'
  | 'operands'
  | 'integer'
  | 'count'
  | 'string index'
  | 'string indexes'
  | 'name'
  | 'block'
  | 'blocks';

/** The fields of each statement beside its place in the source; a statement or a field that is not here is refused. */
const FIELDS: Readonly<Record<StatementType, Readonly<Record<string, FieldKind>>>> = {
  NopStmt: {},
  AssignIntStmt: { value: 'integer', target: 'local' },
  AssignVarStmt: { source: 'operand', target: 'local' },
  AssignVarOnceStmt: { source: 'operand', target: 'local' },
  ResetLocalStmt: { target: 'local' },
  MakeNullStmt: { target: 'local' },
  MakeNumberIntStmt: { value: 'integer', target: 'local' },
  MakeNumberRefStmt: { Index: 'string index', target: 'local' },
  MakeArrayStmt: { capacity: 'count', target: 'local' },
  MakeObjectStmt: { target: 'local' },
  MakeSetStmt: { target: 'local' },
  EqualStmt: { a: 'operand', b: 'operand' },
  NotEqualStmt: { a: 'operand', b: 'operand' },
  IsArrayStmt: { source: 'operand' },
  IsObjectStmt: { source: 'operand' },
  IsSetStmt: { source: 'operand' },
  IsDefinedStmt: { source: 'local' },
  IsUndefinedStmt: { source: 'local' },
  ArrayAppendStmt: { value: 'operand', array: 'local' },
  ObjectInsertStmt: { key: 'operand', value: 'operand', object: 'local' },
  ObjectInsertOnceStmt: { key: 'operand', value: 'operand', object: 'local' },
  ObjectMergeStmt: { a: 'local', b: 'local', target: 'local' },
  SetAddStmt: { value: 'operand', set: 'local' },
  DotStmt: { source: 'operand', key: 'operand', target: 'local' },
  LenStmt: { source: 'operand', target: 'local' },
  ScanStmt: { source: 'local', key: 'local', value: 'local', block: 'block' },
  NotStmt: { block: 'block' },
  BlockStmt: { blocks: 'blocks' },
  BreakStmt: { index: 'count' },
  CallStmt: { func: 'name', args: 'operands', result: 'optional local' },
  CallDynamicStmt: { args: 'locals', result: 'local', path: 'operands' },
  WithStmt: { local: 'local', path: 'string indexes', value: 'operand', block: 'block' },
  ReturnLocalStmt: { source: 'local' },
  ResultSetAddStmt: { value: 'local' },
};
const PLACE = new Set(['file', 'row', 'col', 'end_row', 'end_col']);

/**
 * Reads and checks a plan, before anything is made of it. Nothing in it is ever executed as code: what it names is looked
 * up among the plan's own functions and the built-ins.
 *
 * @param text plan.json as OPA 1.x writes it
 * @throws PlanInvalidError that names the first statement, field, index or built-in that is not understood
 */
export function readPlan(text: string): Plan {
  try {
    return new PlanReader(parseJson(text)).plan();
  } catch (cause) {
    if (cause instanceof PlanInvalidError) throw cause;
    throw new PlanInvalidError(messageOf(cause), { cause });
  }
}

class PlanReader {
  private strings: readonly string[] = [];
  private files: readonly string[] = [];
  /** where in the document the reader is, for messages */
  private where = '';

  constructor(private readonly document: RegoValue) {}

  plan(): Plan {
    const plan = this.object(this.document, 'plan.json', ['static', 'plans', 'funcs', 'unplanned_rules']);
    const fixed = this.object(plan.get('static') ?? new RegoObject(), 'static', ['strings', 'builtin_funcs', 'files']);
    this.strings = this.constants(fixed.get('strings'), 'static.strings');
    this.files = this.constants(fixed.get('files'), 'static.files');
    const functions = this.named(plan.get('funcs'), 'funcs', (one, at) => this.function(one, at));
    const entrypoints = this.named(plan.get('plans'), 'plans', (one, at) => this.entrypoint(one, at));
    checkCalls({ functions, entrypoints });
    return { functions, entrypoints };
  }

  private named<T extends { name: string }>(
    value: RegoValue | undefined,
    key: string,
    read: (v: RegoValue, at: string) => T,
  ) {
    const list =
      value === undefined || value === null
        ? []
        : this.listOrNone(this.object(value, key, [key]).get(key), `${key}.${key}`);
    const all = list.map((one, index) => read(one, `${key}[${index}]`));
    const names = new Set<string>();
    for (const { name } of all) {
      if (names.has(name)) throw new PlanInvalidError(`${key} has ${name} twice`);
      names.add(name);
    }
    return all;
  }

  private function(value: RegoValue, at: string): PlanFunction {
    const one = this.object(value, at, ['name', 'params', 'return', 'blocks', 'path']);
    const name = this.text(one.get('name'), `${at}.name`);
    this.where = name;
    const parameters = this.list(one.get('params'), 'params').map((local) => this.local(local, 'params'));
    if (parameters.length < 2) throw this.fault('params', 'expected at least input and data');
    if (new Set(parameters).size !== parameters.length) throw this.fault('params', 'expected each local once');
    const path = one.get('path');
    return {
      name,
      parameters,
      returns: this.local(one.get('return'), 'return'),
      blocks: this.blocks(one.get('blocks'), 'blocks', 0),
      path: path === undefined || path === null ? [] : this.list(path, 'path').map((part) => this.text(part, 'path')),
    };
  }

  private entrypoint(value: RegoValue, at: string): Entrypoint {
    const one = this.object(value, at, ['name', 'blocks']);
    const name = this.text(one.get('name'), `${at}.name`);
    this.where = name;
    return { name, blocks: this.blocks(one.get('blocks'), 'blocks', 0) };
  }

  private blocks(value: RegoValue | undefined, field: string, depth: number): Block[] {
    if (value === null || value === undefined) return [];
    return this.list(value, field).map((block) => this.block(block, field, depth));
  }

  private block(value: RegoValue | undefined, field: string, depth: number): Block {
    if (depth > DEEPEST_BLOCK) throw this.fault(field, `expected at most ${DEEPEST_BLOCK} blocks within one another`);
    const statements = this.object(value, field, ['stmts']).get('stmts');
    if (statements === null || statements === undefined) return [];
    return this.list(statements, 'stmts').map((statement) => this.statement(statement, depth + 1));
  }

  private statement(value: RegoValue, depth: number): Statement {
    const outer = this.object(value, 'stmts', ['type', 'stmt']);
    const type = this.text(outer.get('type'), 'type');
    if (!Object.hasOwn(FIELDS, type)) throw this.fault('stmts', `unknown statement ${quote(type)}`);
    const fields = FIELDS[type as StatementType];
    const body = outer.get('stmt');
    if (!isObject(body)) throw this.fault(type, 'expected an object');
    const read: Record<string, unknown> = { type, at: this.place(body) };
    for (const key of body.keys) {
      const name = key as string;
      // OPA 1.22 writes the one field that has no name in JSON with a capital, and may correct that
      const known =
        Object.hasOwn(fields, name) || PLACE.has(name) || (type === 'MakeNumberRefStmt' && name === 'index');
      if (!known) throw this.fault(type, `unknown field ${quote(name)}`);
    }
    for (const [name, kind] of Object.entries(fields)) {
      read[name] = this.field(body, type, name, kind, depth);
    }
    if (type === 'MakeNumberRefStmt') read.text = this.numberText(read.Index as string);
    delete read.Index;
    return read as unknown as Statement;
  }

  private field(body: RegoObject, type: string, name: string, kind: FieldKind, depth: number): unknown {
    const field = `${type}.${name}`;
    const value = body.get(name) ?? (name === 'Index' ? body.get('index') : undefined);
    switch (kind) {
      case 'local':
        return this.local(value, field);
      case 'optional local':
        return value === undefined ? undefined : this.local(value, field);
      case 'locals':
        return this.listOrNone(value, field).map((one) => this.local(one, field));
      case 'operand':
        return this.operand(value, field);
      case 'operands':
        return this.listOrNone(value, field).map((one) => this.operand(one, field));
      case 'integer':
        return this.integer(value, field);
      case 'count':
        return this.count(value ?? 0, field, Number.MAX_SAFE_INTEGER);
      case 'string index':
        return this.string(value, field);
      case 'string indexes':
        return this.listOrNone(value, field).map((one) => this.string(one, field));
      case 'name':
        return this.text(value, field);
      case 'block':
        return this.block(value, field, depth);
      case 'blocks':
        return this.blocks(value, field, depth);
    }
  }

  private operand(value: RegoValue | undefined, field: string): Operand {
    const operand = this.object(value, field, ['type', 'value']);
    const held = operand.get('value');
    switch (operand.get('type')) {
      case 'local':
        return { kind: 'local', local: this.local(held, field) };
      case 'string_index':
        return { kind: 'constant', value: this.string(held, field) };
      case 'bool':
        if (typeof held !== 'boolean') throw this.fault(field, 'expected true or false');
        return { kind: 'constant', value: held };
      default:
        throw this.fault(field, `unknown operand ${quote(operand.get('type'))}`);
    }
  }

  private place(body: RegoObject): SourceLine {
    const number = (name: string): number => this.count(body.get(name) ?? 0, name, Number.MAX_SAFE_INTEGER);
    // a statement that the planner made by itself names the first file, whether there is one or not
    return { file: this.files[number('file')] ?? '', row: number('row'), col: number('col') };
  }

  private local(value: RegoValue | undefined, field: string): Local {
    return this.count(value, field, MOST_LOCALS - 1);
  }

  private string(value: RegoValue | undefined, field: string): string {
    const index = this.count(value, field, Number.MAX_SAFE_INTEGER);
    const text = this.strings[index];
    if (text === undefined) throw this.fault(field, `no string ${index} among ${this.strings.length}`);
    return text;
  }

  private numberText(text: string): string {
    if (splitNumber(text) === undefined || isTooBig(text)) {
      throw this.fault('MakeNumberRefStmt', `expected the text of a number, got ${quote(text)}`);
    }
    return text;
  }

  private integer(value: RegoValue | undefined, field: string): bigint {
    const exact = typeof value === 'number' || value instanceof ExactNumber ? toBigInt(value) : undefined;
    if (exact === undefined || BigInt.asIntN(64, exact) !== exact) {
      throw this.fault(field, `expected an integer of 64 bits, got ${quote(value)}`);
    }
    return exact;
  }

  private count(value: RegoValue | undefined, field: string, most: number): number {
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value;
    throw this.fault(field, `expected an integer from 0 to ${most}, got ${quote(value)}`);
  }

  private constants(value: RegoValue | undefined, field: string): string[] {
    return this.listOrNone(value, field).map((one) =>
      this.text(this.object(one, field, ['value']).get('value'), field),
    );
  }

  private text(value: RegoValue | undefined, field: string): string {
    if (typeof value === 'string') return value;
    throw this.fault(field, `expected a string, got ${quote(value)}`);
  }

  private listOrNone(value: RegoValue | undefined, field: string): readonly RegoValue[] {
    return value === null || value === undefined ? [] : this.list(value, field);
  }

  private list(value: RegoValue | undefined, field: string): readonly RegoValue[] {
    if (Array.isArray(value)) return value;
    throw this.fault(field, `expected a list, got ${quote(value)}`);
  }

  private object(value: RegoValue | undefined, field: string, known: readonly string[]): RegoObject {
    if (!isObject(value)) throw this.fault(field, `expected an object, got ${quote(value)}`);
    for (const key of value.keys) {
      if (!known.includes(key as string)) throw this.fault(field, `unknown field ${quote(key)}`);
    }
    return value;
  }

  private fault(field: string, message: string): PlanInvalidError {
    return new PlanInvalidError(`${this.where === '' ? '' : `${this.where}: `}${field}: ${message}`);
  }
}

/** Once all is read: a function may be called before it is. */
function checkCalls({ functions, entrypoints }: Plan): void {
  const known = new Set([...BUILTIN_NAMES, ...functions.map(({ name }) => name)]);
  for (const { blocks } of [...functions, ...entrypoints]) {
    eachStatement(blocks, (statement) => {
      if (statement.type !== 'CallStmt' || known.has(statement.func)) return;
      const { file, row } = statement.at;
      // The planner's own statements have no line.
      const place = row === 0 ? '' : `${file}:${row} `;
      throw new PlanInvalidError(`${place}calls ${statement.func}, which is no built-in here`);
    });
  }
}

function quote(value: RegoValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'object' && value !== null && !(value instanceof ExactNumber))
    return Array.isArray(value) ? 'a list' : 'an object';
  const text = value instanceof ExactNumber ? value.text : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
