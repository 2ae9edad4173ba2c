import { FailureType, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonObject, type JsonSchema } from '../../kernel/json';
import { parsePointer } from '../../kernel/json-pointer';
import { factSchemas, typesOf } from './input-schema';

/** What a policy says of the values that it is given. */
export interface GivenSchemas {
  /** absent where it is not known: that is a fault of its own */
  inputSchema?: JsonSchema;
  attributesSchema?: JsonSchema;
  stageAttributesSchema?: JsonSchema;
}

/**
 * Why a mask can never hide anything: its pointer leads to no fact of input.json, or to where the schema of the fact or the
 * attribute has nothing. What a schema leaves open may be there. A misspelt pointer would show what it was to hide.
 *
 * @param pointer one that `maskPathFault` finds fit
 * @returns the end of a sentence that begins with the pointer; undefined when it may apply
 */
export function idleMaskFault(pointer: string, schemas: GivenSchemas): string | undefined {
  const [root, first, ...path] = parsePointer(pointer) ?? [];
  if (root !== 'input' || first === undefined) return undefined;
  if (first === 'deployment') {
    const [kind, ...inside] = path;
    const schema = kind === 'attributes' ? schemas.attributesSchema : schemas.stageAttributesSchema;
    if (kind === undefined || schema === undefined || mayBeAt(schema, inside)) return undefined;
    return `masks nothing: by ${kind}.json there is no ${inside.join('.')}`;
  }
  if (schemas.inputSchema === undefined) return undefined;
  const facts = factSchemas(schemas.inputSchema);
  if (!Object.hasOwn(facts, first)) {
    return `masks nothing: input.json describes no fact ${first} (there are ${Object.keys(facts).join(', ') || 'none'})`;
  }
  return mayBeAt(facts[first]!, path) ? undefined : `masks nothing: by input.json ${first} has no ${path.join('.')}`;
}

/** The settings' masks that can hide nothing under this policy, with their place. */
export function idleMasks(pointers: readonly string[], schemas: GivenSchemas): Fault[] {
  return pointers.flatMap((pointer, index) => {
    const idle = idleMaskFault(pointer, schemas);
    const where = `audit.mask[${index}]`;
    return idle === undefined
      ? []
      : [{ type: FailureType.ConfigInvalid, message: `${where}: ${pointer} ${idle}`, where }];
  });
}

/** False only where the schema rules it out by `type`, `properties`, `additionalProperties` or `items`. */
function mayBeAt(schema: JsonObject, path: readonly string[]): boolean {
  const [key, ...rest] = path;
  if (key === undefined) return true;
  const types = typesOf(schema);
  if (types.length > 0 && !types.includes('object') && !types.includes('array')) return false;
  const isList = types.includes('array') && !types.includes('object');
  if (isList) return /^[0-9]+$/.test(key) && (!isJsonObject(schema.items) || mayBeAt(schema.items, rest));
  const { properties, additionalProperties } = schema;
  const named = isJsonObject(properties) && Object.hasOwn(properties, key) ? properties[key] : undefined;
  if (isJsonObject(named)) return mayBeAt(named, rest);
  if (named !== undefined || isJsonObject(schema.patternProperties)) return true;
  if (isJsonObject(additionalProperties)) return mayBeAt(additionalProperties, rest);
  return additionalProperties !== false;
}
