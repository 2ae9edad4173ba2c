import type { AuditRecord, RecordedEvaluation } from '../../audit/audit-record';
import { isGateRecord } from '../../audit/place';
import { OTHER_REASON, reasonCode } from '../../kernel/reason-code';
import { FailureType, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { pointerKeys, valueAt } from '../../kernel/json-pointer';
import { keyTexts, replaced, resolveMask, scalarTexts } from './mask';
import { pathOf, type MaskRule } from '../../kernel/mask-rule';

/** What replaces a source's address that holds a masked value. */
const MASKED_SOURCE = 'masked';

/**
 * A copy of a decision's record without the masked values: null, or what the mask puts there; reasons are codes alone,
 * faults fixed sentences. The record itself when the mask finds nothing in it; done twice it changes nothing.
 */
export function maskRecord<R extends AuditRecord>(record: R, rules: readonly MaskRule[] | undefined): R {
  if (rules === undefined || rules.length === 0 || record.kind !== 'decision') return record;
  const input = inputOf(record);
  const absent = record.errorDetails.flatMap(({ factId }) =>
    factId === undefined || Object.hasOwn(input, factId) ? [] : [factId],
  );
  // A second mask may be the stronger one: it makes null what the first replaced.
  const isNew = (rule: MaskRule): boolean =>
    !(record.masked ?? []).includes(pathOf(rule)) ||
    (typeof rule === 'string' && (valueAt(input, pointerKeys(rule).slice(1)) ?? null) !== null);
  const found = resolveMask(rules, input, absent).filter(isNew);
  if (found.length === 0) return record;

  const hidden = found.map((rule) => valueAt(input, pointerKeys(pathOf(rule)).slice(1)));
  const secrets = hidden.flatMap(scalarTexts);
  const keys = hidden.flatMap(keyTexts);
  // Deepest last: what lies within a masked value is gone with it.
  const masked = found.reduce<JsonValue>(
    (document, rule) =>
      replaced(document, pointerKeys(pathOf(rule)).slice(1), typeof rule === 'string' ? null : rule.value),
    input,
  ) as JsonObject;
  const maskReasons = (reasons: readonly string[]): string[] =>
    [
      ...new Set(
        reasons.map((reason) =>
          withoutKeys(record.masked ? withoutSecrets(reason, secrets) : codeOf(reason, secrets), keys),
        ),
      ),
    ].sort();
  const maskEvaluation = (evaluation: RecordedEvaluation): RecordedEvaluation => {
    const { optionalAbsent, wouldDeny, notes, disagreement } = evaluation;
    return {
      ...evaluation,
      // a path may name a masked key
      ...(optionalAbsent === undefined
        ? {}
        : { optionalAbsent: optionalAbsent.map((path) => withoutKeys(withoutSecrets(path, secrets), keys)) }),
      ...(wouldDeny === undefined ? {} : { wouldDeny: maskReasons(wouldDeny) }),
      ...(notes === undefined ? {} : { notes: notes.map(maskFault) }),
      ...(disagreement === undefined ? {} : { disagreement: maskDisagreement(disagreement) }),
    };
  };
  return {
    ...record,
    reasons: maskReasons(record.reasons),
    ...(record.evaluation === undefined ? {} : { evaluation: maskEvaluation(record.evaluation) }),
    errorDetails: record.errorDetails.map(maskFault),
    usedFacts: record.usedFacts.map((fact) => ({
      ...fact,
      value: masked[fact.id]!,
      source: isHolding(fact.source, secrets) ? MASKED_SOURCE : fact.source,
    })),
    ...(deploymentOf(record) === undefined ? {} : { deployment: masked.deployment as JsonObject }),
    masked: [...new Set([...(record.masked ?? []), ...found.map(pathOf)])].sort(),
  };
}

function deploymentOf(record: AuditRecord): JsonObject | undefined {
  return isGateRecord(record) ? record.deployment : undefined;
}

function inputOf(record: AuditRecord): JsonObject {
  const deployment = deploymentOf(record);
  return Object.fromEntries<JsonValue>([
    ...record.usedFacts.map(({ id, value }) => [id, value] as const),
    ...(isJsonObject(deployment) ? ([['deployment', deployment]] as const) : []),
  ]);
}

/** An address holds a value as it is or percent-encoded, and a host in small letters. */
function isHolding(source: string, secrets: readonly string[]): boolean {
  const texts = [source, decoded(source)].map((text) => text.toLowerCase());
  return secrets.some((secret) => texts.some((text) => text.includes(secret.toLowerCase())));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `other` where any part of a masked value is before the colon that ends the code. */
function codeOf(reason: string, secrets: readonly string[]): string {
  const end = reason.indexOf(':');
  const isWithin = secrets.some((secret) => {
    const at = reason.indexOf(secret);
    return at >= 0 && at < end;
  });
  return isWithin ? OTHER_REASON : withoutSecrets(reasonCode(reason), secrets);
}

/** A code is spelled in snake_case, and so a value within it may be. */
function withoutSecrets(code: string, secrets: readonly string[]): string {
  const isWithin = secrets.some((secret) => {
    const spelled = reasonCode(`${secret.replaceAll(':', ' ')}:`);
    return code.includes(secret) || (spelled !== OTHER_REASON && code.includes(spelled));
  });
  return isWithin ? OTHER_REASON : code;
}

/** Keys of masked objects, such as regions, are part of the value; they are short, so they count as whole words only. */
function withoutKeys(code: string, keys: readonly string[]): string {
  const isWithin = keys.some((key) => {
    const spelled = reasonCode(`${key.replaceAll(':', ' ')}:`);
    return spelled !== OTHER_REASON && `_${code}_`.includes(`_${spelled}_`);
  });
  return isWithin ? OTHER_REASON : code;
}

/** Both answers may quote a fact. */
function maskDisagreement({
  second,
  secondFailure,
}: NonNullable<RecordedEvaluation['disagreement']>): RecordedEvaluation['disagreement'] {
  const masked = 'an answer that may quote what is masked';
  return {
    first: masked,
    ...(second === undefined ? {} : { second: masked }),
    ...(secondFailure === undefined ? {} : { secondFailure: 'a failure that may quote what is masked' }),
  };
}

/** Faults of these types say what is wrong with the facts or the policy's answer, and so may quote them. */
const SENTENCES: Partial<Record<FailureType, string>> = {
  [FailureType.FactInvalid]: 'The fact is not as described; more is masked',
  [FailureType.FactStale]: 'The fact is too old; more is masked',
  [FailureType.FactMissing]: 'The fact is missing; more is masked',
  [FailureType.FactSourceUnavailable]: 'The source of the fact gave none; more is masked',
  [FailureType.PolicyEvaluation]: 'The policy gave no answer that counts; more is masked',
};

/** Said before anything was collected: about the release and where it comes from. */
const SAFE_TYPES: readonly FailureType[] = [FailureType.PolicyUnavailable];

/** A fault with its type, fact and numbers, and a fixed sentence where it may hold a value. */
function maskFault(fault: Fault): Fault {
  const { type, message, factId, ageMs, maxAgeMs, status } = fault;
  return {
    type,
    message: SAFE_TYPES.includes(type) ? message : (SENTENCES[type] ?? 'Masked'),
    ...(factId === undefined ? {} : { factId }),
    ...(ageMs === undefined ? {} : { ageMs }),
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    ...(status === undefined ? {} : { status }),
  };
}
