import { eachStatement } from './each-statement';
import {
  DATA,
  INPUT,
  type Block,
  type Local,
  type Operand,
  type Plan,
  type SourceLine,
  type Statement,
  type StatementOf,
} from './plan';

/** What the rules of an entrypoint read, as their plan says it; each path once, with the first line that reads it. */
export interface PlanReads {
  /** `['fleet', 'pending']` of the input, with every shorter path that leads there */
  input: ReadonlyMap<string, PlanRead>;
  /** `['config', 'limits', 'max']` of the data, likewise; rules of the policy itself are none */
  data: ReadonlyMap<string, PlanRead>;
  /** the rules of the policy by their paths below `data`: reading one is no read of the data */
  rules: readonly (readonly string[])[];
  /** where the input is used as a whole, or by a key that is worked out: what is read of it is not known then */
  wholeInput?: SourceLine;
}

/** One path, which is also its key in the map, joined by a NUL. */
export interface PlanRead {
  path: readonly string[];
  at: SourceLine;
}

/** The key of a path in `PlanReads`. */
export const readKey = (path: readonly string[]): string => path.join('\0');

/**
 * The reads of the rules that `entrypoint` reaches. Rules under a `with` that replaces the input read another one, and are
 * left out where the planner made a copy of them.
 */
export function planReads(plan: Plan, entrypoint: string): PlanReads {
  const rules = plan.functions.map(({ path }) => path.slice(1));
  const input = new Map<string, PlanRead>();
  const data = new Map<string, PlanRead>();
  let wholeInput: SourceLine | undefined;
  const isWholeInput = (at: SourceLine): void => void (wholeInput ??= at);
  for (const part of reached(plan, entrypoint)) {
    const paths = new Map<Local, Origin>([
      [part.input, { root: input, path: [] }],
      [part.data, { root: data, path: [] }],
    ]);
    eachStatement(part.blocks, (statement) => {
      const whole = (local: Local): boolean => paths.get(local)?.root === input && paths.get(local)?.path.length === 0;
      if (usedWhole(statement, plan).some(whole)) isWholeInput(statement.at);
      const written = writtenBy(statement);
      if (written === undefined) return;
      // Locals are used again, by each body of a rule.
      const from = sourceOf(statement, paths);
      paths.delete(written);
      if (from === undefined) return;
      if (statement.type !== 'DotStmt') return void paths.set(written, from);
      const { key, at } = statement;
      if (key.kind !== 'constant' || typeof key.value !== 'string') {
        if (from.root === input && from.path.length === 0) isWholeInput(at);
        return;
      }
      const path = [...from.path, key.value];
      if (!from.root.has(readKey(path))) from.root.set(readKey(path), { path, at });
      paths.set(written, { root: from.root, path });
    });
  }
  return { input, data, rules, ...(wholeInput === undefined ? {} : { wholeInput }) };
}

/** Where the value of a local comes from. */
interface Origin {
  root: Map<string, PlanRead>;
  path: readonly string[];
}

function writtenBy(statement: Statement): Local | undefined {
  if (statement.type === 'ScanStmt') return undefined;
  if ('target' in statement) return statement.target;
  return 'result' in statement ? statement.result : undefined;
}

/** Of a lookup, and of an assignment that only gives a value another name. */
function sourceOf(statement: Statement, paths: ReadonlyMap<Local, Origin>): Origin | undefined {
  if (!['DotStmt', 'AssignVarStmt', 'AssignVarOnceStmt'].includes(statement.type)) return undefined;
  const { source } = statement as StatementOf<'DotStmt' | 'AssignVarStmt' | 'AssignVarOnceStmt'>;
  return source.kind === 'local' ? paths.get(source.local) : undefined;
}

interface Part {
  input: Local;
  data: Local;
  blocks: readonly Block[];
}

/** The entrypoint's own blocks, and every function that it calls; a call by a computed name may be of any. */
function reached(plan: Plan, entrypoint: string): Part[] {
  const byName = new Map(plan.functions.map((one) => [one.name, one]));
  const blocks = plan.entrypoints.find(({ name }) => name === entrypoint)?.blocks ?? [];
  const parts: Part[] = [{ input: INPUT, data: DATA, blocks }];
  const seen = new Set<string>();
  const reach = (name: string): void => {
    const found = byName.get(name);
    // `g1.…` is what a `with` changes.
    if (found === undefined || seen.has(name) || !name.startsWith('g0.')) return;
    seen.add(name);
    const [input = INPUT, data = DATA] = found.parameters;
    parts.push({ input, data, blocks: found.blocks });
  };
  for (const part of parts) {
    eachStatement(part.blocks, (statement) => {
      if (statement.type === 'CallStmt') reach(statement.func);
      if (statement.type !== 'CallDynamicStmt') return;
      const [, first] = statement.path;
      for (const { name, path } of plan.functions)
        if (first?.kind !== 'constant' || path[1] === first.value) reach(name);
    });
  }
  return parts;
}

/** The locals that a statement takes with everything in them; a rule takes input and data only to look into them itself. */
function usedWhole(statement: Statement, { functions }: Plan): readonly Local[] {
  const locals = (operands: readonly Operand[]): Local[] =>
    operands.flatMap((operand) => (operand.kind === 'local' ? [operand.local] : []));
  switch (statement.type) {
    case 'ScanStmt':
      return [statement.source];
    case 'EqualStmt':
    case 'NotEqualStmt':
      return locals([statement.a, statement.b]);
    case 'CallStmt': {
      const isRule = functions.some(({ name }) => name === statement.func);
      return locals(isRule ? statement.args.slice(2) : statement.args);
    }
    case 'ArrayAppendStmt':
    case 'ObjectInsertStmt':
    case 'ObjectInsertOnceStmt':
    case 'SetAddStmt':
      return locals([statement.value]);
    case 'LenStmt':
      return locals([statement.source]);
    default:
      return [];
  }
}
