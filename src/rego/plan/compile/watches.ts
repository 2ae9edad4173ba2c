import { isNumber, toDouble } from '../../values/number';
import { RegoObject } from '../../values/rego-object';
import { RegoSet } from '../../values/rego-set';
import { isSet, typeRank, type RegoValue } from '../../values/value';
import { isCollection } from '../absence/outside';
import type { Site } from '../absence/site';
import type { DoubtReason } from '../doubts';
import { lookUp } from '../lookup';
import { measure } from '../measure';
import type { Operand, SourceLine } from '../plan';
import type { Frame, Run } from '../run';
import type { Scope } from './scope';

/** What is looked at around a call of a built-in: absence that it would hide, and reasons to doubt the wasm's answer. */
export interface Watch {
  before?(operands: readonly RegoValue[], frame: Frame, run: Run): void;
  after?(operands: readonly RegoValue[], value: RegoValue, run: Run): void;
}

type Before = (operands: readonly RegoValue[], site: Site, frame: Frame, run: Run) => void;
type After = (operands: readonly RegoValue[], value: RegoValue, at: SourceLine, run: Run) => void;

interface Watched {
  before?: Before;
  after?: After;
  /** the operand that the site's origin is of */
  operand?: number;
  /** why the module may lose its vote by a call of it */
  reason?: DoubtReason;
}

/** Why the module may lose its vote by a call of a built-in; undefined where it cannot. */
export function possibleDoubt(name: string): DoubtReason | undefined {
  if (NANOSECONDS.has(name)) return 'large-integer';
  return Object.hasOwn(WATCHED, name) ? WATCHED[name]!.reason : undefined;
}

/** Moments as nanoseconds, which are beyond 2^53 since April 1970: every call of one takes the vote away. */
const NANOSECONDS = new Set(['time.now_ns', 'time.parse_ns', 'time.parse_rfc3339_ns', 'time.add_date']);

/** @returns undefined where nothing is to be looked at */
export function watchOf(name: string, args: readonly Operand[], scope: Scope): ((site: Site) => Watch) | undefined {
  const watched = Object.hasOwn(WATCHED, name) ? WATCHED[name]! : undefined;
  if (watched === undefined) return undefined;
  const operand = watched.operand === undefined ? undefined : args[watched.operand];
  const origin = operand && scope.originOf(operand);
  return (plain) => {
    const site = origin === undefined ? plain : { ...plain, origin };
    const { before, after } = watched;
    return {
      ...(before && { before: (operands, frame, run) => before(operands, site, frame, run) }),
      ...(after && { after: (operands, value, run) => after(operands, value, site.at, run) }),
    };
  };
}

/** An aggregate over an empty collection from outside, and one over values of different types. */
const aggregate = (operand: number, name?: string): Watched => ({
  operand,
  before: (operands, site, frame, run) => {
    const collection = operands[operand]!;
    if (sizeOf(collection) === 0) run.notebook.empty(site, frame, collection);
    if (name !== undefined && isMixed(collection)) run.notebook.mixed(site, name, collection);
  },
});

const doubt = (reason: DoubtReason): Watched => ({
  reason,
  before: (_operands, { at }, _frame, run) => run.doubts.add(reason, at),
});

/** Arithmetic with a fraction or beyond 2^53, be it an operand, one of a list, or the result. */
const arithmetic: Watched = {
  reason: 'fraction',
  after: (operands, value, at, run) => {
    for (const operand of operands) numbersOf(operand, at, run);
    run.doubts.number(value, at);
  },
};

/** Of 0 / 0 the module makes no number, and ends its evaluation where OPA's expression is undefined. */
const division: Watched = {
  ...arithmetic,
  before: (operands, { at }, _frame, run) => {
    if (operands.every((one) => isNumber(one) && toDouble(one) === 0)) run.doubts.add('zero-by-zero', at);
  },
};

/** Its result may be of any size in characters, whatever it is in memory. */
const writesOut: Watched = {
  before: (operands, _site, _frame, run) => {
    for (const operand of operands) if (isCollection(operand)) measure(operand, run.budget);
  },
};

/** The module writes a set in the order of its hashes. */
const writesSets: Watched = {
  reason: 'unordered-list',
  before: (operands, site, frame, run) => {
    writesOut.before!(operands, site, frame, run);
    if (operands.some(holdsSet)) run.doubts.add('unordered-list', site.at);
  },
};

