import { Type, type Static } from '../../platform/documents/typebox';
import { isJsonObject, type JsonObject } from '../../kernel/json';
import { checkDocument } from '../../platform/documents/validate';
import { faultSentence } from '../../plans/kinds/check-object';
import { oneOf } from '../../plans/kinds/common-schemas';
import { planFailure } from '../../plans/service/plan-failure';
import type { DeleteRequest } from '../../plans/service/plan-service';
import { readJson, readWrite } from './request';

/** `DeleteOptions` of Kubernetes; keys that only its own servers know are passed over. */
const DeleteOptions = Type.Object({
  kind: Type.Optional(Type.Literal('DeleteOptions')),
  dryRun: Type.Optional(Type.Array(Type.Literal('All'))),
  propagationPolicy: Type.Optional(oneOf(['Orphan', 'Background', 'Foreground'])),
  orphanDependents: Type.Optional(Type.Boolean()),
  gracePeriodSeconds: Type.Optional(Type.Integer()),
  preconditions: Type.Optional(
    Type.Object({ uid: Type.Optional(Type.String()), resourceVersion: Type.Optional(Type.String()) }),
  ),
});

/**
 * The `DeleteOptions` that a DELETE may have in its body, with those of its query. What cannot be read is refused: it may be
 * what was to hold the deletion back.
 *
 * @throws PlanFailure BadRequest
 */
export function readDelete(query: URLSearchParams, text: string): Omit<DeleteRequest, 'caller'> {
  const sent = text.trim() === '' ? {} : readJson(text);
  if (!isJsonObject(sent)) throw planFailure('BadRequest', 'Bad request: expected DeleteOptions to be an object');
  const policy = query.get('propagationPolicy') ?? '';
  const options = { ...(policy === '' ? {} : { propagationPolicy: policy }), ...withoutNulls(sent) };
  const { document, faults } = checkDocument(DeleteOptions, options);
  if (faults.length > 0) throw planFailure('BadRequest', `Bad request: ${faults.map(faultSentence).join('; ')}`);
  const { dryRun = [], propagationPolicy, orphanDependents, preconditions } = document as Static<typeof DeleteOptions>;
  const write = readWrite(query);
  return {
    ...write,
    dryRun: write.dryRun === true || dryRun.length > 0,
    orphan: propagationPolicy === 'Orphan' || orphanDependents === true,
    ...(preconditions === undefined ? {} : { preconditions }),
  };
}

/** Clients write null for what they do not set. */
function withoutNulls(object: JsonObject): JsonObject {
  const set = Object.entries(object).filter(([, value]) => value !== null);
  return Object.fromEntries(set.map(([key, value]) => [key, isJsonObject(value) ? withoutNulls(value) : value]));
}
