import { DATA, type Block, type Local, type Operand, type PlanFunction } from '../plan';
import type { SourceLine, Statement, StatementOf } from '../plan';

/**
 * What the planner makes of some expressions takes several statements, and which they belong to decides what is noted.
 * They are known by their shape, since the plan does not say.
 */
export interface Shapes {
  /** lookups of the planner's own, in an object that it builds */
  ownLookups: ReadonlySet<Statement>;
  /** lookups that read base data where a dynamic reference found no rule, with the call that looked for one */
  afterDynamicCall: ReadonlyMap<Statement, StatementOf<'CallDynamicStmt'>>;
  /** blocks of which at most one runs: that of the package or rule whose name a variable holds */
  choices: ReadonlyMap<Statement, NameChoice>;
  /** type tests that begin an array or object pattern */
  patternTypes: ReadonlySet<Statement>;
  /** tests of a pattern's length, with what is tested */
  patternLengths: ReadonlyMap<Statement, Operand>;
  /** tests of a function's argument against a constant in its head: which definition applies */
  headTests: ReadonlySet<Statement>;
}

/** `data.teams[x]`, of which the plan knows some names; under any other there may be base data. */
export interface NameChoice {
  names: ReadonlySet<string>;
  /** the variable that holds the name */
  key: Local;
  /** the keys that lead from `data` to where the base data is */
  path: readonly Operand[];
}

export function findShapes(blocks: readonly Block[], owner?: PlanFunction): Shapes {
  const finder = new ShapeFinder(owner);
  for (const block of blocks) finder.visit(block);
  return finder;
}

class ShapeFinder implements Shapes {
  readonly ownLookups = new Set<Statement>();
  readonly afterDynamicCall = new Map<Statement, StatementOf<'CallDynamicStmt'>>();
  readonly choices = new Map<Statement, NameChoice>();
  readonly patternTypes = new Set<Statement>();
  readonly patternLengths = new Map<Statement, Operand>();
  readonly headTests = new Set<Statement>();
  private readonly heads: ReadonlySet<string>;

  constructor(owner: PlanFunction | undefined) {
    const hasArguments = owner !== undefined && owner.parameters.length > 2;
    this.heads = new Set(hasArguments ? owner.blocks.flatMap(headsOf) : []);
  }

  visit(block: Block): void {
    block.forEach((statement, index) => {
      this.pattern(block, index);
      if (statement.type === 'EqualStmt' && this.heads.has(placeOf(statement.at))) this.headTests.add(statement);
      if (statement.type === 'BlockStmt') {
        this.nestedDocument(statement);
        this.dynamicReference(statement);
        this.choice(statement, block.slice(index + 1));
        for (const inner of statement.blocks) this.visit(inner);
      } else if ('block' in statement) {
        this.visit(statement.block);
      }
    });
  }

  /** `[[block [[dot own.key, break 1]]], make own.key]`: a nested document that is made at its first key. */
  private nestedDocument({ blocks }: StatementOf<'BlockStmt'>): void {
    const [outer] = blocks;
    if (blocks.length !== 1 || outer?.length !== 2) return;
    const [search, make] = outer;
    if (search?.type !== 'BlockStmt' || (make?.type !== 'MakeObjectStmt' && make?.type !== 'MakeSetStmt')) return;
    const [dot, leave] = search.blocks[0] ?? [];
    if (dot?.type === 'DotStmt' && dot.target === make.target && leave?.type === 'BreakStmt') this.ownLookups.add(dot);
  }

  /** `[[call_dynamic, break 1], [dot …, assign, break 1]]`: a rule by a name that is computed, or else base data. */
  private dynamicReference({ blocks }: StatementOf<'BlockStmt'>): void {
    const [first, second] = blocks;
    const call = first?.[0];
    if (blocks.length !== 2 || call?.type !== 'CallDynamicStmt') return;
    for (const statement of second!) if (statement.type === 'DotStmt') this.afterDynamicCall.set(statement, call);
  }

  /** `[equal "a" x, …], [equal "b" x, …]; make_set, set_add "a", set_add "b"; dot …, scan`: see planRefData in OPA. */
  private choice(statement: StatementOf<'BlockStmt'>, rest: Block): void {
    const tests = statement.blocks.map(([first]) => (first?.type === 'EqualStmt' ? first : undefined));
    const keys = new Set(tests.map((test) => (test?.b.kind === 'local' ? test.b.local : undefined)));
    const [key] = keys;
    const [exclude, ...after] = rest;
    if (key === undefined || keys.size !== 1 || exclude?.type !== 'MakeSetStmt') return;
    const names = new Set<string>();
    let { length } = after;
    for (const [index, add] of after.entries()) {
      if (add.type !== 'SetAddStmt' || add.set !== exclude.target || add.value.kind !== 'constant') {
        length = index;
        break;
      }
      names.add(String(add.value.value));
    }
    if (!tests.every((test) => test?.a.kind === 'constant' && names.has(String(test.a.value)))) return;
    this.choices.set(statement, { names, key, path: dotsFrom(DATA, after.slice(length)) });
  }

  /** `is_array, len, make_number, equal`, not `is_array, break`, with which `every` asks. */
  private pattern(block: Block, index: number): void {
    const [test, length, , equal] = block.slice(index, index + 4);
    if (test?.type !== 'IsArrayStmt' && test?.type !== 'IsObjectStmt') return;
    if (length?.type !== 'LenStmt') return;
    this.patternTypes.add(test);
    if (equal?.type === 'EqualStmt') this.patternLengths.set(equal, test.source);
  }
}

/** The keys of the lookups, one in the other, that a block begins with. */
function dotsFrom(start: Local, block: Block): Operand[] {
  const keys: Operand[] = [];
  let source = start;
  for (const dot of block) {
    if (dot.type !== 'DotStmt' || dot.source.kind !== 'local' || dot.source.local !== source) break;
    keys.push(dot.key);
    source = dot.target;
  }
  return keys;
}

/** Each body of a function, `else` included, begins where its head is. */
function headsOf(block: Block): string[] {
  const [first] = block;
  if (first === undefined) return [];
  if (block.length === 1 && first.type === 'BlockStmt') return first.blocks.flatMap(headsOf);
  return first.type === 'ResetLocalStmt' || first.type === 'IsUndefinedStmt' ? [placeOf(first.at)] : [];
}

const placeOf = ({ file, row, col }: SourceLine): string => `${file}:${row}:${col}`;
