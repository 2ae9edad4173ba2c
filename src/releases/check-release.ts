import type { ReleaseConfig } from './config/release-config';
import { FailureType, type Fault } from '../kernel/failures';
import { placeText } from '../kernel/fault-text';
import { isJsonObject, type JsonObject, type JsonSchema, type JsonValue } from '../kernel/json';
import { childOf, valueAt } from '../kernel/json-pointer';
import { isSafeNumber } from '../kernel/numbers';
import type { PolicyBundle } from '../rego/bundle/policy-bundle';
import { compileValueSchema } from '../rego/analysis/value-schema';
import { ENTRYPOINT } from '../rego/bundle/bundle';
import { matchesPath } from '../rego/declarations/path-pattern';
import { planReads, readKey, type PlanRead, type PlanReads } from '../rego/plan/plan-reads';
import { PlanInvalidError, readPlan } from '../rego/plan/read-plan';
import { closeName } from '../platform/documents/close-name';

/**
 * Whether a policy and a configuration fit together: every limit that the policy reads is there and not null along the
 * whole path, every limit read is a number (`3100 > "2000"` and `3100 > [2000]` are false in Rego and so would never deny), every
 * number in the configuration document is finite and below 2^53, and every fact read has a provider.
 *
 * @param configDocument what the policy sees as `data.config`
 * @param knownFacts ids for which a provider is registered elsewhere than in `config.facts`
 * @returns every fault; an empty list when the two can be one release
 */
export function checkRelease(
  policy: Pick<PolicyBundle, 'reads' | 'plan' | 'declarations' | 'parametersSchema'>,
  config: Pick<ReleaseConfig, 'facts'>,
  configDocument: JsonObject,
  knownFacts: readonly string[] = [],
): Fault[] {
  const provided = new Set([...Object.keys(config.facts), ...knownFacts]);
  const optional = (policy.declarations?.rules ?? []).flatMap((rule) => rule.optional);
  const isOptional = (path: readonly string[]): boolean => optional.some((pattern) => matchesPath(pattern, path));
  // With a plan, a null that the policy comes upon is noticed where it happens.
  const isWalked = policy.plan === undefined;
  const lines = readLines(policy);
  const isVisible = ([first]: readonly string[]): boolean => first === undefined || POLICY_SEES.includes(first);
  const visible = policy.reads.configPaths.filter(isVisible);
  return [
    ...policy.reads.facts
      .filter((factId) => !provided.has(factId))
      .map((factId) => missingProvider(factId, lines.ofFact(factId), [...provided])),
    ...policy.reads.configPaths.filter((path) => !isVisible(path)).map((path) => hidden(path, lines.ofConfig(path))),
    ...visible.flatMap((path) => missingAlong(path, configDocument, isOptional, isWalked, () => lines.ofConfig(path))),
    ...visible.flatMap((path) => notNumbers(path, configDocument)),
    ...unsafeNumbers(configDocument, 'data.config'),
    ...mistypedParameters(policy.parametersSchema, configDocument),
  ];
}

/** What a policy sees of a configuration as `data.config`: neither providers with their headers, nor what is the gate's. */
const POLICY_SEES: readonly string[] = ['limits', 'parameters'];

/** Where the policy reads a fact or a limit first, `gate.rego:8:2`; undefined where its plan does not say. */
interface ReadLines {
  ofFact(factId: string): string | undefined;
  ofConfig(path: readonly string[]): string | undefined;
}

function readLines({ plan }: Pick<PolicyBundle, 'plan'>): ReadLines {
  // Nearly always there is no fault, and a plan takes its time to be read.
  let reads: PlanReads | undefined;
  const find = (): PlanReads | undefined => {
    if (reads !== undefined || plan === undefined) return reads;
    try {
      return (reads = planReads(readPlan(plan), ENTRYPOINT));
    } catch (error) {
      // One that is not understood is a fault of its own, where the bundle is read.
      if (!(error instanceof PlanInvalidError)) throw error;
      return undefined;
    }
  };
  const placeOf = (read: PlanRead | undefined): string | undefined =>
    read && placeText(read.at.file.replace(/^\/+/, ''), read.at.row, read.at.col);
  return {
    ofFact: (factId) => placeOf(find()?.input.get(readKey([factId]))),
    ofConfig: (path) => placeOf(find()?.data.get(readKey(['config', ...path]))),
  };
}

function missingProvider(factId: string, at: string | undefined, provided: readonly string[]): Fault {
  const close = closeName(factId, provided);
  const hint = close === undefined ? '' : `; did you mean ${close}?`;
  return {
    type: FailureType.FactMissing,
    factId,
    message: `${said(at)}The policy reads ${factId}, which no configured provider collects${hint}`,
    where: `facts.${factId}`,
  };
}

