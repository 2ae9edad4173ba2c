import { isNumber, numberText } from '../../values/number';
import { isObject, isSet, typeName, type RegoValue } from '../../values/value';
import { matchesPath } from '../../declarations/path-pattern';
import type { Declaration } from '../../declarations/declaration';
import { compareNotes, type Note, type NoteKind } from './note';
import { pathOf, rootOf, stepIn } from './origin';
import type { Outside } from './outside';
import { pathText, stepOf, type ValuePath } from './paths';
import type { Site } from './site';

type Frame = readonly (RegoValue | undefined)[];

/** Enough to see what is wrong; a policy that misses at each of a million elements would fill the memory with notes. */
const MOST_NOTES = 1_000;

/** What a notebook must know of the policy. */
export interface NotebookPolicy {
  /** what its rules deal with themselves */
  declarations: readonly Declaration[];
  /** whether a path (joined by U+0000, `data` first) is a package or leads to one: the planner looks there by itself */
  isPackagePrefix(path: ValuePath): boolean;
  /** whether the schema of the value at this path says that it may be empty */
  mayBeEmpty(path: ValuePath): boolean;
}

/** The notes of one evaluation. Nothing is made, marked or walked before the first of them. */
export class Notebook {
  private readonly notes = new Map<string, Note>();
  private readonly tolerated = new Map<string, Note>();
  private readonly used = new Set<string>();
  private isFull = false;

  constructor(
    private readonly policy: NotebookPolicy,
    private readonly outside: Outside,
  ) {}

  /** A lookup that found nothing, or null. */
  lookup(site: Site, frame: Frame, container: RegoValue | undefined, key: RegoValue, found: null | undefined): void {
    if (isSet(container)) return;
    const place = this.placeOf(site, frame, container, key);
    if (place === undefined) return;
    if (found === null) return this.absence(site, 'null', place, 'expected a value, found null');
    const isScalar = container !== undefined && !isObject(container) && !Array.isArray(container);
    const what = isScalar
      ? `expected a value, found nothing in ${an(typeName(container))}`
      : 'expected a value, found nothing';
    this.absence(site, isScalar ? 'scalar' : 'absent', place, what);
  }

  /** A reference into `data` whose last key, which is computed, names neither a rule nor base data. */
  reference(site: Site, keys: readonly RegoValue[]): void {
    const path = ['data', ...keys.map(stepOf)];
    this.absence(site, 'absent', { path, isMade: false }, 'expected a rule or data, found neither');
  }

  /** An iteration over a value that holds nothing. */
  scalar(site: Site, frame: Frame, value: RegoValue | undefined): void {
    const place = this.nameOf(site, frame, value);
    const found = value === undefined ? 'nothing' : an(typeName(value));
    this.absence(site, 'scalar', place, `expected a collection, found ${found}`);
  }

  /** An iteration that came to a null. */
  element(site: Site, frame: Frame, collection: RegoValue, key: RegoValue): void {
    const place = this.nameOf(site, frame, collection);
    const element = { ...place, path: [...place.path, stepOf(key)] };
    this.absence(site, 'null', element, 'expected a value, found null');
  }

  /** An iteration or an aggregate over an empty collection; no note unless it came from outside. */
  empty(site: Site, frame: Frame, collection: RegoValue): void {
    const root = site.origin && rootOf(site.origin);
    const path = (root && pathOf(site.origin!, frame)) ?? this.outside.find(collection);
    if (path === undefined || this.policy.mayBeEmpty(path)) return;
    this.absence(site, 'empty', { path, isMade: false }, 'expected at least one entry, found none');
  }

  /** An array or object pattern that a value does not fit; no note unless the value came from outside. */
  pattern(site: Site, frame: Frame, value: RegoValue | undefined, expected: string): void {
    if (value === undefined || (rootOf(site.origin) === undefined && !this.outside.has(value))) return;
    this.absence(site, 'pattern', this.nameOf(site, frame, value), `expected ${expected}, found ${describe(value)}`);
  }

  builtinError(site: Site, builtin: string, operands: readonly RegoValue[], error: string): void {
    const message = `${builtin}(${operands.map(excerpt).join(', ')}) failed: ${error}`;
    this.add(
      { kind: 'builtin-error', ...placed(site), builtin, message },
      this.allowing(site, ({ builtinErrorsAreUndefined }) => builtinErrorsAreUndefined),
    );
  }

  builtinUndefined(site: Site, builtin: string, operands: readonly RegoValue[]): void {
    const message = `${builtin}(${operands.map(excerpt).join(', ')}) has no result`;
    this.add(
      { kind: 'builtin-undefined', ...placed(site), builtin, message },
      this.allowing(site, ({ builtinErrorsAreUndefined }) => builtinErrorsAreUndefined),
    );
  }

  comparison(site: Site, operator: string, a: RegoValue, b: RegoValue): void {
    const message = `${describe(a)} ${operator} ${describe(b)} compares ${an(typeName(a))} with ${an(typeName(b))}`;
    this.add(
      { kind: 'comparison', ...placed(site), message },
      this.allowing(site, ({ comparesAsOpa }) => comparesAsOpa),
    );
  }

