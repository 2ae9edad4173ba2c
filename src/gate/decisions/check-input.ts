import type { ValidateFunction } from 'ajv';
import { FailureType, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { childOf } from '../../kernel/json-pointer';
import { isSafeNumber } from '../../kernel/numbers';
import { checkRelease } from '../../releases/check-release';
import { compileFactSchemas, schemaFailures } from '../../rego/analysis/fact-schemas';
import { compileValueSchema, type ValueCheck } from '../../rego/analysis/value-schema';
import { mustNotBeEmpty, schemaAt } from '../../rego/analysis/input-schema';
import type { PolicyBundle } from '../../rego/bundle/policy-bundle';

/** Every fault in an input that a policy must not be asked about; empty when it may. Throws nothing. */
export type InputCheck = (input: JsonObject) => Fault[];

/**
 * Compiles what must hold before a policy is evaluated:
 *
 * - every fact read is present, not null, and as input.json describes it;
 * - attributes, stage attributes and parameters are as their schemas describe them, where the policy brings some;
 * - every number in facts and attributes is finite, and below 2^53 where it is an integer.
 *
 * What is missing within a fact is noticed while the plan is evaluated. A bundle that holds wasm alone cannot notice it, and
 * Rego allows where a rule over an absent, null or mistyped value does not fire. So for such a bundle more must hold:
 *
 * - every path read is present and not null along the whole path, in the input and in the configuration;
 * - a collection read whole is not empty, nor is one within it, unless its schema says `minItems: 0` or
 *   `minProperties: 0`; and there is no null anywhere in it.
 *
 * All faults come together: `FactMissing` for a fact that is absent, `FactInvalid` for anything else in the input,
 * `ConfigInvalid` for the configuration.
 *
 * @param configDocument what the policy sees as `data.config`; checked once, as it does not change within a release
 * @throws GateError PolicyInvalid when input.json is no valid JSON Schema, or does not describe a fact that is read
 */
export function createInputCheck(
  policy: Pick<
    PolicyBundle,
    | 'reads'
    | 'inputSchema'
    | 'plan'
    | 'declarations'
    | 'attributesSchema'
    | 'stageAttributesSchema'
    | 'parametersSchema'
  >,
  configDocument: JsonObject,
): InputCheck {
  const { reads, inputSchema } = policy;
  const configFaults = checkRelease({ ...policy, reads: { ...reads, facts: [] } }, { facts: {} }, configDocument);
  const schemas = compileFactSchemas(inputSchema, reads.facts);
  const paths = (policy.plan === undefined ? readPaths(reads) : reads.facts.map((id) => [id])).map((path) =>
    compilePath(path, inputSchema, reads, policy.plan === undefined),
  );
  const attributes = attributeChecks(policy);

  return (input) => {
    const faults: Fault[] = [];
    for (const path of paths) checkPath(path, input, faults);
    for (const [factId, validate] of schemas) checkFact(factId, validate, input, faults);
    for (const [key, check] of attributes) checkAttributes(key, check, input, faults);
    for (const key in input) {
      // `deployment` is checked by its two sets of attributes alone: the rest of it is the gate's own
      if (holdsUnsafeNumber(input[key]))
        checkNumbers(input[key], key === 'deployment' ? undefined : key, `input.${key}`, faults);
    }
    return configFaults.length > 0 ? [...faults, ...configFaults] : faults;
  };
}

type AttributeKey = 'attributes' | 'stage_attributes';

function attributeChecks({
  attributesSchema,
  stageAttributesSchema,
}: Pick<PolicyBundle, 'attributesSchema' | 'stageAttributesSchema'>): (readonly [AttributeKey, ValueCheck])[] {
  const schemas: [AttributeKey, JsonObject | undefined][] = [
    ['attributes', attributesSchema],
    ['stage_attributes', stageAttributesSchema],
  ];
  return schemas.flatMap(([key, schema]) =>
    schema === undefined ? [] : [[key, compileValueSchema(schema, `input.deployment.${key}`)] as const],
  );
}

function checkAttributes(key: AttributeKey, check: ValueCheck, input: JsonObject, faults: Fault[]): void {
  const deployment = isJsonObject(input.deployment) ? input.deployment : {};
  for (const { where, expected, found } of check(deployment[key] ?? {})) {
    addInvalid(faults, undefined, where, expected, found);
  }
}

/** A fact that is read only by its name counts as a path too, so that an incomplete list of paths hides none. */
function readPaths(reads: PolicyBundle['reads']): string[][] {
  const all = [...reads.facts.map((id) => [id]), ...reads.inputPaths, ...reads.collections];
  const byText = new Map(all.map((path) => [JSON.stringify(path), path]));
  return [...byText.values()];
}

interface CompiledPath {
  keys: readonly string[];
  /** where each step ends: `input.fleet`, `input.fleet.pending` */
  places: readonly string[];
  full: string;
  factId?: string;
  /** the schema of the value; undefined where input.json says nothing */
  schema: JsonObject | undefined;
  /** an empty collection there is a fault */
  mustHold: boolean;
  /** the policy names no further key, so it may look at anything within */
  isWhole: boolean;
}

function compilePath(
  keys: string[],
  inputSchema: JsonObject,
  reads: PolicyBundle['reads'],
  looksWithin: boolean,
): CompiledPath {
  const places = keys.map((_key, index) => ['input', ...keys.slice(0, index + 1)].join('.'));
  const isOfDeployment = keys[0] === 'deployment';
  const isAmong = (paths: readonly string[][]): boolean =>
    paths.some((path) => path.length === keys.length && path.every((key, index) => key === keys[index]));
  return {
    keys,
    places,
    full: places.at(-1) ?? 'input',
    ...(isOfDeployment ? {} : { factId: keys[0]! }),
    schema: isOfDeployment ? undefined : schemaAt(inputSchema, keys),
    mustHold: isAmong(reads.collections),
    isWhole: looksWithin && (isAmong(reads.inputPaths) || isAmong(reads.collections)),
  };
}

function checkPath(path: CompiledPath, input: JsonObject, faults: Fault[]): void {
  let value: JsonValue | undefined = input;
  for (let index = 0; index < path.keys.length; index++) {
    const parent: JsonValue = value;
    value = childOf(parent, path.keys[index]!);
    if (value === undefined || value === null) {
      const where = path.places[index]!;
      if (faults.some((fault) => fault.where === where)) return;
      const isAbsentFact = index === 0 && value === undefined && path.factId !== undefined;
      const found = value === null ? 'null' : isContainer(parent) ? 'nothing' : `nothing, in ${excerpt(parent)}`;
      faults.push({
        type: isAbsentFact ? FailureType.FactMissing : FailureType.FactInvalid,
        message: `The policy reads ${path.full}: expected a value at ${where}, found ${found}`,
        where,
        ...(path.factId === undefined ? {} : { factId: path.factId }),
      });
      return;
    }
  }
  if (path.isWhole && isContainer(value)) checkWithin(value, path, path.full, path.schema, path.mustHold, faults);
}

/** Nothing that the policy may iterate over is empty or null, however deep. */
function checkWithin(
  value: JsonValue | undefined,
  path: CompiledPath,
  where: string,
  schema: JsonObject | undefined,
  mustHold: boolean,
  faults: Fault[],
): void {
  if (value === null) return void addInvalid(faults, path.factId, where, 'a value', value);
  if (!isContainer(value)) return;
  const keys = Object.keys(value);
  if (mustHold && keys.length === 0) {
    addInvalid(faults, path.factId, where, 'at least one entry (its schema does not say that none is normal)', value);
  }
  for (const key of keys) {
    const child = childOf(value, key);
    if (child !== null && !isContainer(child)) continue;
    const childSchema = schema && schemaAt(schema, [key]);
    checkWithin(child, path, `${where}.${key}`, childSchema, mustNotBeEmpty(childSchema), faults);
  }
}

function checkFact(factId: string, validate: ValidateFunction, input: JsonObject, faults: Fault[]): void {
  if (!Object.hasOwn(input, factId) || validate(input[factId])) return;
  for (const { where, expected, found } of schemaFailures(`input.${factId}`, validate)) {
    addInvalid(faults, factId, where, expected, found);
  }
}

/** Without the places, which cost more than the look itself: nearly every input holds none. */
function holdsUnsafeNumber(value: JsonValue | undefined): boolean {
  if (typeof value === 'number') return !isSafeNumber(value);
  if (Array.isArray(value)) return value.some(holdsUnsafeNumber);
  if (!isJsonObject(value)) return false;
  for (const key in value) if (holdsUnsafeNumber(value[key])) return true;
  return false;
}

function checkNumbers(value: JsonValue | undefined, factId: string | undefined, where: string, faults: Fault[]): void {
  if (typeof value === 'number') {
    if (!isSafeNumber(value)) {
      addInvalid(faults, factId, where, 'a finite number, below 2^53 as an integer', value);
    }
  } else if (isContainer(value)) {
    for (const key of Object.keys(value)) checkNumbers(childOf(value, key), factId, `${where}.${key}`, faults);
  }
}

/** One fault for a place is enough: null, say, is a wrong type too. */
function addInvalid(
  faults: Fault[],
  factId: string | undefined,
  where: string,
  expected: string,
  found: unknown,
): void {
  if (faults.some((fault) => fault.where === where)) return;
  faults.push({
    type: FailureType.FactInvalid,
    message: `Expected ${where} to be ${expected}, found ${excerpt(found)}`,
    where,
    ...(factId === undefined ? {} : { factId }),
  });
}

const isContainer = (value: JsonValue | undefined): value is JsonValue[] | JsonObject =>
  typeof value === 'object' && value !== null;

function excerpt(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
