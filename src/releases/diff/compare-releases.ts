import type { Release } from '../release';
import { diffJson, type JsonChange } from '../../kernel/json-diff';
import { compareRules, type PolicySource, type RuleChange } from './rules';

/** A release with what its source holds. */
export interface ComparedRelease {
  release: Release;
  source: PolicySource;
}

/** Names that only the second release has, and names that only the first one has; sorted. */
export interface NameChanges {
  added: string[];
  removed: string[];
}

/** What differs between two releases; every list is empty when nothing does. */
export interface ReleaseDiff {
  /** of the policy, by their meaning */
  rules: RuleChange[];
  /** ids of facts that are read */
  facts: NameChanges;
  /** paths below `input` that are read */
  inputPaths: NameChanges;
  /** paths below `data.config` that are read */
  limits: NameChanges;
  /** built-in functions of OPA that are called */
  builtIns: NameChanges;
  /** of the release's configuration, with its defaults */
  config: JsonChange[];
  /** of the bundle's input.json */
  inputSchema: JsonChange[];
  /** of the bundle's data.json */
  data: JsonChange[];
}

/**
 * What differs between two releases in what they say, not in bytes: layout and comments of a policy, and the order of keys,
 * are no difference.
 *
 * @param builtIns names of OPA's built-in functions: all else that is called is the policy's own
 */
export function compareReleases(a: ComparedRelease, b: ComparedRelease, builtIns: ReadonlySet<string>): ReleaseDiff {
  const [readA, readB] = [a.release.policy.reads, b.release.policy.reads];
  const called = ({ source }: ComparedRelease): string[] => [...source.calls].filter((name) => builtIns.has(name));
  return {
    rules: compareRules(a.source.rules, b.source.rules),
    facts: compareNames(readA.facts, readB.facts),
    inputPaths: compareNames(readA.inputPaths.map(dotted), readB.inputPaths.map(dotted)),
    limits: compareNames(readA.configPaths.map(dotted), readB.configPaths.map(dotted)),
    builtIns: compareNames(called(a), called(b)),
    config: diffJson(a.release.configDocument, b.release.configDocument, { lists: 'whole' }),
    inputSchema: diffJson(a.release.policy.inputSchema, b.release.policy.inputSchema, { lists: 'whole' }),
    data: diffJson(a.release.policy.data, b.release.policy.data, { lists: 'whole' }),
  };
}

/** Whether nothing at all differs. */
export function isEmptyDiff(diff: ReleaseDiff): boolean {
  return Object.values(diff as unknown as Record<string, unknown[] | NameChanges>).every((part) =>
    Array.isArray(part) ? part.length === 0 : part.added.length + part.removed.length === 0,
  );
}

function compareNames(a: readonly string[], b: readonly string[]): NameChanges {
  const lacking = (list: readonly string[], others: readonly string[]): string[] =>
    [...new Set(list)].filter((name) => !others.includes(name)).sort();
  return { added: lacking(b, a), removed: lacking(a, b) };
}

const dotted = (path: readonly string[]): string => path.join('.');
