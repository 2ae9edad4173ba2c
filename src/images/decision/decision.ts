import type { JsonObject } from '../../kernel/json';
import type { ImageCondition } from '../conditions/image-condition';
import type { CopyOptions } from '../copy-options';
import type { SignatureCheck, SignatureEnforcement } from '../signatures/signature-check';
import type { ImageFault } from '../image-error';

/** What is to be done with an image. */
export type DecidedAction =
  | {
      type: 'replicate';
      policyId: string;
      /** the target as it is named in full; `registry` is a name of the settings or a host */
      target: { registry: string; repository: string; tag: string | null };
      options: CopyOptions;
      /** as written */
      parameters: JsonObject;
    }
  | { type: 'block'; policyId: string; reason: string }
  | { type: 'notify'; policyId: string; parameters: JsonObject };

export interface ConditionResult {
  /** as written */
  condition: ImageCondition;
  matched: boolean;
  reason: string;
  error?: ImageFault;
}

export interface PolicyResult {
  policyId: string;
  matched: boolean;
  conditionResults: readonly ConditionResult[];
  /** empty unless it matched, or blocks because it could not be evaluated */
  actions: readonly DecidedAction[];
  /** nanoseconds */
  evaluationTime: number;
  error?: ImageFault;
  /** of a policy that matched and asks for a signature */
  signature?: SignatureCheck & { enforce: SignatureEnforcement };
}

/** Policies of one priority of which some block an image and some replicate it. */
export interface DecisionConflict {
  priority: number;
  blocking: readonly string[];
  replicating: readonly string[];
}

export interface ImageDecision {
  shouldReplicate: boolean;
  /** what to do; a blocked image has no replicate actions, and always its notify actions */
  actions: readonly DecidedAction[];
  /** ids, the higher priority first */
  matchedPolicies: readonly string[];
  reason: string;
  metadata: {
    /** what the decision is about, `registry/repository:tag@digest` */
    image: string;
    /** RFC 3339 */
    decidedAt: string;
    /** the decision follows the mapping, as policies could not be evaluated */
    degraded: boolean;
    /** where the mapping sends it; only where the decision follows the mapping */
    mappedTo?: string;
  };
  results: readonly PolicyResult[];
  conflicts: readonly DecisionConflict[];
  /** of policies that replicate an image whose signature is not verified, and warn of it */
  warnings: readonly { policyId: string; reason: string }[];
  /** every error of every policy */
  errors: readonly ImageFault[];
}
