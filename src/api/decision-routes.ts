import { snakeCase } from '../kernel/snake-case';
import { Type, type Static } from '../platform/documents/typebox';
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import { messageToClient, toErrorBody, type RequestError } from './bounded-server';
import type { GateRecord } from '../audit/audit-record';
import { FailureType, faultsToError, GateError, type Fault } from '../kernel/failures';
import type { JsonObject, JsonValue } from '../kernel/json';
import { NAME_PATTERN } from '../kernel/names';
import { strict } from '../platform/documents/schema-types';
import { faultAt, validate } from '../platform/documents/validate';

const Attributes = Type.Record(Type.String(), Type.Unknown(), { default: {} });

/** The body of `POST /v1/decisions`; docs/openapi.yaml says the same, and a test compares the two by asking. */
const DecisionRequest = Type.Object(
  {
    deployment_id: Type.String({ pattern: NAME_PATTERN }),
    stage: Type.String({ pattern: NAME_PATTERN }),
    attributes: Attributes,
    stage_attributes: Attributes,
  },
  strict,
);

/** What is asked, and the id that the record of the answer gets where the caller chose one. */
export interface DecisionQuestion {
  deploymentId: string;
  stage: string;
  attributes: JsonObject;
  stageAttributes: JsonObject;
  decisionId?: string;
}

export interface DecisionRoutesOptions {
  /** the one token that opens them; not empty */
  token: string;
  /** the recorded decision; @throws GateError ConfigInvalid for the question, any other type when it cannot be answered now */
  decide(question: DecisionQuestion): Promise<GateRecord>;
}

/** Of the question, attributes included: as much as those of a deployment file may have, and its names. */
const MAX_BODY_BYTES = 68 * 1024;

/** Versions 4 and 7: the gate's own ids that follow from something are of version 8, and no caller may take one of those. */
const CHOSEN_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/**
 * `POST /v1/decisions`: the decision about a stage now, recorded before it is answered, for programs that do not run in
 * Temporal. 200 for allow, deny and error alike, the outcome says which; 400 for the question, 401 for the token, 503 when
 * there is no release or no store. Nothing acts on the answer here, so nothing checks that it still holds: whoever acts looks
 * at `lease_expires_at`.
 *
 * A UUID as `Idempotency-Key` becomes the record's id; asked again under it, the answer is that record.
 */
export const decisionRoutes: FastifyPluginAsync<DecisionRoutesOptions> = async (server, { token, decide }) => {
  server.setErrorHandler(async (error: Error & RequestError, request, reply) => {
    if (error instanceof GateError) {
      const { type, message, faults } = error;
      const status = type === FailureType.ConfigInvalid ? 400 : 503;
      return reply.code(status).send({ error: { type, message, faults: faults.map(toSnakeCase) } });
    }
    // A body that is too large, no JSON, or of another content type.
    if (error.statusCode === undefined || error.statusCode >= 500) throw error;
    const message = messageToClient(error, request);
    const fault: Fault = { type: FailureType.ConfigInvalid, message, where: 'the body' };
    return reply.code(400).send({ error: { type: fault.type, message, faults: [fault] } });
  });

  server.post('/v1/decisions', { bodyLimit: MAX_BODY_BYTES, config: { tokens: [token] } }, async (request) =>
    toDecisionAnswer(await decide(toQuestion(request))),
  );
  server.route({
    method: ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'],
    url: '/v1/decisions',
    config: { tokens: [token] },
    handler: async ({ method }, reply) =>
      reply
        .code(405)
        .header('allow', 'POST')
        .send(toErrorBody('Usage', `expected POST, got ${method}`)),
  });
};

function toQuestion(request: FastifyRequest): DecisionQuestion {
  const faults: Fault[] = [];
  const body = gathering(faults, () => toBody(request.body));
  const decisionId = gathering(faults, () => toDecisionId(request.headers['idempotency-key']));
  if (body === undefined || faults.length > 0) throw faultsToError(faults);
  const { deployment_id: deploymentId, stage } = body;
  return {
    deploymentId,
    stage,
    attributes: body.attributes as JsonObject,
    stageAttributes: body.stage_attributes as JsonObject,
    ...(decisionId === undefined ? {} : { decisionId }),
  };
}

/** All faults of a question are told at once, those of its header too. */
function gathering<T>(faults: Fault[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    faults.push(...error.faults);
    return undefined;
  }
}

function toBody(body: unknown): Static<typeof DecisionRequest> {
  return validate(DecisionRequest, (body ?? null) as JsonValue, { file: 'the body' });
}

function toDecisionId(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && CHOSEN_ID.test(header)) return header.toLowerCase();
  const sentence = 'expected it to be one UUID of version 4 or 7, such as uuidgen gives';
  throw faultsToError([faultAt({ file: 'the header Idempotency-Key' }, '', sentence)]);
}

/** What a record of a decision says, in the names of the API. What is masked in it stays so. */
export function toDecisionAnswer(record: GateRecord) {
  const { policySHA, configRev, manifestVersion, leaseExpiresAt, masked } = record;
  return {
    decision_id: record.decisionID,
    deployment_id: record.deploymentID,
    stage: record.stage,
    outcome: record.outcome,
    deny_reasons: record.reasons,
    faults: record.errorDetails.map(toSnakeCase),
    decided_at: record.timestamp,
    ...(leaseExpiresAt === undefined ? {} : { lease_expires_at: leaseExpiresAt }),
    ...(policySHA === undefined
      ? {}
      : { release: { policy_sha: policySHA, config_rev: configRev, manifest_version: manifestVersion } }),
    ...(masked === undefined ? {} : { masked }),
  };
}

function toSnakeCase({ type, message, factId, where, ageMs, maxAgeMs, status }: Fault): object {
  const given = Object.entries({ type, message, factId, where, ageMs, maxAgeMs, status });
  return Object.fromEntries(
    given.filter(([, value]) => value !== undefined).map(([key, value]) => [snakeCase(key), value]),
  );
}
