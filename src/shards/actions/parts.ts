import { Type, type Static } from '../../platform/documents/typebox';
import { Duration, strict } from '../../platform/documents/schema-types';

/** What the load of a node is measured by. */
export const Measure = {
  qps: 'qps',
  cpu_usage: 'cpu_usage',
  memory_usage: 'memory_usage',
  disk_usage: 'disk_usage',
  shards: 'shards',
} as const;
export type Measure = (typeof Measure)[keyof typeof Measure];

export const MEASURES = Object.values(Measure);

const literals = <T extends string>(values: readonly T[], description?: string) =>
  Type.Union(
    values.map((value) => Type.Literal(value)),
    description === undefined ? {} : { description },
  );

/** `region`, `zone`, `id` or a label of a node. */
const Key = Type.String({ minLength: 1, description: 'region, zone, id or the name of a label' });
const Word = Type.String({ minLength: 1 });
const OneOrMore = Type.Union([Word, Type.Array(Word, { minItems: 1 })], { description: 'one or a list' });

/** As a label constraint of TiKV's placement rules. `not_in` and `not_exists` hold for a node without the label too. */
const requirement = {
  key: Key,
  op: Type.Optional(literals(['in', 'not_in', 'exists', 'not_exists'], 'in where it is missing')),
  values: Type.Optional(Type.Array(Word, { minItems: 1 })),
};
export const RequirementSchema = Type.Object(requirement, strict);
export type Requirement = Static<typeof RequirementSchema>;

export const PreferenceSchema = Type.Object(
  { ...requirement, weight: Type.Optional(Type.Number({ minimum: 0, maximum: 100, description: '1 when missing' })) },
  strict,
);
export type Preference = Static<typeof PreferenceSchema>;

/** Which nodes are possible (`required` and the short forms) and which are better (`preferred`). */
export const ConstraintsSchema = Type.Object(
  {
    region: Type.Optional(OneOrMore),
    zone: Type.Optional(OneOrMore),
    labels: Type.Optional(Type.Record(Type.String(), Word)),
    min_replicas: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    location_labels: Type.Optional(
      Type.Array(Key, { minItems: 1, maxItems: 8, uniqueItems: true, description: 'from the widest to the narrowest' }),
    ),
    isolation_level: Type.Optional(
      Type.String({ minLength: 1, description: 'one of location_labels: no two replicas share it' }),
    ),
    required: Type.Optional(Type.Array(RequirementSchema)),
    preferred: Type.Optional(Type.Array(PreferenceSchema)),
  },
  strict,
);
export type Constraints = Static<typeof ConstraintsSchema>;

/** Replicas of one kind, as a rule of TiKV's placement rules: so many of them, on nodes that fulfil all constraints. */
export const RoleSchema = Type.Object(
  {
    role: literals(['voter', 'leader', 'follower', 'learner']),
    count: Type.Integer({ minimum: 1, maximum: 100 }),
    constraints: Type.Optional(Type.Array(RequirementSchema)),
  },
  strict,
);
export type Role = Static<typeof RoleSchema>;

export const Strategy = {
  /** the node with the least load */
  least_loaded: 'least_loaded',
  /** bin packing: the fullest node that has room */
  most_loaded: 'most_loaded',
  /** as far from the other replicas as location_labels can tell */
  spread: 'spread',
  /** the node that costs least */
  cheapest: 'cheapest',
  /** any node, the same one for the same seed */
  random: 'random',
} as const;
export type Strategy = (typeof Strategy)[keyof typeof Strategy];

const Dial = (description: string) => Type.Optional(Type.Number({ minimum: 0, maximum: 100, description }));

/** How the best of the possible nodes is found. */
export const objective = {
  strategy: Type.Optional(literals(Object.values(Strategy), 'least_loaded where it is missing')),
  seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1, description: 'of the strategy random' })),
  by: Type.Optional(
    Type.Union([literals(MEASURES), Type.Array(literals(MEASURES), { minItems: 1, uniqueItems: true })], {
      description: `what load is: one or more of ${MEASURES.join(', ')}`,
    }),
  ),
  evenness: Dial('how much even load counts; 1 when missing'),
  leastMovement: Dial('how much a move costs; 0 when missing'),
};

/** What a change may cost. A change that would exceed it is refused. */
export const BudgetSchema = Type.Object(
  {
    cost_per_hour: Type.Optional(Type.Number({ minimum: 0, description: 'of all nodes that hold a replica' })),
    max_increase: Type.Optional(Type.Number({ minimum: 0, description: 'of the cost per hour, by one run' })),
  },
  strict,
);
export type Budget = Static<typeof BudgetSchema>;

const Count = (description: string) => Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, description }));

/** Bounds on what one run may copy from node to node. */
export const runLimits = {
  cooldown: Type.Optional(Duration()),
  minAge: Type.Optional(Duration()),
  maxMovesPerRun: Count('moves of one run'),
  maxConcurrentMoves: Count('moves at a time, those in flight counted'),
  maxMovesPerNode: Count('moves of one run that a node gives or takes'),
  maxMovesPerLabel: Type.Optional(
    Type.Record(Type.String(), Type.Integer({ minimum: 0 }), {
      description: 'moves of one run into or out of the nodes with one value of region, zone or a label',
    }),
  ),
  minReplicas: Count('replicas of a shard, on nodes that are not down, that a move must leave up'),
};

/** Bounds on moves that make load even. */
export const limits = {
  minImprovement: Type.Optional(
    Type.Number({ minimum: 0, description: 'percentage points of greatest load over mean that a run must gain' }),
  ),
  ...runLimits,
};
export type Limits = {
  minImprovement?: number;
  cooldown?: string;
  minAge?: string;
  maxMovesPerRun?: number;
  maxConcurrentMoves?: number;
  maxMovesPerNode?: number;
  maxMovesPerLabel?: Record<string, number>;
  minReplicas?: number;
};

export interface Objective {
  strategy?: Strategy;
  seed?: number;
  by?: Measure | Measure[];
  evenness?: number;
  leastMovement?: number;
}
