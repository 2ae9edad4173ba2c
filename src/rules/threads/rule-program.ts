import type { JsonObject } from '../../kernel/json';
import type { PolicySet } from '../document/read-policies';
import type { DomainState, DomainStep, RuleDomain } from '../domain';
import type { Measures } from '../execution/execution';

/** Policies and what they would be after a change, over one state. */
export interface SimulationQuestion {
  /** as stored */
  before: PolicySet;
  /** with the documents that are tried; the same as `before` where none are */
  after: PolicySet;
  state: JsonObject;
  nowMs: number;
  operation?: string;
  /** names; absent: all that apply to the operation */
  policies?: readonly string[];
  subject?: string;
  /** what else the domain's simulation takes */
  options: JsonObject;
}

/** What a thread that evaluates rules is made of. */
export interface RuleProgram {
  domain: RuleDomain;
  /** @throws GateError ConfigInvalid for a question that it cannot answer */
  simulate?(question: SimulationQuestion): JsonObject;
  /** measures of a state as the steps would leave it; absent where the domain has none */
  measure?(state: DomainState, steps: readonly DomainStep[]): Measures;
}
