import type { JsonObject } from '../../kernel/json';
import type { Truth } from '../conditions/truth';

/** Something that policies are about, such as a shard; or nothing, for policies that read none. */
export interface Subject {
  id?: string;
  /**
   * Names that a result carries, such as `{ shard: 's1', source: 'n3' }`: two subjects may have one id, where one replica of a
   * shard or another may move. @default the id under the domain's prefix
   */
  names?: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
  /** by prefix: `{ shard: {…} }`, and of what belongs to it, such as `source` */
  metrics: JsonObject;
  /** why it can never have a candidate, such as one that has no room for it; asked for each candidate's id */
  barred?(candidate: string): string | undefined;
}

/** Something that can be chosen, such as a node. */
export interface Candidate {
  id: string;
  metrics: JsonObject;
  /** why it can never be chosen, whatever a policy says; its conditions are not evaluated then */
  barred?: string;
}

/** What a state is to the engine. */
export interface EvaluationState {
  nowMs: number;
  /** by prefix, of what is neither subject nor candidate */
  metrics: JsonObject;
  candidates: readonly Candidate[];
}

export interface CandidateResult {
  id: string;
  kept: boolean;
  outcome: Truth;
  /** why it was dropped, or what is unknown of it; empty for one that is kept */
  reason: string;
}