const emptyText = (isEmpty: (operands: readonly RegoValue[]) => boolean): Watched => ({
  reason: 'empty-replacement',
  before: (operands, { at }, _frame, run) => {
    if (isEmpty(operands)) run.doubts.add('empty-replacement', at);
  },
});

const both = (...all: readonly Watched[]): Watched => ({
  ...Object.assign({}, ...all),
  before: (operands, site, frame, run) => {
    for (const one of all) one.before?.(operands, site, frame, run);
  },
  after: (operands, value, at, run) => {
    for (const one of all) one.after?.(operands, value, at, run);
  },
});

const WATCHED: Readonly<Record<string, Watched>> = {
  'object.get': { operand: 0, before: (operands, site, frame, run) => defaulted(operands, site, frame, run) },
  'internal.member_2': aggregate(1),
  'internal.member_3': aggregate(2),
  max: aggregate(0, 'max'),
  min: aggregate(0, 'min'),
  sort: aggregate(0, 'sort'),
  concat: both(aggregate(1), {
    reason: 'unordered-list',
    before: ([, list], { at }, _frame, run) => {
      if (isSet(list) && list.size > 1) run.doubts.add('unordered-list', at);
    },
  }),
  sum: both(aggregate(0), arithmetic),
  product: both(aggregate(0), arithmetic),
  ...Object.fromEntries(
    ['plus', 'minus', 'mul', 'rem', 'abs', 'round', 'ceil', 'floor'].map((name) => [name, arithmetic]),
  ),
  div: division,
  walk: doubt('walk'),
  'base64.is_valid': doubt('base64'),
  'base64.decode': doubt('base64'),
  'base64url.decode': doubt('base64'),
  'json.is_valid': doubt('json-validity'),
  // the module takes numbers whose exponent OPA refuses, and aborts on integers of more than 64 bits
  'json.unmarshal': doubt('json-validity'),
  format_int: doubt('large-integer'),
  replace: emptyText(([, old]) => old === ''),
  'strings.replace_n': emptyText(([patterns]) => patterns instanceof RegoObject && patterns.has('')),
  'json.marshal': writesSets,
  'json.marshal_with_options': writesSets,
  sprintf: writesOut,
  'yaml.marshal': writesOut,
  'internal.template_string': writesOut,
};

/** A lookup that found nothing, or null, in the object or below it: the default is the answer then. */
function defaulted(operands: readonly RegoValue[], site: Site, frame: Frame, run: Run): void {
  const [object, key] = operands;
  if (object === run.input) touch(key!, run);
  let container = object!;
  let at = site;
  for (const step of Array.isArray(key) ? key : [key!]) {
    const found = lookUp(container, step);
    if (found === undefined || found === null) {
      run.notebook.lookup(at, frame, container, step, found);
      return;
    }
    const { origin } = at;
    at =
      origin === undefined
        ? at
        : { ...at, origin: { kind: 'step', of: origin, key: { text: String(step) }, isDirect: false } };
    container = found;
  }
}

function touch(key: RegoValue, run: Run): void {
  const first = Array.isArray(key) ? key[0] : key;
  if (typeof first === 'string') run.touched.add(first);
  else run.touchedAll = true;
}

function numbersOf(operand: RegoValue, at: SourceLine, run: Run): void {
  if (Array.isArray(operand)) for (const item of operand) run.doubts.number(item, at);
  else if (isSet(operand)) for (const item of operand.values()) run.doubts.number(item, at);
  else run.doubts.number(operand, at);
}

function sizeOf(value: RegoValue): number | undefined {
  if (Array.isArray(value)) return value.length;
  return value instanceof RegoObject || value instanceof RegoSet ? value.size : undefined;
}

function isMixed(collection: RegoValue): boolean {
  if (isSet(collection)) return differ([...collection.values()]);
  return Array.isArray(collection) && differ(collection);
}

function differ(items: readonly RegoValue[]): boolean {
  const first = items.length > 0 ? typeRank(items[0]!) : 0;
  return items.some((item) => typeRank(item) !== first);
}

function holdsSet(value: RegoValue): boolean {
  if (isSet(value)) return value.size > 1 || [...value.values()].some(holdsSet);
  if (Array.isArray(value)) return value.some(holdsSet);
  return value instanceof RegoObject && (value.keys.some(holdsSet) || [...value.values()].some(holdsSet));
}
