import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { AuditReader } from '../audit/audit-reader';
import { parseAuditQuery, type AuditQueryOptions } from '../audit/query';
import { readCommandRecord } from '../audit/command-record';
import type { AuditRecord } from '../audit/audit-record';
import { FailureType, GateError } from '../kernel/failures';
import type { JsonValue } from '../kernel/json';
import { bearsToken } from './access';
import { readJsonBodies } from './json-bodies';

export interface AuditRoutesOptions {
  reader: Pick<AuditReader, 'get' | 'list'>;
  /** any of these opens the routes; with none they stay shut */
  tokens: readonly string[];
  /** takes the records that commands make of what they do @default there is no such route */
  writer?: {
    /** @throws GateError AuditWriteFailed */
    record(record: AuditRecord): Promise<unknown>;
    /** of the owner of the store alone; empty ones open nothing */
    tokens: readonly string[];
  };
  /** @default Date.now */
  nowMs?: () => number;
}

/**
 * The audit log over HTTP, for the commands that find its embedded store held by a worker:
 * `GET /audit/records?<options of parseAuditQuery>` answers `{records}`, `GET /audit/records/:decisionID` one record or 404.
 * `POST /audit/records` takes one record of a command: of images, and of what a person did. Each needs `Authorization: Bearer <token>`, on loopback too: other users of the machine reach it there.
 *
 * Errors are `{error: {type, message, faults}}`: 400 for the query or the record, 401 for the token, 503 for the store.
 */
export const auditRoutes: FastifyPluginAsync<AuditRoutesOptions> = async (
  server,
  { reader, tokens, writer, nowMs = Date.now },
) => {
  readJsonBodies(server);
  server.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    const opening = request.method === 'POST' ? (writer?.tokens ?? []) : tokens;
    if (bearsToken(request.headers.authorization, opening)) return;
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

  server.post<{ Body: JsonValue }>('/audit/records', async (request) => {
    await writer?.record(readCommandRecord(request.body));
    return {};
  });

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
