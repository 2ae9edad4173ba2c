import { FailureType, faultsToError, GateError } from '../../kernel/failures';
import { LIMITS } from '../../kernel/limits';
import type { PolicyRef } from '../store/stored-policy';
import type { RuleCaller } from './rule-service';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** @throws GateError ConfigInvalid: a change says why it is made */
export function requireReason(reason: string): void {
  requireText('reason', reason);
}

/** @throws GateError ConfigInvalid */
export function requireActor({ actor }: RuleCaller): void {
  requireText('actor', actor);
}

function requireText(where: string, text: string): void {
  const { operatorChars } = LIMITS;
  if (typeof text === 'string' && text.trim() !== '' && text.length <= operatorChars) return;
  const message = `${where}: expected 1 to ${operatorChars} characters`;
  throw faultsToError([{ type: FailureType.ConfigInvalid, message, where }]);
}

/** @throws GateError AccessDenied where the caller may not change or execute policies of this type */
export function requireType({ actor, policyTypes }: RuleCaller, type: string): void {
  if (policyTypes === undefined || policyTypes.includes(type)) return;
  const message = `${actor} may change policies of the types ${policyTypes.join(', ') || '(none)'}, not of ${type}`;
  throw new GateError(FailureType.AccessDenied, message);
}

export function notFound(ref: PolicyRef): GateError {
  const called = 'id' in ref ? `has the id ${ref.id}` : `is named ${ref.name}`;
  return new GateError(FailureType.RuleNotFound, `No policy ${called}`);
}

export function versionNotFound(name: string, revision: number): GateError {
  return new GateError(FailureType.RuleNotFound, `The policy ${name} has no revision ${revision}`);
}

export function taken(name: string): GateError {
  return new GateError(FailureType.RuleNameTaken, `Another policy is named ${name}`);
}
