import { BuiltinError, type Builtins } from './builtin';
import { objectAt, stringAt } from './operands';
import type { BuiltinBudget } from './plan-builtin';
import { isNumber, numberText } from '../values/number';
import { isObject, isSet, typeName, type RegoValue } from '../values/value';

/**
 * Go's text templates, as far as policies use them: fields, variables, `if`, `with`, `range`, comments and trim marks.
 * Anything else (functions, pipelines, `else if`, `define`) stops the evaluation (docs/built-ins.md).
 */
export const textTemplateBuiltins: Builtins = {
  'strings.render_template': (operands, { budget }) => {
    const [template, variables] = [stringAt(operands, 0), objectAt(operands, 1)];
    const nodes = new TemplateParser(template).parse();
    checkVariables(variables, budget);
    const output = new Output(budget);
    render(nodes, { dot: variables, variables: new Map([['$', variables]]) }, output);
    return output.text().replaceAll('<no value>', '<undefined>');
  },
};

type Operand = { variable?: string; path: string[] };
type Node =
  | { kind: 'text'; text: string }
  | { kind: 'value'; operand: Operand }
  | { kind: 'if' | 'with'; operand: Operand; then: Node[]; otherwise: Node[] }
  | { kind: 'range'; operand: Operand; names: string[]; then: Node[]; otherwise: Node[] };

/** An index of `range` is an integer of Go, which is false where it is 0; numbers among the variables are texts. */
type Value = RegoValue | bigint | undefined;

interface Scope {
  dot: Value;
  variables: ReadonlyMap<string, Value>;
}

const unsupported = (what: string) => new Error(`strings.render_template: ${what} is not supported here`);

class TemplateParser {
  private at = 0;
  /** the variables that may be named here; any other is an error, used or not */
  private known: readonly string[] = ['$'];

  constructor(private readonly text: string) {}

  parse(): Node[] {
    const { nodes, closedBy } = this.block();
    if (closedBy !== undefined) throw new BuiltinError(`template: unexpected {{${closedBy}}}`);
    return nodes;
  }

  /** Up to the `end` or `else` that closes it, or to the end of the text. */
  private block(): { nodes: Node[]; closedBy?: string } {
    const nodes: Node[] = [];
    for (let action = this.nextAction(nodes); action !== undefined; action = this.nextAction(nodes)) {
      if (action === 'end' || action === 'else') return { nodes, closedBy: action };
      const node = this.node(action);
      if (node) nodes.push(node);
    }
    return { nodes };
  }

