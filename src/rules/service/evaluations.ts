import { GateError } from '../../kernel/failures';
import { FailureType, faultsToError } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import type { ChangeContext } from './changes';
import { requireActor } from './requests';
import { evaluatedRecord, failedEvaluationRecord } from './rule-records';
import type { EvaluatePolicyRequest, RuleCaller, RuleEvaluationAnswer, SimulatePoliciesRequest } from './rule-service';

/** Policies that one recorded evaluation may be of: each has a record of its own. */
const RECORDED_POLICIES = 100;

export async function evaluatePolicies(
  context: ChangeContext,
  caller: RuleCaller,
  request: EvaluatePolicyRequest,
): Promise<RuleEvaluationAnswer> {
  const { evaluator, metrics, logger, now, newId, maxStateAgeMs } = context;
  const { record = false, reason, policies, operation, subject, state, onlyMatched = false } = request;
  if (record) requireActor(caller);
  requireQuestion(request);
  const nowMs = now();
  const act = {
    actor: caller.actor,
    timestamp: new Date(nowMs).toISOString(),
    ...(reason === undefined ? {} : { reason }),
  };
  try {
    const { result, tookMs } = await evaluator.evaluate(await context.documents.current(), {
      state,
      nowMs,
      maxStateAgeMs,
      onlyMatched,
      ...(operation === undefined ? {} : { operation }),
      ...(policies === undefined ? {} : { policies }),
      ...(subject === undefined ? {} : { subject }),
    });
    metrics.evaluated(tookMs / 1000, result.results, result.conditions);
    const answer: RuleEvaluationAnswer = {
      answer: result.answer,
      policies: result.policies,
      setRevision: result.key,
      stateDigest: result.stateDigest,
      ...(result.stateVersion === undefined ? {} : { stateVersion: result.stateVersion }),
      decidedAt: act.timestamp,
      evalDurationMs: tookMs,
    };
    if (!record) {
      const { actor } = caller;
      logger.info({ actor, operation, policies: result.policies.length, tookMs }, 'Rule policies were evaluated');
      return answer;
    }
    if (result.policies.length > RECORDED_POLICIES) {
      const message = `record: expected at most ${RECORDED_POLICIES} policies with a result, got ${result.policies.length}; name policies, or ask for those that match only`;
      throw faultsToError([{ type: FailureType.ConfigInvalid, message, where: 'record' }]);
    }
    for (const pin of result.policies) {
      await context.log.record(evaluatedRecord(newId(), act, pin, answer, operation));
    }
    return answer;
  } catch (error) {
    if (!(error instanceof GateError) || error.type === FailureType.AuditWriteFailed) throw error;
    metrics.failed();
    const about = policies?.length === 1 ? policies[0] : undefined;
    if (record) await context.log.record(failedEvaluationRecord(newId(), act, about, error.faults));
    else logger.warn({ actor: caller.actor, operation, error: error.message }, 'Rule policies could not be evaluated');
    throw error;
  }
}

export async function simulatePolicies(context: ChangeContext, request: SimulatePoliciesRequest): Promise<JsonObject> {
  requireQuestion(request);
  const { state, policies, operation, subject, documents = [], options = {} } = request;
  return context.evaluator.simulate(await context.documents.current(), {
    state,
    nowMs: context.now(),
    documents,
    options,
    ...(operation === undefined ? {} : { operation }),
    ...(policies === undefined ? {} : { policies }),
    ...(subject === undefined ? {} : { subject }),
  });
}

function requireQuestion({ policies, operation }: Pick<EvaluatePolicyRequest, 'policies' | 'operation'>): void {
  if (operation !== undefined || (policies !== undefined && policies.length > 0)) return;
  const message = 'Expected an operation, or the names of policies, got neither';
  throw faultsToError([{ type: FailureType.ConfigInvalid, message, where: 'operation' }]);
}
