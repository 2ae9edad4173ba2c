import { Type, type Static } from '../../platform/documents/typebox';
import { strict } from '../../platform/documents/schema-types';
import { BudgetSchema, ConstraintsSchema, limits, MEASURES, objective, RoleSchema, runLimits } from './parts';

const Priority = Type.Optional(Type.Integer({ description: 'the higher one is done first' }));
const Percent = (description: string) => Type.Optional(Type.Number({ minimum: 0, description }));

/** Where the replicas of a shard go. */
export const PlacementSchema = Type.Object(
  {
    ...objective,
    constraints: Type.Optional(ConstraintsSchema),
    roles: Type.Optional(Type.Array(RoleSchema, { minItems: 1, maxItems: 20 })),
    budget: Type.Optional(BudgetSchema),
  },
  strict,
);
export type PlacementSettings = Static<typeof PlacementSchema>;

/** A measure of the source above which its replicas are moved away. */
export const MigrationTriggerSchema = Type.Object(
  { metric: Type.Union(MEASURES.map((measure) => Type.Literal(measure))), above: Type.Number({ minimum: 0 }) },
  strict,
);

/** Which replicas leave their node: those of every source for which the conditions hold, and one of the triggers if it has any. */
export const MigrationSchema = Type.Object(
  {
    ...objective,
    constraints: Type.Optional(ConstraintsSchema),
    triggers: Type.Optional(Type.Array(MigrationTriggerSchema, { minItems: 1 })),
    priority: Priority,
    ...limits,
    budget: Type.Optional(BudgetSchema),
  },
  strict,
);
export type MigrationSettings = Static<typeof MigrationSchema>;

/** How many replicas a shard has and how far apart they are. */
export const ReplicationSchema = Type.Object(
  {
    ...objective,
    factor: Type.Integer({ minimum: 1, maximum: 100, description: 'replicas of a shard on ready nodes' }),
    consistency: Type.Optional(
      Type.Union([Type.Literal('one'), Type.Literal('quorum'), Type.Literal('all')], {
        description: 'replicas that stay up during the change: one, more than half, or all of the factor',
      }),
    ),
    cross_region: Type.Optional(
      Type.Object(
        {
          min_regions: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
          max_per_region: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
        },
        strict,
      ),
    ),
    constraints: Type.Optional(ConstraintsSchema),
    roles: Type.Optional(Type.Array(RoleSchema, { minItems: 1, maxItems: 20 })),
    priority: Priority,
    ...runLimits,
    budget: Type.Optional(BudgetSchema),
  },
  strict,
);
export type ReplicationSettings = Static<typeof ReplicationSchema>;

/** Moves that make the load of ready nodes even. */
export const BalanceSchema = Type.Object(
  {
    ...objective,
    threshold: Percent(
      'the greatest load over the mean, in percent above it, up to which nothing is done; 1 when missing',
    ),
    constraints: Type.Optional(ConstraintsSchema),
    priority: Priority,
    ...limits,
    budget: Type.Optional(BudgetSchema),
  },
  strict,
);
export type BalanceSettings = Static<typeof BalanceSchema>;

/** Moves that empty nodes, so that they need not be paid for. */
export const CostOptimizationSchema = Type.Object(
  {
    ...objective,
    max_utilization: Percent('of each node that takes replicas, in percent; 80 when missing'),
    min_saving: Percent('cost per hour that a run must save'),
    constraints: Type.Optional(ConstraintsSchema),
    priority: Priority,
    ...runLimits,
    budget: Type.Optional(BudgetSchema),
  },
  strict,
);
export type CostOptimizationSettings = Static<typeof CostOptimizationSchema>;
