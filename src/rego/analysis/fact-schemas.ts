import type { ErrorObject, ValidateFunction } from 'ajv';
import { FailureType, GateError, faultsToError } from '../../kernel/failures';
import type { JsonSchema } from '../../kernel/json';
import { escapePointer, pointerKeys } from '../../kernel/json-pointer';
import { DIALECT_ID, JsonSchemaCompiler } from '../../platform/documents/json-schema-compiler';
import { factSchemas } from './input-schema';

const ROOT = 'input.json';

/**
 * A validator for each of `factIds`, as input.json describes it; `$ref` within the file works. Unknown keywords and
 * formats are faults.
 *
 * @throws GateError PolicyInvalid when input.json is no valid JSON Schema, or says nothing about one of the facts
 */
export function compileFactSchemas(
  inputSchema: JsonSchema,
  factIds: readonly string[],
): (readonly [string, ValidateFunction])[] {
  const described = factSchemas(inputSchema);
  const lacking = factIds.filter((id) => !Object.hasOwn(described, id));
  if (lacking.length > 0) {
    throw faultsToError(
      lacking.map((factId) => ({
        type: FailureType.PolicyInvalid,
        message: `${ROOT}: does not describe ${factId}, which the policy reads`,
        where: ROOT,
        factId,
      })),
    );
  }
  try {
    const validatorOf = validatorsOf(inputSchema);
    return factIds.map((id) => [id, validatorOf(id)] as const);
  } catch (cause) {
    const message = `${ROOT}: expected a JSON Schema (draft 2020-12), found: ${(cause as Error).message}`;
    throw new GateError(
      FailureType.PolicyInvalid,
      message,
      [{ type: FailureType.PolicyInvalid, message, where: ROOT }],
      {
        cause,
      },
    );
  }
}

const known = new WeakMap<JsonSchema, (id: string) => ValidateFunction>();

/** Each description is compiled once: what a bundle's reader compiles to check it is what its decisions are checked by. */
function validatorsOf(inputSchema: JsonSchema): (id: string) => ValidateFunction {
  const found = known.get(inputSchema);
  if (found !== undefined) return found;
  const ajv = new JsonSchemaCompiler();
  // its own id and dialect would change how the references below are resolved
  ajv.addSchema({ ...inputSchema, $id: ROOT, $schema: DIALECT_ID });
  const validators = new Map<string, ValidateFunction>();
  const validatorOf = (id: string): ValidateFunction => {
    const validate = validators.get(id) ?? ajv.compile({ $ref: `${ROOT}#/properties/${pointerPart(id)}` });
    validators.set(id, validate);
    return validate;
  };
  known.set(inputSchema, validatorOf);
  return validatorOf;
}

/** What the validator's last run found, each place once with everything expected there. */
export function schemaFailures(root: string, validate: ValidateFunction): SchemaFailure[] {
  const byPlace = new Map<string, SchemaFailure>();
  for (const error of validate.errors ?? []) {
    const { where, expected, found } = failureOf(root, error);
    const before = byPlace.get(where);
    byPlace.set(
      where,
      before ? { ...before, expected: `${before.expected}, and ${expected}` } : { where, expected, found },
    );
  }
  return [...byPlace.values()];
}

export interface SchemaFailure {
  /** `input.fleet.pending` */
  where: string;
  /** continues a sentence `Expected … to be` */
  expected: string;
  found: unknown;
}

function failureOf(root: string, error: ErrorObject): SchemaFailure {
  const place = [root, ...pointerKeys(error.instancePath)].join('.');
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'required':
      return { where: `${place}.${String(params.missingProperty)}`, expected: 'present', found: undefined };
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const key = String(params.additionalProperty ?? params.unevaluatedProperty);
      return { where: `${place}.${key}`, expected: 'absent', found: (error.data as Record<string, unknown>)[key] };
    }
    case 'type':
      return { where: place, expected: `of type ${[params.type].flat().join(' or ')}`, found: error.data };
    case 'enum':
      return { where: place, expected: `one of ${JSON.stringify(params.allowedValues)}`, found: error.data };
    default:
      return { where: place, expected: `as input.json says (${error.message ?? error.keyword})`, found: error.data };
  }
}

const pointerPart = (key: string): string => encodeURIComponent(escapePointer(key));
