/** What a condition looks at. */
export const ConditionType = {
  tag: 'tag',
  label: 'label',
  annotation: 'annotation',
  registry: 'registry',
  repository: 'repository',
  metadata: 'metadata',
} as const;
export type ConditionType = (typeof ConditionType)[keyof typeof ConditionType];

export const ImageOperator = {
  equals: 'equals',
  not_equals: 'not_equals',
  matches: 'matches',
  contains: 'contains',
  in: 'in',
  exists: 'exists',
  not_exists: 'not_exists',
  gt: 'gt',
  lt: 'lt',
} as const;
export type ImageOperator = (typeof ImageOperator)[keyof typeof ImageOperator];

export const METADATA_FIELDS = ['digest', 'size', 'age', 'architecture', 'os', 'has_signature'] as const;
export type MetadataField = (typeof METADATA_FIELDS)[number];

/** Compares something of an image with `value`. */
export interface ImageComparison {
  type: ConditionType;
  operator: ImageOperator;
  /**
   * the label, annotation or metadata field; without it `value` is `KEY=VALUE`, and the key alone for `exists` and `not_exists`
   */
  key?: string;
  value?: string | readonly string[];
  /** how it is joined to the condition before it, AND binding tighter than OR @default AND */
  logical_op?: 'AND' | 'OR';
  description?: string;
}

/** A condition as it is written in an image policy. */
export type ImageCondition =
  ImageComparison | { all: readonly ImageCondition[] } | { any: readonly ImageCondition[] } | { not: ImageCondition };

export function isComparison(condition: ImageCondition): condition is ImageComparison {
  return 'type' in condition;
}
