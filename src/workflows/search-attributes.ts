import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

// Stored unencrypted by Temporal: no fact values, no secrets, no personal data. Five of the ten Keywords of a namespace.

export const DEPLOYMENT_ID = defineSearchAttributeKey('DeploymentId', SearchAttributeType.KEYWORD);
export const DEPLOYMENT_STAGE = defineSearchAttributeKey('DeploymentStage', SearchAttributeType.KEYWORD);
export const DECISION_OUTCOME = defineSearchAttributeKey('DecisionOutcome', SearchAttributeType.KEYWORD);
export const PAUSE_REASON = defineSearchAttributeKey('PauseReason', SearchAttributeType.KEYWORD);
export const POLICY_REVISION = defineSearchAttributeKey('PolicyRevision', SearchAttributeType.KEYWORD);

/** All that the product uses, by name. */
export const SEARCH_ATTRIBUTES = [
  DEPLOYMENT_ID,
  DEPLOYMENT_STAGE,
  DECISION_OUTCOME,
  PAUSE_REASON,
  POLICY_REVISION,
] as const;