  /** The text before the next action becomes a node. */
  private nextAction(nodes: Node[]): string | undefined {
    const open = this.text.indexOf('{{', this.at);
    const end = open < 0 ? this.text.length : open;
    const trimsLeft = open >= 0 && /^\{\{-\s/.test(this.text.slice(open, open + 4));
    let text = this.text.slice(this.at, end);
    if (trimsLeft) text = text.replace(/[ \t\r\n]+$/, '');
    if (text !== '') nodes.push({ kind: 'text', text });
    if (open < 0) return undefined;
    const close = this.text.indexOf('}}', open);
    if (close < 0) throw new BuiltinError('template: unclosed action');
    const inner = this.text.slice(open + (trimsLeft ? 3 : 2), close);
    const trimsRight = /\s-$/.test(inner);
    this.at = close + 2;
    if (trimsRight) while (/[ \t\r\n]/.test(this.text[this.at] ?? '')) this.at++;
    return (trimsRight ? inner.slice(0, -1) : inner).trim();
  }

  private node(action: string): Node | undefined {
    if (/^\/\*[\s\S]*\*\/$/.test(action)) return undefined;
    const [, keyword, rest] = /^(if|with|range)\s+([\s\S]*)$/.exec(action) ?? [];
    if (keyword === 'if' || keyword === 'with') {
      return { kind: keyword, operand: this.operand(rest!), ...this.branches() };
    }
    if (keyword !== 'range') return { kind: 'value', operand: this.operand(action) };
    const [, declared, source] = /^((?:\$\w+\s*,\s*)?\$\w+)\s*:=\s*([\s\S]*)$/.exec(rest!) ?? [];
    const names = declared?.split(',').map((name) => name.trim()) ?? [];
    const outer = this.known;
    this.known = [...outer, ...names];
    const node: Node = { kind: 'range', operand: this.operand(source ?? rest!), names, ...this.branches() };
    this.known = outer;
    return node;
  }

  private operand(text: string): Operand {
    const operand = operandOf(text);
    if (operand.variable !== undefined && !this.known.includes(operand.variable)) {
      throw new BuiltinError(`template: undefined variable ${JSON.stringify(operand.variable)}`);
    }
    return operand;
  }

  private branches(): { then: Node[]; otherwise: Node[] } {
    const then = this.block();
    const otherwise = then.closedBy === 'else' ? this.block() : undefined;
    if ((otherwise ?? then).closedBy !== 'end') throw new BuiltinError('template: unexpected EOF');
    return { then: then.nodes, otherwise: otherwise?.nodes ?? [] };
  }
}

function operandOf(text: string): Operand {
  if (text.startsWith('{')) throw new BuiltinError('template: unexpected "{" in command');
  const match = /^(\$\w*)?(\.|(?:\.[A-Za-z_]\w*)*)$/.exec(text.trim());
  if (!match || match[0] === '' || (match[1] !== undefined && match[2] === '.')) throw unsupported(`{{${text}}}`);
  return { variable: match[1], path: match[2] === '.' ? [] : match[2]!.split('.').slice(1) };
}

class Output {
  private readonly parts: string[] = [];
  private length = 0;
  constructor(private readonly budget: BuiltinBudget) {}

  add(text: string): void {
    this.length += text.length;
    this.budget.spend(1);
    this.budget.characters(this.length);
    this.parts.push(text);
  }

  text(): string {
    return this.parts.join('');
  }
}

function render(nodes: readonly Node[], scope: Scope, output: Output): void {
  for (const node of nodes) {
    if (node.kind === 'text') {
      output.add(node.text);
      continue;
    }
    const value = find(node.operand, scope);
    if (node.kind === 'value') output.add(printed(value));
    else if (node.kind === 'range') renderRange(node, value, scope, output);
    else if (!isTrue(value)) render(node.otherwise, scope, output);
    else render(node.then, node.kind === 'with' ? { ...scope, dot: value } : scope, output);
  }
}

function renderRange(
  { names, then, otherwise }: Extract<Node, { kind: 'range' }>,
  value: Value,
  scope: Scope,
  output: Output,
): void {
  const pairs = entriesOf(value);
  if (pairs.length === 0) {
    // there the variables are what was to be ranged over
    const variables = new Map([...scope.variables, ...names.map((name) => [name, value] as const)]);
    return render(otherwise, { ...scope, variables }, output);
  }
  for (const [key, item] of pairs) {
    const variables = new Map(scope.variables);
    if (names.length === 2) variables.set(names[0]!, key);
    if (names.length > 0) variables.set(names.at(-1)!, item);
    render(then, { dot: item, variables }, output);
  }
}

function entriesOf(value: Value): (readonly [Value, Value])[] {
  if (typeof value === 'bigint') throw unsupported('range over an index');
  if (value === undefined || value === null) return [];
  if (isObject(value)) return [...value.entries];
  if (Array.isArray(value)) return value.map((item, index) => [BigInt(index), item] as const);
  throw new BuiltinError(`template: range can't iterate over ${printed(value)}`);
}

function find({ variable, path }: Operand, scope: Scope): Value {
  if (variable !== undefined && !scope.variables.has(variable)) {
    throw new BuiltinError(`template: undefined variable ${JSON.stringify(variable)}`);
  }
  let value = variable === undefined ? scope.dot : scope.variables.get(variable);
  for (const name of path) {
    // what a map lacks has no fields either, all of them missing
    if (value === undefined) return undefined;
    if (value === null) throw new BuiltinError(`template: nil data; no entry for key "${name}"`);
    if (typeof value === 'bigint' || !isObject(value)) {
      throw new BuiltinError(`template: can't evaluate field ${name} in ${printed(value)}`);
    }
    value = value.get(name);
  }
  return value;
}

/** Go's empty values are false; a number is a text there, so 0 is not. */
function isTrue(value: Value): boolean {
  if (typeof value === 'bigint') return value !== 0n;
  if (value === undefined || value === null) return false;
  if (isObject(value)) return value.size > 0;
  if (Array.isArray(value)) return value.length > 0;
  return value !== '' && value !== false;
}

/** As Go prints it: a number as it is written, a map by its keys. */
function printed(value: Value): string {
  if (typeof value === 'bigint') return String(value);
  return value === undefined || value === null ? '<no value>' : printedInside(value);
}

function printedInside(value: RegoValue): string {
  if (value === null) return '<nil>';
  if (isNumber(value)) return numberText(value);
  if (Array.isArray(value)) return `[${value.map(printedInside).join(' ')}]`;
  if (isObject(value)) {
    return `map[${value.entries.map(([key, item]) => `${String(key)}:${printedInside(item)}`).join(' ')}]`;
  }
  return String(value);
}

/** OPA hands the template JSON: a set has no form in it. Keys that are no texts stop the evaluation. */
function checkVariables(value: RegoValue, budget: BuiltinBudget): void {
  budget.spend(1);
  if (isSet(value)) throw new BuiltinError('template: a set among the variables');
  if (Array.isArray(value)) for (const item of value) checkVariables(item, budget);
  if (!isObject(value)) return;
  for (const [key, item] of value.entries) {
    if (typeof key !== 'string') throw unsupported(`a key of type ${typeName(key)}`);
    checkVariables(item, budget);
  }
}
