import {
  Strategy,
  type Budget,
  type Constraints,
  type Measure,
  type Objective,
  type Preference,
  type Requirement,
  type Role,
} from '../actions/parts';

/** What the settings of an action say about nodes, with every default filled in. */
export interface PlacementRules {
  strategy: Strategy;
  seed: number;
  /** undefined: usages in percent that every ready node has, and the number of replicas */
  by?: readonly Measure[];
  evenness: number;
  leastMovement: number;
  required: readonly Requirement[];
  preferred: readonly Preference[];
  minReplicas?: number;
  /** from the widest to the narrowest */
  locationLabels: readonly string[];
  isolationLevel?: string;
  minRegions?: number;
  maxPerRegion?: number;
  roles?: readonly Role[];
  budget?: Budget;
}

/** The part of an action's settings that says where replicas may go. */
export interface PlacementChoice extends Objective {
  constraints?: Constraints;
  roles?: readonly Role[];
  budget?: Budget;
  cross_region?: { min_regions?: number; max_per_region?: number };
}

export function toPlacementRules(choice: PlacementChoice): PlacementRules {
  const { strategy = Strategy.least_loaded, seed = 0, by, evenness = 1, leastMovement = 0, constraints = {} } = choice;
  const { min_replicas: minReplicas, location_labels: labels, isolation_level: isolationLevel } = constraints;
  const { min_regions: minRegions, max_per_region: maxPerRegion } = choice.cross_region ?? {};
  return {
    strategy,
    seed,
    ...(by === undefined ? {} : { by: Array.isArray(by) ? by : [by] }),
    evenness,
    leastMovement,
    required: requirementsOf(constraints),
    preferred: constraints.preferred ?? [],
    ...(minReplicas === undefined ? {} : { minReplicas }),
    locationLabels: labels ?? (strategy === Strategy.spread ? ['region', 'zone'] : []),
    ...(isolationLevel === undefined ? {} : { isolationLevel }),
    ...(minRegions === undefined ? {} : { minRegions }),
    ...(maxPerRegion === undefined ? {} : { maxPerRegion }),
    ...(choice.roles === undefined ? {} : { roles: choice.roles }),
    ...(choice.budget === undefined ? {} : { budget: choice.budget }),
  };
}

function requirementsOf({ region, zone, labels = {}, required = [] }: Constraints): Requirement[] {
  const short = Object.entries({ region, zone, ...labels }).flatMap(([key, value]): Requirement[] =>
    value === undefined ? [] : [{ key, op: 'in', values: Array.isArray(value) ? value : [value] }],
  );
  return [...short, ...required];
}

/** What a constraint asks for, in words. */
export function requirementText({ key, op = 'in', values = [] }: Requirement): string {
  switch (op) {
    case 'in':
      return `${key} ${values.join(' or ')}`;
    case 'not_in':
      return `${key} other than ${values.join(', ')}`;
    case 'exists':
      return `a ${key}`;
    case 'not_exists':
      return `no ${key}`;
    default:
      return op satisfies never;
  }
}
