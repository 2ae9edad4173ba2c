import type { JsonObject } from '../../kernel/json';

/** A policy of the store, as it is now. Times are RFC 3339 in UTC with milliseconds. */
export interface StoredPolicy {
  /** a UUID; it stays when the policy is renamed */
  id: string;
  /** unique among the living */
  name: string;
  /** one of the domain's, that of what it extends where it has none of its own; or one of `StoredKind` */
  type: string;
  /** the author's label; no lock */
  version: string;
  /** the lock: 1 when it was created, one more with each change, deletion included */
  revision: number;
  priority: number;
  enabled: boolean;
  /** as it was written, key by key */
  document: JsonObject;
  createdAt: string;
  updatedAt: string;
  /** of a deleted one, whose history is kept */
  deletedAt?: string;
}

/** Types of documents that are stored and never evaluated by themselves. */
export const StoredKind = {
  /** only extended by others */
  template: 'template',
  /** conditions that policies include */
  fragments: 'fragments',
} as const;

export const PolicyChange = {
  created: 'created',
  updated: 'updated',
  deleted: 'deleted',
  /** an earlier revision became current, as a new one; of a deleted policy too */
  rollback: 'rollback',
} as const;
export type PolicyChange = (typeof PolicyChange)[keyof typeof PolicyChange];

/** One revision of a policy, for ever as it was. */
export interface PolicyVersion {
  policyId: string;
  revision: number;
  change: PolicyChange;
  name: string;
  type: string;
  version: string;
  /** of a deletion: what was deleted */
  document: JsonObject;
  /** the revision that a rollback made current */
  restores?: number;
  actor: string;
  reason: string;
  createdAt: string;
}

/** Names a policy: by its id, or a living one by its name. */
export type PolicyRef = { id: string } | { name: string };

/** Which living policies are listed; what is absent matches all. */
export interface PolicyFilter {
  type?: string;
  enabled?: boolean;
  /** what the name begins with */
  namePrefix?: string;
  /** what `scope.operation` is, or the policy names none */
  operation?: string;
}
