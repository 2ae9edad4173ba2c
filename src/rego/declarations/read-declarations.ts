import type { Fault } from '../../kernel/failures';
import { placeText } from '../../kernel/fault-text';
import { isJsonObject, type JsonObject } from '../../kernel/json';
import { placeOf, refuse } from '../analysis/source-faults';
import type { Declaration, Declarations, LineRange } from './declaration';
import { parsePathPattern, type PathPattern } from './path-pattern';

/** What a rule's METADATA may say under `custom.gate`. */
const KEYS = ['optional', 'builtin_errors', 'comparisons', 'deny_with_notes'];

interface RuleLines {
  file: string;
  /** `data.gate` */
  packagePath: string;
  /** `data.gate.deny_reasons` */
  path: string;
  range: LineRange;
  /** where it begins in its first line */
  column: number;
  annotations: JsonObject[];
}

/**
 * The declarations in the METADATA of all rules (`custom.gate`), with the lines that they cover by OPA's scopes: `rule` the
 * rule below it, `document` all rules of its name, `package` all rules of its package, `subpackages` those of the packages
 * below too.
 *
 * @param trees syntax trees by file (`opa parse --format json --json-include locations`)
 * @param entrypoint `gate/response`: `deny_with_notes` counts there alone
 */
export function readDeclarations(
  trees: ReadonlyMap<string, unknown>,
  entrypoint: string,
): { declarations: Declarations; faults: Fault[] } {
  const rules = [...trees].flatMap(([file, tree]) => rulesOf(file, tree));
  const faults: Fault[] = [];
  const found = new Map<string, Declaration>();
  let deniesWithNotes = false;
  for (const [file, tree] of trees) {
    const ofPackage = annotationsOf(tree).filter(({ scope }) => scope === 'package' || scope === 'subpackages');
    const packagePath = packageOf(tree);
    for (const annotation of ofPackage) {
      const covers = (rule: RuleLines): boolean =>
        rule.packagePath === packagePath ||
        (annotation.scope === 'subpackages' && rule.packagePath.startsWith(`${packagePath}.`));
      add(file, annotation, rules.filter(covers), undefined);
    }
  }
  for (const rule of rules) {
    for (const annotation of rule.annotations) {
      if (annotation.scope === 'rule') add(rule.range.file, annotation, [rule], rule.path);
      if (annotation.scope === 'document') {
        add(
          rule.range.file,
          annotation,
          rules.filter(({ path }) => path === rule.path),
          rule.path,
        );
      }
    }
  }
  return { declarations: { rules: [...found.values()], deniesWithNotes }, faults };

  function add(file: string, annotation: JsonObject, covered: RuleLines[], path: string | undefined): void {
    const ours = isJsonObject(annotation.custom) ? annotation.custom.gate : undefined;
    if (ours === undefined) return;
    const place = placeOf(file, annotation) ?? { file, line: 1, column: 1 };
    const where = placeText(file, place.line);
    // OPA hangs a document's annotation on each of its rules
    if (found.has(where)) return;
    const said = readCustom(ours, (what) => faults.push(refuse(place, what)), path === dotted(entrypoint));
    deniesWithNotes ||= said.deniesWithNotes;
    const { optional, builtinErrorsAreUndefined, comparesAsOpa } = said;
    const ranges = covered.map(({ range }) => range);
    found.set(where, { where, ranges, optional, builtinErrorsAreUndefined, comparesAsOpa });
  }
}

/** The rules of a policy by their lines, and the column that each begins in. @param trees syntax trees by file */
export function ruleLines(trees: ReadonlyMap<string, unknown>): { path: string; range: LineRange; column: number }[] {
  return [...trees]
    .flatMap(([file, tree]) => rulesOf(file, tree))
    .map(({ path, range, column }) => ({ path, range, column }));
}

interface Said {
  optional: PathPattern[];
  builtinErrorsAreUndefined: boolean;
  comparesAsOpa: boolean;
  deniesWithNotes: boolean;
}

