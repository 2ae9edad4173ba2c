import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { AuditReader } from '../audit/audit-reader';
import { parseAuditQuery, type AuditQueryOptions } from '../audit/query';
import { FailureType, GateError } from '../kernel/failures';
import { bearsToken } from './access';

export interface AuditRoutesOptions {
  reader: Pick<AuditReader, 'get' | 'list'>;
  /** any of these opens the routes; with none they stay shut */
  tokens: readonly string[];
  /** @default Date.now */
  nowMs?: () => number;
}

/**
 * The audit log over HTTP, for the commands that find its embedded store held by a worker:
 * `GET /audit/records?<options of parseAuditQuery>` answers `{records}`, `GET /audit/records/:decisionID` one record or 404.
 * Each needs `Authorization: Bearer <token>`, on loopback too: other users of the machine reach it there.
 *
 * Errors are `{error: {type, message, faults}}`: 400 for the query, 401 for the token, 503 for the store.
 */
export const auditRoutes: FastifyPluginAsync<AuditRoutesOptions> = async (
  server,
  { reader, tokens, nowMs = Date.now },
) => {
  server.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    if (bearsToken(request.headers.authorization, tokens)) return;
    await reply
      .code(401)
      .header('www-authenticate', 'Bearer')
      .send(toBody('Unauthorized', 'Expected the header Authorization: Bearer <token of this store>'));
  });

  server.setErrorHandler(async (error, _request, reply) => {
    if (!(error instanceof GateError)) throw error;
    const status = error.type === FailureType.ConfigInvalid ? 400 : 503;
    await reply.code(status).send(toBody(error.type, error.message, error.faults));
  });

  server.get<{ Querystring: AuditQueryOptions }>('/audit/records', async (request) => ({
    records: await reader.list(parseAuditQuery(request.query, nowMs())),
  }));

  server.get<{ Params: { decisionID: string } }>('/audit/records/:decisionID', async (request, reply) => {
    const { decisionID } = request.params;
    const record = await reader.get(decisionID);
    if (record !== undefined) return record;
    return reply.code(404).send(toBody('NotFound', `There is no audit record with the id ${decisionID}`));
  });
};

function toBody(type: string, message: string, faults?: readonly unknown[]) {
  return { error: { type, message, ...(faults && { faults }) } };
}
