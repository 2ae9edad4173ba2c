import type { ReleaseConfig } from './config/release-config';
import { FailureType, type Fault } from '../kernel/failures';
import { isJsonObject, type JsonObject, type JsonSchema, type JsonValue } from '../kernel/json';
import { childOf, valueAt } from '../kernel/json-pointer';
import { isSafeNumber } from '../kernel/numbers';
import type { PolicyBundle } from '../rego/bundle/policy-bundle';
import { compileValueSchema } from '../rego/analysis/value-schema';
import { matchesPath } from '../rego/declarations/path-pattern';

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
  return [
    ...policy.reads.facts.filter((factId) => !provided.has(factId)).map(missingProvider),
    ...policy.reads.configPaths.flatMap((path) => missingAlong(path, configDocument, isOptional, isWalked)),
    ...policy.reads.configPaths.flatMap((path) => notNumbers(path, configDocument)),
    ...unsafeNumbers(configDocument, 'data.config'),
    ...mistypedParameters(policy.parametersSchema, configDocument),
  ];
}

function missingProvider(factId: string): Fault {
  return {
    type: FailureType.FactMissing,
    factId,
    message: `The policy reads ${factId}, which no configured provider collects`,
    where: `facts.${factId}`,
  };
}

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
): Fault[] {
  let value: JsonValue | undefined = document;
  let where = 'data.config';
  for (const [index, key] of path.entries()) {
    where += `.${key}`;
    value = childOf(value, key);
    if (value === undefined || value === null) {
      if (isOptional(['data', 'config', ...path.slice(0, index + 1)])) return [];
      const found = value === null ? 'null' : 'nothing';
      const full = ['data.config', ...path].join('.');
      return [invalid(where, `The policy reads ${full}: expected a value at ${where}, found ${found}`)];
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