/** A path outside `limits` and `parameters` finds nothing in any evaluation. */
function hidden(path: readonly string[], at: string | undefined): Fault {
  const where = ['data.config', ...path].join('.');
  const message = `${said(at)}The policy reads ${where}, which no policy sees: data.config is ${POLICY_SEES.join(' and ')}`;
  return { type: FailureType.PolicyInvalid, message, where };
}

const said = (at: string | undefined): string => (at === undefined ? '' : `${at}: `);

function mistypedParameters(schema: JsonSchema | undefined, document: JsonObject): Fault[] {
  if (schema === undefined) return [];
  const root = 'data.config.parameters';
  return compileValueSchema(
    schema,
    root,
  )(document.parameters ?? {}).map(({ where, expected, found }) =>
    invalid(
      where,
      `Expected ${where} to be ${expected} by parameters.json, found ${JSON.stringify(found) ?? 'nothing'}`,
    ),
  );
}

function missingAlong(
  path: readonly string[],
  document: JsonObject,
  isOptional: (path: readonly string[]) => boolean,
  isWalked: boolean,
  at: () => string | undefined,
): Fault[] {
  let value: JsonValue | undefined = document;
  let where = 'data.config';
  for (const [index, key] of path.entries()) {
    where += `.${key}`;
    const parent = value;
    value = childOf(value, key);
    if (value === undefined || value === null) {
      if (isOptional(['data', 'config', ...path.slice(0, index + 1)])) return [];
      const found = value === null ? 'null' : 'nothing';
      const full = ['data.config', ...path].join('.');
      const close = isJsonObject(parent) ? closeName(key, Object.keys(parent)) : undefined;
      const hint = close === undefined || value === null ? '' : `; did you mean ${close}?`;
      return [
        invalid(where, `${said(at())}The policy reads ${full}: expected a value at ${where}, found ${found}${hint}`),
      ];
    }
  }
  // A whole object that is read may be walked: a null anywhere in it would pass comparisons that it must not.
  return isWalked ? nullsWithin(value, where) : [];
}

/**
 * A limit that is read is a number and nothing else: Rego orders every list and object above every number, so
 * `current > [2000]` and `current > {"max": 2000}` never deny. Which limits a policy looks up by a computed key cannot be
 * told from what it reads; limits of many regions are therefore named one by one (`limits.max.eu`), or are in
 * `parameters` with whatever else is no number, where their types are the policy's to check.
 */
function notNumbers(path: readonly string[], document: JsonObject): Fault[] {
  if (path.length > 0 && path[0] !== 'limits') return [];
  const keys = path.length === 0 ? ['limits'] : path;
  const value = valueAt(document, keys);
  const where = ['data.config', ...keys].join('.');
  const isWhole = keys.length === 1;
  if (!isWhole) return notNumber(value, where);
  if (value === undefined || value === null) return [];
  if (!isJsonObject(value) || Object.keys(value).length === 0) {
    return [invalid(where, `The policy reads ${where}: expected limits by name, found ${JSON.stringify(value)}`)];
  }
  return childrenOf(value).flatMap(([key, child]) => notNumber(child, `${where}.${key}`));
}

/** Absent and null are faults of their own. */
function notNumber(value: JsonValue | undefined, where: string): Fault[] {
  if (value === undefined || value === null || typeof value === 'number') return [];
  const text = JSON.stringify(value);
  const found = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return [invalid(where, `The policy reads ${where}: expected a number, found ${found}`)];
}

function nullsWithin(value: JsonValue | undefined, where: string): Fault[] {
  if (value === null) return [invalid(where, `The policy reads ${where}: expected a value, found null`)];
  return childrenOf(value).flatMap(([key, child]) => nullsWithin(child, `${where}.${key}`));
}

function unsafeNumbers(value: JsonValue, where: string): Fault[] {
  if (typeof value === 'number') {
    return isSafeNumber(value) ? [] : [invalid(where, `Expected ${where} to be finite and below 2^53, found ${value}`)];
  }
  return childrenOf(value).flatMap(([key, child]) => unsafeNumbers(child, `${where}.${key}`));
}

const childrenOf = (value: JsonValue | undefined): [string, JsonValue][] =>
  typeof value === 'object' && value !== null ? (Object.entries(value) as [string, JsonValue][]) : [];

const invalid = (where: string, message: string): Fault => ({ type: FailureType.ConfigInvalid, message, where });
