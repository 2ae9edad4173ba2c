import type { TSchema } from '../platform/documents/typebox';
import type { JsonObject, JsonValue } from '../kernel/json';
import type { DocumentPlace } from '../platform/documents/validate';
import type { ConditionFunctions } from './conditions/functions';
import type { RuleAction } from './document/rule-policy';
import type { CandidateResult, EvaluationState, Subject } from './evaluation/evaluation-state';

/**
 * What happens to the actions of several policies of one type. `highest_priority`: of two that contradict each other the one
 * that comes first in the order is kept. `first_match`: only the first policy that matched acts. `merge`: actions that do not
 * contradict each other become one.
 */
export type ConflictRule = 'highest_priority' | 'first_match' | 'merge';

/** A kind of policy, such as `placement`. */
export interface PolicyType {
  name: string;
  description: string;
  /** settings of each action that a policy of this type may have, by the action's name */
  actions: Readonly<Record<string, TSchema>>;
  /** which operations its policies are asked for; the name of each is one of the domain's */
  operations: readonly string[];
  /** @default highest_priority */
  conflicts?: ConflictRule;
  /** one sentence of how two actions of the same name contradict each other; undefined when both can be done */
  contradiction(one: RuleAction, other: RuleAction): string | undefined;
  /** one action that does what both do; only asked of two that do not contradict each other */
  merge(one: RuleAction, other: RuleAction): RuleAction;
}

/** How a state's document is read. */
export interface StateReading {
  /** epoch milliseconds of the evaluation; also the time of a state that does not tell its own */
  nowMs: number;
  /** what the state is read for: it may decide what the subjects are, such as one for each replica that may move */
  operation?: string;
  /** whether a state that does not say when it was observed is a fault; @default false */
  needsTime?: boolean;
  /** of the one subject that is asked about; @default all */
  subject?: string;
}

/** A state as the engine and the domain read it. */
export interface DomainState {
  /** what conditions look at */
  evaluation: EvaluationState;
  /** in the order in which they are evaluated: by id, whatever the order of the document */
  subjects: readonly Subject[];
  /** epoch milliseconds; the time of the reading where the document does not say */
  observedAtMs: number;
  /** what the source calls this state; undefined where the document does not say */
  version?: string;
  /** the domain's own reading, which only the domain looks into */
  own: unknown;
}

/** An action that is to be carried out, with the policies that ask for it and what their conditions leave to choose from. */
export interface WantedAction {
  policies: readonly string[];
  action: RuleAction;
  /**
   * Every candidate, with why it is dropped where it is: one that the conditions of any of the policies drop is dropped.
   * Undefined where none of the policies reads candidates: then all of the state's may be chosen.
   */
  candidates?: readonly CandidateResult[];
}

/** What a domain is asked to decide for one subject. */
export interface DomainQuestion {
  /** undefined where none was named: each action is decided for the first operation of its type */
  operation?: string;
  /** the subject of no id for actions of policies that read none */
  subject: Subject;
  state: DomainState;
  /** those that are left once conflicts are settled; several are to be carried out together */
  actions: readonly WantedAction[];
  /** what was decided for subjects before this one: it is counted as if it had been done; @default none */
  earlier?: readonly DomainStep[];
}

/** A candidate with what speaks for it. */
export interface ScoredCandidate {
  id: string;
  kept: boolean;
  /** why it is dropped; empty for one that is kept */
  reason: string;
  /** the higher, the better; undefined for one that is dropped */
  score?: number;
  /** what the score is the sum of, by the name of the term */
  scoreParts?: Readonly<Record<string, number>>;
}

/** One concrete thing to do. */
export interface DomainStep {
  /** one of the domain's own, such as a move */
  kind: string;
  /** index of the action, among those asked about, that it belongs to */
  action: number;
  /** whose step it is; undefined for what has no subject */
  subject?: string;
  /** what whoever carries it out is given: plain data in snake_case */
  settings: JsonObject;
  /** what it does and why, in one sentence */
  sentence: string;
}

/** One weighted term of what a decision is to make better. */
export interface TermChange {
  name: string;
  weight: number;
  /** its value with the steps decided earlier */
  before: number;
  /** its value with this decision's steps too */
  after: number;
}

export interface DomainTerm extends TermChange {
  /** index of the action, among those asked about, that it belongs to */
  action: number;
}

/** What a domain makes of the actions for one subject. */
export interface DomainDecision {
  /** every candidate under the first of the actions, in the order of the state; empty where nothing is chosen */
  candidates: readonly ScoredCandidate[];
  /** in the order in which they are carried out */
  steps: readonly DomainStep[];
  /** why what was asked for cannot be done, or not all of it: each in one sentence; then nothing less is done in its place */
  refusals: readonly string[];
  /** what the steps change in each term of the objective; undefined where the domain has none */
  terms?: readonly DomainTerm[];
}

/** What a metric holds. */
export type MetricKind = 'text' | 'number' | 'boolean' | 'list' | 'object';

/**
 * What the rule engine is told of a domain: which types, operations and functions there are, what the names of metrics begin
 * with, how a state is read and what actions come to. The engine itself knows none of these words.
 */
export interface RuleDomain {
  name: string;
  types: ReadonlyMap<string, PolicyType>;
  /** one sentence for each operation, by its name */
  operations: Readonly<Record<string, string>>;
  functions: ConditionFunctions;
  /** first keys of metrics */
  prefixes: {
    /** of what a policy is about, such as `shard`; a policy that reads it is evaluated for each subject */
    subject: string;
    /** of what is chosen from, such as `node`; a policy that reads it is evaluated for each candidate */
    candidate: string;
    /** of what is neither, such as `cluster` and `source` */
    others: readonly string[];
  };
  /**
   * The metrics that are known under each prefix with their kinds, for `lint`: those of the document's schema. A state may
   * have others. Nothing is said of a prefix that is missing.
   */
  metrics?: Readonly<Record<string, Readonly<Record<string, MetricKind>>>>;
  /** @throws GateError ConfigInvalid with every fault of the document */
  readState(document: JsonValue, where: DocumentPlace, reading: StateReading): DomainState;
  /** What an action says of its place among others: the higher is done first, for every subject; @default 0 for all */
  priorityOf?(action: RuleAction): number;
  /** Pure: the same question has the same answer. Also asked of one policy's own actions, to score its candidates. */
  decide(question: DomainQuestion): DomainDecision;
}

/** Every first key that a metric may have. */
export function metricPrefixes({ prefixes }: RuleDomain): string[] {
  return [prefixes.subject, prefixes.candidate, ...prefixes.others];
}
