import type { TSchema } from '../../platform/documents/typebox';
import type { JsonObject } from '../../kernel/json';
import { parseJsonText } from '../../platform/documents/json-text';
import { ConditionType, ImageOperator } from '../conditions/image-condition';
import { ImagePolicySchema } from './policy-document';

/**
 * The JSON Schema of what a file of image policies may hold, for editors: a policy, a list of them, or `policies:` with such a
 * list. A document that it takes may still have faults that only `readImagePolicies` finds.
 */
export function publishedImageSchema(): JsonObject {
  const policy = asJson(ImagePolicySchema);
  const policies = { type: 'array', items: { $ref: '#/definitions/policy' } };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Image policies',
    oneOf: [
      { $ref: '#/definitions/policy' },
      policies,
      { type: 'object', required: ['policies'], additionalProperties: false, properties: { policies } },
    ],
    definitions: {
      policy: {
        ...policy,
        // What has a default need not be given.
        required: ['id', 'name', 'actions'],
        properties: { ...(policy.properties as JsonObject), conditions: conditionsSchema(0) },
      },
      condition: conditionSchema(),
    },
  };
}

/** As plain JSON: a schema of the code has symbols for its types. A key with a default need not be given. */
function asJson(schema: TSchema): JsonObject {
  const text = JSON.stringify(schema, (_key, value: unknown) => {
    const { properties, required } = (value ?? {}) as { properties?: Record<string, object>; required?: string[] };
    if (properties === undefined || !Array.isArray(required)) return value;
    const needed = required.filter((key) => !('default' in properties[key]!));
    return { ...(value as object), required: needed };
  });
  const { discriminator: _discriminator, ...document } = parseJsonText(text) as JsonObject;
  return document;
}

function conditionsSchema(minItems: number): JsonObject {
  return { type: 'array', minItems, items: { $ref: '#/definitions/condition' } };
}

function conditionSchema(): JsonObject {
  const condition = { $ref: '#/definitions/condition' };
  const text = { type: 'string', minLength: 1 };
  const kind = (required: string[], properties: JsonObject): JsonObject => ({
    type: 'object',
    required,
    additionalProperties: false,
    properties,
  });
  return {
    oneOf: [
      kind(['all'], { all: conditionsSchema(1) }),
      kind(['any'], { any: conditionsSchema(1) }),
      kind(['not'], { not: condition }),
      kind(['type', 'operator'], {
        type: { ...text, description: `one of ${Object.values(ConditionType).join(', ')}, or a type of your own` },
        operator: { enum: Object.values(ImageOperator) },
        key: { ...text, description: 'the label, annotation or metadata field; without it the value is KEY=VALUE' },
        value: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
        logical_op: { enum: ['AND', 'OR'], description: 'joins it to the condition before; AND binds tighter' },
        description: text,
      }),
    ],
  };
}
