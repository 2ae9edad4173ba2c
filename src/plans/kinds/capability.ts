import { Type } from '../../platform/documents/typebox';
import { Anything, Conditions, Free, LooseReference, objectSchema, oneOf } from './common-schemas';

const TYPES = ['string', 'number', 'boolean', 'object', 'array'] as const;

const Parameter = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    type: oneOf(TYPES),
    description: Type.Optional(Type.String()),
    required: Type.Optional(Type.Boolean()),
    default: Type.Optional(Anything),
    enum: Type.Optional(Type.Array(Anything, { minItems: 1 })),
    format: Type.Optional(Type.String()),
    itemType: Type.Optional(Type.String()),
    properties: Type.Optional(Free),
    objectProperties: Type.Optional(Free),
  },
  {
    allOf: [
      { if: { required: ['format'] }, then: { properties: { type: { enum: ['string'] } } } },
      { if: { required: ['itemType'] }, then: { properties: { type: { enum: ['array'] } } } },
    ],
  },
);

const CapabilitySpec = Type.Object({
  description: Type.String({ minLength: 1, maxLength: 4096 }),
  displayName: Type.Optional(Type.String({ maxLength: 128 })),
  category: Type.Optional(
    Type.String({
      pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
      maxLength: 64,
      description: 'lower-case words joined by hyphens',
    }),
  ),
  inputs: Type.Optional(Type.Array(Parameter)),
  outputs: Type.Optional(Type.Array(Parameter)),
  requirements: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String({ minLength: 1 }),
        namespace: Type.Optional(Type.String({ minLength: 1 })),
        optional: Type.Optional(Type.Boolean()),
      }),
    ),
  ),
});

const CapabilityStatus = Type.Object({
  phase: Type.Optional(oneOf(['Available', 'Unavailable', 'Deprecated'])),
  replacement: Type.Optional(LooseReference),
  deprecationMessage: Type.Optional(Type.String()),
  conditions: Type.Optional(Conditions),
  observedGeneration: Type.Optional(Type.Integer()),
});

export const CapabilitySchema = objectSchema(
  'Capability',
  'Something that tasks can ask for',
  CapabilitySpec,
  CapabilityStatus,
);
