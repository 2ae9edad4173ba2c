import type { TSchema } from '../../platform/documents/typebox';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { Operator, OPERATORS } from '../conditions/condition';
import { metricPrefixes, type RuleDomain } from '../domain';
import { RULE_LIMITS } from '../limits';
import { withSharedParts } from './shared-parts';
import { FragmentsDocumentSchema, PolicyDocumentSchema } from './rule-policy';

const METRIC = '^[A-Za-z_][A-Za-z0-9_-]*(\\.[A-Za-z_][A-Za-z0-9_-]*|\\[[^\\]]*\\])*$';

/**
 * The JSON Schema of what a file of policies may hold, for editors: a policy, fragments, or a list of them. It knows the types,
 * actions and functions of the domain. A document that it takes may still have faults that only `readPolicies` finds.
 */
export function publishedSchema(domain: RuleDomain): JsonObject {
  const properties = asJson(PolicyDocumentSchema).properties as JsonObject;
  const types = [...domain.types.values()];
  return withSharedParts({
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: `Rule policies of ${domain.name}`,
    oneOf: [
      { $ref: '#/definitions/policy' },
      { $ref: '#/definitions/shared' },
      {
        type: 'array',
        items: { oneOf: [{ $ref: '#/definitions/policy' }, { $ref: '#/definitions/shared' }] },
      },
    ],
    definitions: {
      policy: {
        type: 'object',
        required: ['name'],
        additionalProperties: false,
        properties: {
          ...properties,
          type: {
            enum: types.map(({ name }) => name),
            description: types.map(({ name, description }) => `${name}: ${description}`).join('; '),
          },
          scope: scopeSchema(properties.scope as JsonObject, domain),
          conditions: { $ref: '#/definitions/condition' },
          actions: { type: ['object', 'array'] },
        },
        allOf: types.map(({ name, actions }) => ({
          if: { required: ['type', 'actions'], properties: { type: { const: name } }, not: { required: ['extends'] } },
          then: { properties: { actions: actionsSchema(actions) } },
        })),
      },
      shared: {
        ...asJson(FragmentsDocumentSchema),
        minProperties: 1,
        properties: {
          fragments: { type: 'object', additionalProperties: { $ref: '#/definitions/condition' } },
          enumerations: (asJson(FragmentsDocumentSchema).properties as JsonObject).enumerations!,
        },
      },
      condition: conditionSchema(domain),
      parameter: {
        type: 'object',
        required: ['parameter'],
        additionalProperties: false,
        properties: { parameter: { type: 'string' } },
      },
    },
  });
}

/** As plain JSON: a schema of the code has symbols for its types. */
function asJson(schema: TSchema): JsonObject {
  return JSON.parse(JSON.stringify(schema)) as JsonObject;
}

function scopeSchema(scope: JsonObject, { operations }: RuleDomain): JsonObject {
  const described = Object.entries(operations).map(([name, sentence]) => `${name}: ${sentence}`);
  const operation = { enum: Object.keys(operations), description: described.join('; ') };
  return { ...scope, properties: { ...(scope.properties as JsonObject), operation } };
}

function actionsSchema(actions: Readonly<Record<string, TSchema>>): JsonObject {
  const one = {
    type: 'object',
    minProperties: 1,
    maxProperties: 1,
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.entries(actions).map(([name, schema]) => [name, withParameters(asJson(schema))]),
    ),
  };
  return { anyOf: [one, { type: 'array', minItems: 1, items: one }] };
}

/** Every value of a setting may be a parameter instead. */
function withParameters(schema: JsonObject): JsonObject {
  const inner = (child: JsonValue): JsonValue =>
    isJsonObject(child) ? { anyOf: [withParameters(child), { $ref: '#/definitions/parameter' }] } : child;
  const each = (children: JsonValue | undefined, change: (child: JsonValue) => JsonValue) =>
    isJsonObject(children)
      ? Object.fromEntries(Object.entries(children).map(([key, child]) => [key, change(child)]))
      : undefined;
  const properties = each(schema.properties, inner);
  const patterns = each(schema.patternProperties, inner);
  return {
    ...schema,
    ...(properties === undefined ? {} : { properties }),
    ...(patterns === undefined ? {} : { patternProperties: patterns }),
    ...(isJsonObject(schema.items) ? { items: inner(schema.items) } : {}),
    ...(Array.isArray(schema.anyOf)
      ? { anyOf: schema.anyOf.map((branch) => (isJsonObject(branch) ? withParameters(branch) : branch)) }
      : {}),
  };
}

function conditionSchema(domain: RuleDomain): JsonObject {
  const condition = { $ref: '#/definitions/condition' };
  const list = { type: 'array', minItems: 1, maxItems: RULE_LIMITS.conditions, items: condition };
  const description = { type: 'string', description: 'shown when the condition decides' };
  const kind = (required: readonly string[], properties: JsonObject): JsonObject => ({
    type: 'object',
    required: [...required],
    additionalProperties: false,
    properties: { ...properties, description },
  });
  const metric = {
    type: 'string',
    pattern: METRIC,
    description: `begins with ${metricPrefixes(domain).join(', ')}; such as node.labels["a.b/c"]`,
  };
  const without = [Operator.exists, Operator.not_exists];
  const functions = [...domain.functions.values()];
  return {
    description:
      'unknown where a metric is missing or of another type: then it does not hold, and neither does its opposite',
    oneOf: [
      kind(['all'], { all: { ...list, description: 'every one holds' } }),
      kind(['any'], { any: { ...list, description: 'at least one holds' } }),
      kind(['not'], { not: condition }),
      kind(['metric', 'operator', 'value'], {
        metric,
        operator: { enum: OPERATORS.filter((operator) => !without.includes(operator as never)) },
        value: { not: { type: 'null' }, description: 'a value, or { "metric": NAME } for that of another metric' },
      }),
      kind(['metric', 'operator'], { metric, operator: { enum: without } }),
      kind(['function'], {
        function: {
          enum: functions.map(({ name }) => name),
          description: functions.map(({ name, description: what }) => `${name}: ${what}`).join('; '),
        },
        args: { type: 'object' },
      }),
      {
        type: 'object',
        required: ['include'],
        additionalProperties: false,
        properties: { include: { type: 'string', description: 'name of a fragment' } },
      },
      {
        type: 'object',
        required: ['inherited'],
        additionalProperties: false,
        properties: { inherited: { const: true, description: 'the conditions of the policy that is extended' } },
      },
      { $ref: '#/definitions/parameter' },
    ],
  };
}
