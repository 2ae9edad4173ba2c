import { parse, Range } from 'semver';
import { patternFault } from '../../kernel/pattern-fault';
import { compilePattern } from '../conditions/pattern';

/** Which tags of a repository a policy is about; a tag must meet each part that is given. */
export interface TagSet {
  /** RE2 patterns, one of which must match @default all */
  allow?: readonly string[];
  /** RE2 patterns, none of which may match */
  deny?: readonly string[];
  /** SemVer range; a leading `v` of a tag is ignored, and a tag that is not a version does not match */
  semver?: string;
  /** the greatest versions, or the newest images, of those that all other parts choose */
  latest?: { count: number; by: 'semver' | 'created' };
  /** milliseconds */
  newerThanMs?: number;
}

/** A compiled tag set. */
export interface TagChooser {
  /** whether it chooses among all tags of a repository by `latest`, which `byName` and `isYoungEnough` leave out */
  hasLatest: boolean;
  /** whether `byAge` needs the time of each image, which costs a read of its config */
  needsCreated: boolean;
  /** tags that the patterns and the range let through, in the order given */
  byName(tags: readonly string[]): string[];
  /** whether an image is as young as `newerThan` asks; undefined if its age is needed and unknown */
  isYoungEnough(createdAtMs: number | undefined, nowMs: number): boolean | undefined;
  /** of tags that `byName` gave, those that age and `latest` choose; the greatest or newest first */
  byAge(tags: readonly { tag: string; createdAtMs?: number }[], nowMs: number): string[];
}

/** @returns sentences of what was expected if a part is invalid */
export function compileTagSet(set: TagSet): TagChooser | { faults: string[] } {
  const faults: string[] = [];
  const patterns = (texts: readonly string[] = []) =>
    texts.flatMap((text) => {
      try {
        return [compilePattern(text)];
      } catch (error) {
        faults.push(patternFault(text, error));
        return [];
      }
    });
  const [allow, deny] = [patterns(set.allow), patterns(set.deny)];
  let range: Range | undefined;
  try {
    range = set.semver === undefined ? undefined : new Range(set.semver);
  } catch {
    faults.push(`expected a SemVer range such as ">=1.29 <2", got "${set.semver}"`);
  }
  if (faults.length > 0) return { faults };
  const isAllowed = (tag: string): boolean => {
    if (set.allow !== undefined && !allow.some((matches) => matches(tag))) return false;
    if (deny.some((matches) => matches(tag))) return false;
    return range === undefined || (versionOf(tag) !== undefined && range.test(versionOf(tag)!));
  };
  const { latest, newerThanMs } = set;
  const isYoungEnough = (createdAtMs: number | undefined, nowMs: number): boolean | undefined => {
    if (newerThanMs === undefined) return true;
    return createdAtMs === undefined ? undefined : nowMs - createdAtMs <= newerThanMs;
  };
  return {
    hasLatest: latest !== undefined,
    needsCreated: newerThanMs !== undefined || latest?.by === 'created',
    isYoungEnough,
    byName: (tags) => tags.filter(isAllowed),
    byAge(tags, nowMs) {
      const young = tags.filter(({ createdAtMs }) => isYoungEnough(createdAtMs, nowMs) === true);
      if (latest === undefined) return young.map(({ tag }) => tag);
      const ranked =
        latest.by === 'semver'
          ? young.filter(({ tag }) => versionOf(tag) !== undefined).sort((one, other) => byVersion(one.tag, other.tag))
          : young
              .filter(({ createdAtMs }) => createdAtMs !== undefined)
              .sort((one, other) => other.createdAtMs! - one.createdAtMs! || compareText(other.tag, one.tag));
      return ranked.slice(0, latest.count).map(({ tag }) => tag);
    },
  };
}

/** People tag `v1.2` and `1.2` as versions, which SemVer does not accept: a missing part is 0. */
function versionOf(tag: string) {
  const [, core, rest = ''] = /^v?([0-9]+(?:\.[0-9]+){0,2})([-+].*)?$/.exec(tag) ?? [];
  if (core === undefined) return undefined;
  const numbers = core.split('.');
  return parse(`${[...numbers, '0', '0'].slice(0, 3).join('.')}${rest}`) ?? undefined;
}

function byVersion(one: string, other: string): number {
  return versionOf(other)!.compare(versionOf(one)!) || compareText(other, one);
}

const compareText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