function readCustom(ours: unknown, fault: (what: string) => void, isEntrypoint: boolean): Said {
  const said: Said = {
    optional: [],
    builtinErrorsAreUndefined: false,
    comparesAsOpa: false,
    deniesWithNotes: false,
  };
  if (!isJsonObject(ours)) {
    fault(`METADATA custom.gate: expected an object with ${KEYS.join(', ')}, found ${JSON.stringify(ours)}`);
    return said;
  }
  const only = (key: string, value: string): boolean => {
    if (ours[key] === undefined) return false;
    if (ours[key] !== value) {
      fault(`METADATA custom.gate.${key}: expected ${JSON.stringify(value)}, found ${JSON.stringify(ours[key])}`);
    }
    return ours[key] === value;
  };
  for (const key of Object.keys(ours)) {
    if (!KEYS.includes(key)) fault(`METADATA custom.gate.${key}: expected one of ${KEYS.join(', ')}`);
  }
  said.builtinErrorsAreUndefined = only('builtin_errors', 'undefined');
  said.comparesAsOpa = only('comparisons', 'as-opa');
  said.deniesWithNotes = only('deny_with_notes', 'deny');
  if (said.deniesWithNotes && !isEntrypoint) {
    said.deniesWithNotes = false;
    fault('METADATA custom.gate.deny_with_notes: expected it on the entrypoint, the rule that gives the response');
  }
  const { optional = [] } = ours;
  if (!Array.isArray(optional)) {
    fault(`METADATA custom.gate.optional: expected a list of paths, found ${JSON.stringify(optional)}`);
    return said;
  }
  for (const text of optional) {
    const pattern = typeof text === 'string' ? parsePathPattern(text) : { expected: 'a path as text' };
    if ('expected' in pattern) {
      fault(`METADATA custom.gate.optional: expected ${pattern.expected}, found ${JSON.stringify(text)}`);
    } else {
      said.optional.push(pattern);
    }
  }
  return said;
}

function rulesOf(file: string, tree: unknown): RuleLines[] {
  if (!isJsonObject(tree) || !Array.isArray(tree.rules)) return [];
  const packagePath = packageOf(tree);
  return tree.rules.filter(isJsonObject).map((rule) => ({
    file,
    packagePath,
    path: [packagePath, ...headPath(rule.head)].join('.'),
    range: { file, ...linesOf(rule) },
    column: placeOf(file, rule)?.column ?? 1,
    annotations: annotationsOf(rule),
  }));
}

/** The constant part of a rule's name: `a.b` of `a.b[x] := …`. */
function headPath(head: unknown): string[] {
  if (!isJsonObject(head)) return [];
  if (!Array.isArray(head.ref)) return typeof head.name === 'string' ? [head.name] : [];
  const terms = head.ref.filter(isJsonObject);
  const end = terms.findIndex(({ type }, index) => index > 0 && type !== 'string');
  return terms.slice(0, end === -1 ? terms.length : end).map(({ value }) => String(value));
}

/** A rule's text is given in base64; it ends with its last body or `else`. */
function linesOf(rule: JsonObject): { first: number; last: number } {
  const first = placeOf('', rule)?.line ?? 1;
  return { first, last: Math.max(first, lastLineIn(rule)) };
}

function lastLineIn(node: unknown): number {
  if (Array.isArray(node)) return node.reduce<number>((last, item) => Math.max(last, lastLineIn(item)), 0);
  if (!isJsonObject(node)) return 0;
  let last = 0;
  for (const [key, child] of Object.entries(node)) {
    if (key === 'location') last = Math.max(last, lastLineOfText(child));
    else if (key !== 'annotations') last = Math.max(last, lastLineIn(child));
  }
  return last;
}

function lastLineOfText(location: unknown): number {
  if (!isJsonObject(location) || typeof location.row !== 'number') return 0;
  const text = typeof location.text === 'string' ? Buffer.from(location.text, 'base64').toString('utf8') : '';
  return location.row + (text.match(/\n/g)?.length ?? 0);
}

function annotationsOf(node: unknown): JsonObject[] {
  return isJsonObject(node) && Array.isArray(node.annotations) ? node.annotations.filter(isJsonObject) : [];
}

function packageOf(tree: unknown): string {
  const path = isJsonObject(tree) && isJsonObject(tree.package) ? tree.package.path : undefined;
  return Array.isArray(path) ? path.map((term) => (isJsonObject(term) ? String(term.value) : '')).join('.') : '';
}

const dotted = (entrypoint: string): string => ['data', ...entrypoint.split('/')].join('.');
