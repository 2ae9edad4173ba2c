import type { JsonObject, JsonValue } from '../../kernel/json';
import type { ExplainedCondition } from '../conditions/explain-condition';
import type { RuleAction } from '../document/rule-policy';
import type { DomainStep, RuleDomain, ScoredCandidate } from '../domain';
import type { DecidedAction, PolicyAnswer, RulesAnswer } from './answer';
import type { Subject } from './evaluation-state';

/**
 * An answer as `gate rules evaluate -o json` prints it and the service answers it: `results`, `conflicts`, `actions` with their
 * steps and terms, and `refusals`. Results carry the id of their subject and candidates theirs under the domain's own words, such as
 * `shard` and `node`.
 */
export function answerDocument(answer: RulesAnswer, domain: RuleDomain): JsonObject {
  const names = (subject: Subject): JsonObject =>
    subject.names ?? (subject.id === undefined ? {} : { [domain.prefixes.subject]: subject.id });
  return {
    results: answer.results.map((result) => resultDocument(result, names(result.subject), domain)),
    conflicts: answer.conflicts.map(({ subject, ...conflict }) => ({ ...names(subject), ...conflict })),
    actions: answer.actions.map((action) => actionDocument(action, names(action.subject))),
    refusals: answer.refusals.map(({ subject, policies, sentence }) => ({ ...names(subject), policies, sentence })),
  };
}

/** A tree of conditions as JSON. */
export function conditionDocument({ parts, described, ...explained }: ExplainedCondition): JsonObject {
  return {
    ...explained,
    ...(described === undefined ? {} : { described }),
    ...(parts === undefined ? {} : { parts: parts.map(conditionDocument) }),
  };
}

function resultDocument(result: PolicyAnswer, names: JsonObject, domain: RuleDomain): JsonObject {
  const { policy, type, matched, preview, outcome, conditions, missing, unmet, candidates, actions } = result;
  return {
    policy,
    type,
    ...names,
    matched,
    outcome,
    ...(preview ? { preview } : {}),
    ...(unmet.length === 0 ? {} : { unmet }),
    conditions: conditionDocument(conditions),
    missing,
    ...(candidates === undefined ? {} : { candidates: candidates.map((one) => candidateDocument(one, domain)) }),
    actions: actions.map(toActionDocument),
  };
}

function candidateDocument({ id, kept, reason, score, scoreParts }: ScoredCandidate, domain: RuleDomain): JsonObject {
  return {
    [domain.prefixes.candidate]: id,
    kept,
    reason,
    ...(score === undefined ? {} : { score }),
    ...(scoreParts === undefined ? {} : { score_parts: { ...scoreParts } }),
  };
}

/** As a policy writes it: `{ NAME: SETTINGS }`. */
function toActionDocument({ name, settings }: RuleAction): JsonValue {
  return { [name]: settings };
}

function actionDocument({ policies, action, steps, terms }: DecidedAction, names: JsonObject): JsonObject {
  return {
    policies,
    ...names,
    action: action.name,
    settings: action.settings,
    steps: steps.map(stepDocument),
    ...(terms.length === 0 ? {} : { terms: terms.map((term) => ({ ...term })) }),
  };
}

/** One step as JSON, with whom it is for. */
export function stepDocument({ kind, settings, sentence }: DomainStep): JsonObject {
  return { kind, settings, sentence };
}