  /** max, min or sort over values of different types. */
  mixed(site: Site, builtin: string, collection: RegoValue): void {
    const message = `${builtin}(${excerpt(collection)}) compares values of different types`;
    this.add(
      { kind: 'comparison', ...placed(site), builtin, message },
      this.allowing(site, ({ comparesAsOpa }) => comparesAsOpa),
    );
  }

  /** @returns undefined where nothing was noted after all */
  result(): NotesOfEvaluation | undefined {
    if (this.notes.size === 0 && this.tolerated.size === 0) return undefined;
    const notes = sorted(this.notes);
    return {
      absent: notes.filter(({ kind }) => !kind.startsWith('builtin') && kind !== 'comparison'),
      builtinErrors: notes.filter(({ kind }) => kind.startsWith('builtin')),
      comparisons: notes.filter(({ kind }) => kind === 'comparison'),
      tolerated: sorted(this.tolerated),
      usedDeclarations: [...this.used].sort(),
      isTruncated: this.isFull,
    };
  }

  private absence(site: Site, kind: NoteKind, { path, isMade }: Place, message: string): void {
    const note = {
      kind,
      ...placed(site),
      path,
      ...(isMade ? { isMade } : {}),
      message: `${pathText(path)}: ${message}`,
    };
    this.add(
      note,
      this.allowing(site, ({ optional }) => optional.some((pattern) => matchesPath(pattern, path))),
    );
  }

  /** The first declaration that holds at the line and allows what would be noted. */
  private allowing({ at }: Site, allows: (declaration: Declaration) => boolean): Declaration | undefined {
    return this.policy.declarations.find(({ ranges, ...declaration }) => {
      const holds = ranges.some(({ file, first, last }) => file === at.file && first <= at.row && at.row <= last);
      return holds && allows({ ranges, ...declaration });
    });
  }

  private add(note: Note, toleratedBy: Declaration | undefined): void {
    const notes = toleratedBy === undefined ? this.notes : this.tolerated;
    if (toleratedBy !== undefined) this.used.add(toleratedBy.where);
    if (notes.size >= MOST_NOTES) {
      this.isFull = true;
      return;
    }
    const { file, row, col } = note.at;
    notes.set(`${file}\0${row}\0${col}\0${note.kind}\0${note.message}`, note);
  }

  /** Where a lookup looked, or undefined where only the planner did. */
  private placeOf(site: Site, frame: Frame, container: RegoValue | undefined, key: RegoValue): Place | undefined {
    if (site.dynamicPath !== undefined) {
      const steps = site.dynamicPath.map((one) => stepIn(one, frame));
      if (steps.every((step) => step !== undefined)) return { path: ['data', ...steps], isMade: false };
    }
    const { path, isMade } = this.nameOf(site, frame, container);
    const place = { path: [...path, stepOf(key)], isMade };
    if (isMade || path[0] !== 'data' || !this.policy.isPackagePrefix(place.path)) return place;
    const rest = (site.rest ?? []).map((one) => stepIn(one, frame) ?? '?');
    const whole = [...place.path, ...rest];
    return this.policy.isPackagePrefix(whole) ? undefined : { path: whole, isMade };
  }

  private nameOf(site: Site, frame: Frame, value: RegoValue | undefined): Place {
    const named = site.origin && pathOf(site.origin, frame);
    if (named !== undefined && rootOf(site.origin) !== undefined) return { path: named, isMade: false };
    const found = value === undefined ? undefined : this.outside.find(value);
    if (found !== undefined) return { path: found, isMade: false };
    return { path: named ?? ['data', ...site.rulePath], isMade: true };
  }
}

interface Place {
  path: ValuePath;
  isMade: boolean;
}

/** Each list in the order of the source, each note once. */
export interface NotesOfEvaluation {
  /** lookups, iterations, aggregates and patterns */
  absent: Note[];
  builtinErrors: Note[];
  comparisons: Note[];
  /** what a declaration allows */
  tolerated: Note[];
  /** where the declarations are that allowed something, `gate.rego:12` */
  usedDeclarations: string[];
  /** there were more than are listed */
  isTruncated: boolean;
}

const sorted = (notes: ReadonlyMap<string, Note>): Note[] => [...notes.values()].sort(compareNotes);
const placed = ({ at, rulePath }: Site) => ({ at, rule: pathText(['data', ...rulePath]) });
const an = (type: string): string => (type === 'null' ? type : /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`);

const LONGEST_EXCERPT = 60;

/** A scalar itself, of a collection only what it is: it may be of any size. */
function describe(value: RegoValue): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (isObject(value)) return `an object of ${value.size}`;
  return isSet(value) ? `a set of ${value.size}` : excerpt(value);
}

function excerpt(value: RegoValue): string {
  if (isNumber(value)) return numberText(value).slice(0, LONGEST_EXCERPT);
  if (typeof value !== 'string') return typeof value === 'object' && value !== null ? describe(value) : String(value);
  const text = JSON.stringify(value.slice(0, LONGEST_EXCERPT));
  return value.length > LONGEST_EXCERPT ? `${text.slice(0, -1)}…"` : text;
}
