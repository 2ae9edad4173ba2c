import { Type, type Static } from '../../platform/documents/typebox';
import type { PlanObject } from '../object';
import {
  Conditions,
  Context,
  Free,
  GoDuration,
  Label,
  LooseReference,
  objectSchema,
  oneOf,
  TextMap,
  Texts,
  when,
} from './common-schemas';

/** Which plans a goal may be reached by. */
export const LabelSelectorSchema = Type.Object({
  matchLabels: Type.Optional(TextMap),
  matchExpressions: Type.Optional(
    Type.Array(
      Type.Object(
        {
          key: Type.String({ minLength: 1 }),
          operator: oneOf(['In', 'NotIn', 'Exists', 'DoesNotExist']),
          values: Type.Optional(Texts),
        },
        {
          allOf: [
            when(
              { operator: { enum: ['In', 'NotIn'] } },
              { required: ['values'], properties: { values: { minItems: 1 } } },
            ),
            when({ operator: { enum: ['Exists', 'DoesNotExist'] } }, { properties: { values: { maxItems: 0 } } }),
          ],
        },
      ),
    ),
  ),
});

const GoalSpec = Type.Object({
  description: Type.String({ minLength: 1 }),
  constraints: Type.Optional(Free),
  acceptanceCriteria: Type.Optional(
    Type.Array(Type.Object({ id: Type.Optional(Label), description: Type.String({ minLength: 1 }) })),
  ),
  planSelector: Type.Optional(LabelSelectorSchema),
  timeout: Type.Optional(GoDuration),
  priority: Type.Optional(Type.Integer({ minimum: 0 })),
  context: Type.Optional(Context),
});

export const GoalPhase = {
  Pending: 'Pending',
  Planning: 'Planning',
  Ready: 'Ready',
  Executing: 'Executing',
  Succeeded: 'Succeeded',
  Failed: 'Failed',
  Cancelled: 'Cancelled',
} as const;
export type GoalPhase = (typeof GoalPhase)[keyof typeof GoalPhase];

const GoalStatus = Type.Object({
  phase: Type.Optional(oneOf(Object.values(GoalPhase))),
  activePlanRef: Type.Optional(LooseReference),
  conditions: Type.Optional(Conditions),
  observedGeneration: Type.Optional(Type.Integer()),
});

export const GoalSchema = objectSchema(
  'Goal',
  'What is to be reached, and which plans may reach it',
  GoalSpec,
  GoalStatus,
);
export type Goal = PlanObject<Static<typeof GoalSpec>, Static<typeof GoalStatus>>;
