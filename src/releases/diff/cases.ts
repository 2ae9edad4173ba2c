import type { JsonObject, JsonValue } from '../../kernel/json';
import { compileFactSchemas } from '../../rego/analysis/fact-schemas';
import { factSchemas } from '../../rego/analysis/input-schema';
import { candidatesOf, unique, type Material } from './candidates';
import { canonicalJson } from '../../kernel/canonical-json';
import type { ComparedRelease } from './compare-releases';

/** What can be varied: a fact, or an attribute of the deployment. */
export interface Domain {
  /** `['max_pending']`, `['deployment', 'attributes', 'risk']` */
  path: readonly string[];
  /** each once, the calmest first; empty when nothing fits the schema of either release */
  values: JsonValue[];
}

/** Values by the place of their domain. */
export type Case = readonly number[];

/**
 * What two releases read, with the values that are worth trying: around every limit that either configuration holds where
 * its policy reads it, and around what the policies write out.
 *
 * @throws GateError PolicyInvalid when an input.json is no JSON Schema
 */
export function domainsOf(releases: readonly ComparedRelease[]): Domain[] {
  const material = materialOf(releases);
  const domains = new Map<string, Domain>();
  for (const { release } of releases) {
    const { reads, inputSchema } = release.policy;
    const schemas = factSchemas(inputSchema);
    const described = reads.facts.filter((id) => Object.hasOwn(schemas, id));
    for (const [id, validate] of compileFactSchemas(inputSchema, described)) {
      const values = candidatesOf(schemas[id]!, material, inputSchema).filter((value) => validate(value));
      add(domains, [id], values);
    }
    for (const path of reads.inputPaths.filter(([root, , name]) => root === 'deployment' && name !== undefined)) {
      add(domains, path, candidatesOf({}, material));
    }
  }
  return [...domains.values()];
}

/** The input that a case stands for: facts by id, and the deployment's attributes. */
export function inputOf(domains: readonly Domain[], made: Case): JsonObject {
  const input: JsonObject = {};
  for (const [at, { path, values }] of domains.entries()) {
    const value = values[made[at]!];
    if (value !== undefined) put(input, path, value);
  }
  return input;
}

/**
 * The calmest case that can be found: one value after the other is exchanged for the one that gives the lowest score,
 * until none is lower.
 *
 * @param score how far from calm an input is; 0 ends the search
 */
export async function findCalm(domains: readonly Domain[], score: (made: Case) => Promise<number>): Promise<Case> {
  let best = domains.map(() => 0);
  let lowest = await score(best);
  for (let isBetter = true; isBetter && lowest > 0;) {
    isBetter = false;
    for (const [at, { values }] of domains.entries()) {
      for (let choice = 0; choice < Math.min(values.length, MOST_FOR_CALM) && lowest > 0; choice++) {
        const tried = best.with(at, choice);
        const found = await score(tried);
        if (found >= lowest) continue;
        [best, lowest, isBetter] = [tried, found, true];
      }
    }
  }
  return best;
}
const MOST_FOR_CALM = 200;

/**
 * At most `count` cases, each once: `calm` itself, then one value changed, fact by fact in turn so that a small count
 * reaches all of them, then two. Which pairs, when not all fit, is up to `seed` alone.
 */
export function generateCases(domains: readonly Domain[], calm: Case, count: number, seed: number): Case[] {
  const cases = new Map<string, Case>();
  const take = (made: Case): void => void cases.set(made.join(), made);
  take(calm);
  const longest = Math.max(0, ...domains.map(({ values }) => values.length));
  for (let choice = 0; choice < longest; choice++) {
    for (const [at, { values }] of domains.entries()) {
      if (cases.size >= count) break;
      if (choice < values.length) take(calm.with(at, choice));
    }
  }
  const random = mulberry32(seed);
  const below = (end: number): number => Math.floor(random() * end);
  const varying = domains.flatMap(({ values }, at) => (values.length > 1 ? [at] : []));
  // Drawn, not listed: the pairs of a few hundred values would be tens of thousands.
  for (let draws = 0; varying.length > 1 && cases.size < count && draws < 20 * count; draws++) {
    const one = varying[below(varying.length)]!;
    const other = varying[below(varying.length)]!;
    if (one === other) continue;
    const choiceOf = (at: number): number => below(domains[at]!.values.length);
    take(calm.with(one, choiceOf(one)).with(other, choiceOf(other)));
  }
  return [...cases.values()].slice(0, count);
}

function materialOf(releases: readonly ComparedRelease[]): Material {
  const numbers = new Set<number>();
  const texts = new Set<string>();
  for (const { release, source } of releases) {
    const { limits } = release.configDocument;
    for (const path of release.policy.reads.configPaths) collect(at(release.configDocument, path), numbers, texts);
    // A bare `data.config` counts as reading all of it, durations of activities too, which no rule compares with.
    if (release.policy.reads.configPaths.some((path) => path.length === 0)) collect(limits, numbers, texts);
    for (const text of source.texts) texts.add(text);
    for (const number of source.numbers) numbers.add(number);
  }
  return { numbers: [...numbers].sort((one, other) => one - other), texts: [...texts].filter(isShort).sort() };
}

/** A format string of a reason is no value of a fact. */
const isShort = (text: string): boolean => text.length <= 64 && !text.includes('%');

function collect(value: JsonValue | undefined, numbers: Set<number>, texts: Set<string>): void {
  if (typeof value === 'number') numbers.add(value);
  else if (typeof value === 'string') texts.add(value);
  else if (typeof value === 'object' && value !== null) {
    for (const child of Object.values(value)) collect(child, numbers, texts);
  }
}

function at(document: JsonObject, path: readonly string[]): JsonValue | undefined {
  return path.length === 0
    ? undefined
    : path.reduce<JsonValue | undefined>(
        (value, key) => (typeof value === 'object' && value !== null ? (value as JsonObject)[key] : undefined),
        document,
      );
}

function add(domains: Map<string, Domain>, path: readonly string[], values: JsonValue[]): void {
  const key = canonicalJson(path);
  domains.set(key, { path, values: unique([...(domains.get(key)?.values ?? []), ...values]) });
}

function put(input: JsonObject, [key, ...rest]: readonly string[], value: JsonValue): void {
  if (rest.length === 0) input[key!] = value;
  else put((input[key!] ??= {}) as JsonObject, rest, value);
}

/** A small generator of numbers from 0 to 1, the same on every machine: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
