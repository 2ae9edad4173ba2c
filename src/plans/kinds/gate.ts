import { Type, type Static } from '../../platform/documents/typebox';
import type { PlanObject } from '../object';
import { Conditions, Free, objectSchema, oneOf, Texts, Time } from './common-schemas';

const GateSpec = Type.Object({
  gateType: oneOf(['approval', 'review', 'sign-off']),
  targetRef: Type.Object({
    apiVersion: Type.Optional(Type.String()),
    kind: Type.String({ minLength: 1 }),
    name: Type.String({ minLength: 1 }),
    namespace: Type.Optional(Type.String({ minLength: 1 })),
    uid: Type.Optional(Type.String({ minLength: 1 })),
    nodeId: Type.Optional(Type.String({ minLength: 1 })),
  }),
  description: Type.Optional(Type.String()),
  reviewers: Type.Optional(Texts),
  requiredApprovers: Type.Optional(Type.Integer({ minimum: 1 })),
  context: Type.Optional(Free),
});

const Resolution = Type.Object({
  outcome: oneOf(['approved', 'rejected']),
  timestamp: Time,
  actors: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
  comment: Type.Optional(Type.String()),
});

const ReviewAction = Type.Object({
  reviewer: Type.String({ minLength: 1 }),
  action: oneOf(['approve', 'reject', 'comment']),
  timestamp: Time,
  comment: Type.Optional(Type.String()),
  targetGeneration: Type.Optional(Type.Integer()),
});

const GateStatus = Type.Object({
  phase: Type.Optional(oneOf(['Pending', 'Waiting', 'Approved', 'Rejected'])),
  conditions: Type.Optional(Conditions),
  reviewHistory: Type.Optional(Type.Array(ReviewAction)),
  resolution: Type.Optional(Resolution),
  observedGeneration: Type.Optional(Type.Integer()),
  decidedGeneration: Type.Optional(Type.Integer()),
});

export const GateSchema = objectSchema(
  'Gate',
  'A place where an execution waits for the word of reviewers',
  GateSpec,
  GateStatus,
);
export type Gate = PlanObject<Static<typeof GateSpec>, Static<typeof GateStatus>>;
