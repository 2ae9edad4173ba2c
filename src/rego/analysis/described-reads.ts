import { FailureType, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonObject, type JsonSchema } from '../../kernel/json';
import { schemaAt, typesOf } from './input-schema';
import type { PolicyReads } from './policy-reads';

/**
 * What input.json leaves open of the facts that a policy reads. `opa deps` says no more than where a policy stops naming
 * keys (`input.region_health[_].status` gives `input.region_health`), so whatever lies below must be there by the
 * schema: an element without `status` would otherwise pass as not denied. Hence every value read has a type; an object
 * read whole has `additionalProperties: false` and lists all its properties as `required`, or is a map whose
 * `additionalProperties` describe the values; an array has `items`.
 */
export function undescribedReads(reads: Pick<PolicyReads, 'inputPaths'>, inputSchema: JsonSchema): Fault[] {
  const faults = new Map<string, Fault>();
  for (const path of reads.inputPaths) {
    const [factId] = path;
    if (factId === undefined || factId === 'deployment') continue;
    const fault = (where: string, what: string): void => {
      const message = `input.json: ${where}: ${what}, as the policy reads input.${path.join('.')}`;
      faults.set(message, { type: FailureType.PolicyInvalid, message, where: 'input.json', factId });
    };
    // that a whole fact is not described is the policy check's to say
    if (path.length === 1 && schemaAt(inputSchema, path) === undefined) continue;
    checkSchema(schemaAt(inputSchema, path), path.join('.'), fault);
  }
  return [...faults.values()];
}

function checkSchema(
  schema: JsonObject | undefined,
  where: string,
  fault: (where: string, what: string) => void,
): void {
  const types = typesOf(schema ?? {});
  if (schema === undefined || (types.length === 0 && !('enum' in schema) && !('const' in schema))) {
    return fault(where, 'expected a type');
  }
  if ('patternProperties' in schema || 'prefixItems' in schema) {
    fault(where, 'expected no patternProperties and no prefixItems');
  }
  if (types.includes('array')) {
    if (isJsonObject(schema.items)) checkSchema(schema.items, `${where}[_]`, fault);
    else fault(where, 'expected items that describe the elements');
  }
  if (types.includes('object')) checkObject(schema, where, fault);
}

function checkObject(schema: JsonObject, where: string, fault: (where: string, what: string) => void): void {
  const properties = isJsonObject(schema.properties) ? Object.entries(schema.properties) : [];
  if (properties.length === 0 && isJsonObject(schema.additionalProperties)) {
    return checkSchema(schema.additionalProperties, `${where}[_]`, fault);
  }
  if (schema.additionalProperties !== false) {
    fault(
      where,
      'expected additionalProperties: false, or no properties and additionalProperties that describe the values',
    );
  }
  const required = Array.isArray(schema.required) ? schema.required : [];
  for (const [name, property] of properties) {
    if (!required.includes(name)) fault(`${where}.${name}`, 'expected it among required');
    checkSchema(isJsonObject(property) ? property : undefined, `${where}.${name}`, fault);
  }
}
