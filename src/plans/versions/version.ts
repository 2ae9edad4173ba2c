/** A version that could be read. Parts with at most 15 digits are numbers; a longer one is its digits, without leading zeros. */
export interface Version {
  core: readonly (number | string)[];
  /** a SemVer pre-release's identifiers; empty for a release */
  preRelease: readonly (number | string)[];
}

/** What cannot be read as a version: below every version, and equal to everything else that cannot be read. */
export const UNREADABLE = 'unreadable';
export type ReadVersion = Version | typeof UNREADABLE;

const VERSION = /^v?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

/** As many digits always fit into a number. */
const SAFE_DIGITS = 15;

/** The version of a plan that has none. */
const NO_VERSION: Version = { core: [0], preRelease: [] };

/**
 * Reads `spec.version`: an optional leading `v`, numbers of any length joined by dots, then a pre-release and build metadata
 * as SemVer writes them; the metadata is left out. Undefined is `0`.
 */
export function readVersion(text: unknown): ReadVersion {
  if (text === undefined) return NO_VERSION;
  if (typeof text !== 'string') return UNREADABLE;
  const plain = readPlain(text);
  if (plain !== undefined) return { core: plain, preRelease: [] };
  const match = VERSION.exec(text);
  if (match === null) return UNREADABLE;
  const [, core, preRelease] = match;
  return {
    core: core!.split('.').map(toNumber),
    preRelease:
      preRelease === undefined ? [] : preRelease.split('.').map((part) => (isNumeric(part) ? toNumber(part) : part)),
  };
}

const [ZERO, NINE, DOT] = [48, 57, 46];

/** The core of `1.20.3`, which most versions look like, in a tenth of the pattern's time; undefined for other texts. */
function readPlain(text: string): number[] | undefined {
  const core: number[] = [];
  let digits = 0;
  let value = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= ZERO && code <= NINE) {
      digits += 1;
      if (digits > SAFE_DIGITS) return undefined;
      value = value * 10 + (code - ZERO);
    } else if (code === DOT && digits > 0) {
      core.push(value);
      digits = value = 0;
    } else return undefined;
  }
  if (digits === 0) return undefined;
  core.push(value);
  return core;
}

/**
 * Orders two versions: negative where `one` is lower. The cores as lists, so that 1.0 is below 1.0.0; then a pre-release below
 * its release and pre-releases among themselves as SemVer orders them.
 */
export function compareVersions(one: ReadVersion, other: ReadVersion): number {
  if (one === other) return 0;
  if (one === UNREADABLE) return -1;
  if (other === UNREADABLE) return 1;
  return compareLists(one.core, other.core, compareNumbers) || comparePreReleases(one.preRelease, other.preRelease);
}

function comparePreReleases(one: Version['preRelease'], other: Version['preRelease']): number {
  if (one.length === 0 || other.length === 0) return other.length - one.length;
  return compareLists(one, other, compareIdentifiers);
}

type Part = number | string;

function compareLists(one: readonly Part[], other: readonly Part[], compare: (a: Part, b: Part) => number): number {
  const shared = Math.min(one.length, other.length);
  for (let at = 0; at < shared; at += 1) {
    const order = compare(one[at]!, other[at]!);
    if (order !== 0) return order;
  }
  return one.length - other.length;
}

/** A number below a text; texts by their characters (SemVer 2.0.0, item 11). */
function compareIdentifiers(one: Part, other: Part): number {
  const [isOne, isOther] = [isNumber(one), isNumber(other)];
  if (isOne && isOther) return compareNumbers(one, other);
  if (isOne !== isOther) return isOne ? -1 : 1;
  return compareTexts(one as string, other as string);
}

function compareNumbers(one: Part, other: Part): number {
  if (typeof one === 'number') return typeof other === 'number' ? one - other : -1;
  if (typeof other === 'number') return 1;
  return one.length - other.length || compareTexts(one, other);
}

function compareTexts(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}

const isNumeric = (part: string): boolean => /^\d+$/.test(part);
const isNumber = (part: Part): boolean => typeof part === 'number' || isNumeric(part);

function toNumber(digits: string): Part {
  if (digits.length <= SAFE_DIGITS) return Number(digits);
  const bare = digits.replace(/^0+(?=\d)/, '');
  return bare.length <= SAFE_DIGITS ? Number(bare) : bare;
}
