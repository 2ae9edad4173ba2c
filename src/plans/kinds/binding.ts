import { Type, type Static } from '../../platform/documents/typebox';
import type { PlanObject } from '../object';
import { Anything, Conditions, Free, objectSchema, oneOf, Reference, TextMap } from './common-schemas';

const BindingRule = Type.Object({
  priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000, description: 'the higher one comes first' })),
  selector: Type.Object({
    capabilityRef: Type.Optional(Reference),
    planRef: Type.Optional(Reference),
    nodeId: Type.Optional(Type.String({ minLength: 1 })),
    matchLabels: Type.Optional(TextMap),
  }),
  target: Type.Object({
    provider: Type.String({ minLength: 1, maxLength: 512 }),
    config: Type.Optional(Free),
  }),
});

const BindingSpec = Type.Object({
  rules: Type.Array(BindingRule, { minItems: 1 }),
  strategy: Type.Optional(oneOf(['FirstMatch', 'MostSpecific', 'ErrorOnConflict'])),
});

const BindingStatus = Type.Object({
  phase: Type.Optional(oneOf(['Ready', 'PartiallyBound', 'Unresolved'])),
  totalCount: Type.Optional(Type.Integer({ minimum: 0 })),
  boundCount: Type.Optional(Type.Integer({ minimum: 0 })),
  unboundCapabilities: Type.Optional(Type.Array(Anything)),
  conditions: Type.Optional(Conditions),
  observedGeneration: Type.Optional(Type.Integer()),
});

export const BindingSchema = objectSchema(
  'Binding',
  'Which provider carries out what tasks ask for',
  BindingSpec,
  BindingStatus,
);
export type Binding = PlanObject<Static<typeof BindingSpec>, Static<typeof BindingStatus>>;
