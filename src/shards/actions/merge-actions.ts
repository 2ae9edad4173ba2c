import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import type { RuleAction } from '../../rules/document/rule-policy';

/** Settings of which two actions may have different values: both hold when the stricter one does. */
const STRICTER: Readonly<Record<string, 'higher' | 'lower'>> = {
  min_replicas: 'higher',
  minReplicas: 'higher',
  minImprovement: 'higher',
  min_saving: 'higher',
  maxMovesPerRun: 'lower',
  maxConcurrentMoves: 'lower',
  maxMovesPerNode: 'lower',
  max_utilization: 'lower',
  cost_per_hour: 'lower',
  max_increase: 'lower',
  max_per_region: 'lower',
  min_regions: 'higher',
  priority: 'higher',
};

/** Settings whose value is one text or several of which any will do. */
const SETS = ['region', 'zone'];

/** Lists that hold together: what is in either counts. */
const LISTS = ['required', 'preferred', 'triggers'];

/** One sentence of how two actions of one name contradict each other: a setting of different values, or sets that are disjoint. */
export function contradictionOf(one: RuleAction, other: RuleAction): string | undefined {
  return contradiction(one.settings, other.settings, '');
}

/** One action that does what both do; see `contradictionOf`. */
export function mergedAction(one: RuleAction, other: RuleAction): RuleAction {
  return { name: one.name, settings: merged(one.settings, other.settings) };
}

function contradiction(one: JsonObject, other: JsonObject, path: string): string | undefined {
  for (const [key, mine] of Object.entries(one)) {
    if (!Object.hasOwn(other, key)) continue;
    const theirs = other[key]!;
    const at = path === '' ? key : `${path}.${key}`;
    if (SETS.includes(key)) {
      if (common(mine, theirs).length > 0) continue;
      return `${at} is ${shown(mine)} and ${shown(theirs)}, which have nothing in common`;
    }
    if (LISTS.includes(key) || Object.hasOwn(STRICTER, key) || isDeepStrictEqual(mine, theirs)) continue;
    if (isJsonObject(mine) && isJsonObject(theirs)) {
      const found = contradiction(mine, theirs, at);
      if (found !== undefined) return found;
      continue;
    }
    return `${at} is ${shown(mine)} and ${shown(theirs)}`;
  }
  return undefined;
}

function merged(one: JsonObject, other: JsonObject): JsonObject {
  const both: JsonObject = { ...other, ...one };
  for (const [key, mine] of Object.entries(one)) {
    if (!Object.hasOwn(other, key)) continue;
    both[key] = mergedValue(key, mine, other[key]!);
  }
  return both;
}

function mergedValue(key: string, mine: JsonValue, theirs: JsonValue): JsonValue {
  if (SETS.includes(key)) return common(mine, theirs);
  if (LISTS.includes(key)) {
    const [list, more] = [mine as JsonValue[], theirs as JsonValue[]];
    return [...list, ...more.filter((item) => !list.some((present) => isDeepStrictEqual(present, item)))];
  }
  const stricter = Object.hasOwn(STRICTER, key) ? STRICTER[key] : undefined;
  if (stricter !== undefined) {
    return stricter === 'higher'
      ? Math.max(mine as number, theirs as number)
      : Math.min(mine as number, theirs as number);
  }
  return isJsonObject(mine) && isJsonObject(theirs) ? merged(mine, theirs) : mine;
}

function common(mine: JsonValue, theirs: JsonValue): JsonValue[] {
  const other = listOf(theirs);
  return listOf(mine).filter((value) => other.includes(value));
}

function listOf(value: JsonValue): JsonValue[] {
  return Array.isArray(value) ? value : [value];
}

function shown(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
