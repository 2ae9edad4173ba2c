import { canonicalJson } from '../../kernel/canonical-json';

/** Where a rule is written, and how. */
export interface RulePlace {
  /** path within the policy */
  file: string;
  /** counted from 1 */
  row: number;
  /** as it is written */
  text: string;
}

/** One rule of a policy. */
export interface SourceRule extends RulePlace {
  /** `gate.deny_reasons`; imports of a file are listed under `import` */
  name: string;
  /** what it says, whatever its layout and comments: equal for equal rules */
  meaning: string;
}

/** A rule that only one of two policies has, or that the two write with another meaning. */
export interface RuleChange {
  change: 'added' | 'removed' | 'changed';
  /** `gate.deny_reasons` */
  rule: string;
  /** in the first release; absent for an added rule */
  a?: RulePlace;
  /** in the second release; absent for a removed rule */
  b?: RulePlace;
}

/** What the source of a policy holds beside its compiled form. */
export interface PolicySource {
  rules: SourceRule[];
  /** names of everything that is called, built-in or not */
  calls: ReadonlySet<string>;
  /** every text and number that is written out, for whoever looks for inputs at which a rule changes its mind */
  texts: ReadonlySet<string>;
  numbers: ReadonlySet<number>;
}

/**
 * Reads syntax trees (`opa parse --format json --json-include locations`).
 *
 * @param trees by the file's path
 */
export function readSource(trees: ReadonlyMap<string, unknown>): PolicySource {
  const rules: SourceRule[] = [];
  const calls = new Set<string>();
  const texts = new Set<string>();
  const numbers = new Set<number>();
  for (const [file, tree] of trees) {
    const { package: packageOf, imports, rules: listed } = tree as Tree;
    const path = namesIn(packageOf.path.slice(1)).join('.');
    for (const node of imports ?? []) rules.push(toRule('import', node, file, path));
    for (const node of listed ?? []) {
      rules.push(toRule([path, ...namesIn(node.head!.ref)].join('.'), node, file, path));
      visit(node, (term) => {
        if (term.type === 'string') texts.add(String(term.value));
        if (term.type === 'number' && typeof term.value === 'number') numbers.add(term.value);
        const called = calledName(term);
        if (called !== undefined) calls.add(called);
      });
    }
  }
  return { rules, calls, texts, numbers };
}

/** What was added, removed or changed, by name. Moving a rule to another place or file is no change. */
export function compareRules(a: readonly SourceRule[], b: readonly SourceRule[]): RuleChange[] {
  const names = [...new Set([...a, ...b].map(({ name }) => name))].sort();
  return names.flatMap((name) => {
    const removed = less(a, b, name);
    const added = less(b, a, name);
    const changes: RuleChange[] = [];
    for (const before of removed) {
      // Of several rules of one name, those with the same head are the same rule.
      const sameHead = added.findIndex((after) => headOf(after) === headOf(before));
      const isOnlyPair = removed.length === 1 && added.length === 1 && name !== 'import';
      const [after] = sameHead >= 0 ? added.splice(sameHead, 1) : isOnlyPair ? added.splice(0, 1) : [];
      changes.push({
        change: after ? 'changed' : 'removed',
        rule: name,
        a: place(before),
        ...(after && { b: place(after) }),
      });
    }
    return [...changes, ...added.map((after): RuleChange => ({ change: 'added', rule: name, b: place(after) }))];
  });
}

interface Node {
  location?: { row: number; text: string };
  head?: { ref: Term[]; location: { text: string } };
  default?: boolean;
}
interface Term {
  type?: string;
  value?: unknown;
}
interface Tree {
  package: { path: Term[] };
  imports?: Node[];
  rules?: Node[];
}

/** The rules of that name of `list` that `others` lacks; of equal ones as many as are missing. */
function less(list: readonly SourceRule[], others: readonly SourceRule[], name: string): SourceRule[] {
  const left = others.filter((rule) => rule.name === name).map(({ meaning }) => meaning);
  return list.filter((rule) => {
    if (rule.name !== name) return false;
    const at = left.indexOf(rule.meaning);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

const place = ({ file, row, text }: SourceRule): RulePlace => ({ file, row, text });
const headOf = ({ text }: SourceRule): string => text.split(/\bif\b|\{\s*\n/, 1)[0]!.trim();

function toRule(name: string, node: Node, file: string, packagePath: string): SourceRule {
  const whole = textOf(node.location);
  // The place of a default, as of an import, is its keyword alone.
  const text = node.default === true ? `default ${textOf(node.head?.location)}` : whole;
  const shown = name === 'import' ? importText(node) : text;
  // An import means something only to its own package.
  const scope = name === 'import' ? packagePath : '';
  return { name, meaning: scope + meaningOf(node), text: shown, file, row: node.location?.row ?? 1 };
}

function importText(node: Node): string {
  const { path, alias } = node as { path?: { value: Term[] }; alias?: string };
  return `import ${namesIn(path?.value ?? []).join('.')}${alias === undefined ? '' : ` as ${alias}`}`;
}

const textOf = (location: { text: string } | undefined): string =>
  Buffer.from(location?.text ?? '', 'base64').toString('utf8');

const namesIn = (terms: readonly Term[]): string[] => terms.map(({ value }) => String(value));

const NO_MEANING = new Set(['location', 'alias_location', 'annotations', 'comments']);

/** The tree without places and comments; the wildcards that OPA numbers through a file are numbered through the rule. */
function meaningOf(node: unknown): string {
  const wildcards = new Map<string, string>();
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== 'object' || value === null) return value;
    const term = value as Term;
    if (term.type === 'var' && typeof term.value === 'string' && term.value.startsWith('$')) {
      if (!wildcards.has(term.value)) wildcards.set(term.value, `$${wildcards.size}`);
      return { type: 'var', value: wildcards.get(term.value) };
    }
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !NO_MEANING.has(key))
        .map(([key, child]) => [key, plain(child)]),
    );
  };
  return canonicalJson(plain(node));
}

function visit(value: unknown, see: (term: Term & { terms?: unknown }) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) see(value as Term);
  // The keys of a reference such as `input.fleet.free` are names, not values.
  const inside = (value as Term).type === 'ref' ? namesLeftOut((value as Term).value) : value;
  for (const [key, child] of Object.entries(inside)) if (!NO_MEANING.has(key)) visit(child, see);
}

const namesLeftOut = (terms: unknown): Term[] => (terms as Term[]).filter(({ type }) => type !== 'string');

/** `count` of a call within a term, and of one that is an expression. */
function calledName({ type, value, terms }: Term & { terms?: unknown }): string | undefined {
  const operation: unknown = type === 'call' ? (value as unknown[])[0] : Array.isArray(terms) ? terms[0] : undefined;
  const { type: kind, value: names } = (operation ?? {}) as Term;
  return kind === 'ref' ? namesIn(names as Term[]).join('.') : undefined;
}
