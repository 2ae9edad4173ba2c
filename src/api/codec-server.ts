import type { AddressInfo } from 'node:net';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { FailureType, GateError } from '../kernel/failures';
import { isJsonObject } from '../kernel/json';
import { bearsToken, isLoopback, isLoopbackHostHeader } from './access';
import { createBoundedServer } from './bounded-server';
import { readJsonBodies } from './json-bodies';

export interface CodecServerOptions {
  host: string;
  /** 0 takes a free port */
  port: number;
  codec: PayloadCodec;
  /** absent only on loopback: whoever may use this machine may read then */
  token?: string;
  /** the Temporal UI's address, e.g. `https://temporal.example.org`: the one origin whose pages may ask */
  uiOrigin?: string;
}

/** A page of history in the UI; Temporal's own limit of one payload is 2 MiB, which base64 and several make more. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * Temporal's remote codec: POST /encode and /decode with `{payloads: [{metadata, data}, …]}`, bytes in base64.
 *
 * @throws GateError ConfigInvalid when it may not listen there, or the origin is invalid
 */
export async function startCodecServer(options: CodecServerOptions): Promise<{ url: string; close(): Promise<void> }> {
  const { host, port, codec, token, uiOrigin } = options;
  const loopback = isLoopback(host);
  if (token === undefined && !loopback) throw invalid(`Expected a token, because ${host} is not a loopback address`);
  if (uiOrigin !== undefined && !isOrigin(uiOrigin)) {
    throw invalid(`Expected --ui-origin to be an origin such as https://temporal.example.org, found ${uiOrigin}`);
  }
  const server = createBoundedServer({
    bodyBytes: BODY_LIMIT_BYTES,
    toBody: (_type, message) => ({ message }),
  });
  readJsonBodies(server);
  server.addHook('onRequest', async (request, reply) => {
    if (loopback && !isLoopbackHostHeader(request.headers.host)) {
      return reply.code(403).send({ message: 'Expected the Host header to name a loopback address' });
    }
    const { origin, authorization } = request.headers;
    if (origin !== undefined) {
      if (origin !== uiOrigin)
        return reply.code(403).send({ message: 'Expected a page of the origin that --ui-origin names' });
      void reply.headers({
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'POST, OPTIONS',
        'access-control-allow-headers': 'authorization, content-type, x-namespace',
        vary: 'Origin',
      });
    }
    // A preflight never carries the token.
    if (request.method === 'OPTIONS') return reply.code(204).send();
    if (token === undefined || bearsToken(authorization, [token])) return;
    return reply
      .code(401)
      .header('www-authenticate', 'Bearer')
      .send({ message: 'Expected the header Authorization: Bearer <token>' });
  });
  for (const step of ['encode', 'decode'] as const) {
    server.post(`/${step}`, async (request, reply) => {
      const payloads = toPayloads(request.body);
      if (payloads === undefined) {
        return reply.code(400).send({ message: 'Expected {"payloads": [{"metadata": {…}, "data": …}, …]} in base64' });
      }
      try {
        return { payloads: (await codec[step](payloads)).map(toJson) };
      } catch (error) {
        if (!(error instanceof GateError)) throw error;
        return reply.code(400).send({ message: error.message });
      }
    });
  }
  // Answered by the hook above; a route must be there for it to run.
  server.options('/*', async (_request, reply) => reply.code(204).send());
  try {
    await server.listen({ host, port });
  } catch (error) {
    await server.close();
    throw invalid(
      `Cannot listen on ${host}, port ${port}: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}`,
    );
  }
  const address = server.server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { url: `http://${name}:${address.port}`, close: () => server.close() };
}

function toPayloads(body: unknown): Payload[] | undefined {
  if (!isJsonObject(body) || !Array.isArray(body.payloads)) return undefined;
  const payloads = body.payloads.map(toPayload);
  return payloads.some((payload) => payload === undefined) ? undefined : (payloads as Payload[]);
}

function toPayload(given: unknown): Payload | undefined {
  if (!isJsonObject(given)) return undefined;
  const { metadata = {}, data = '' } = given;
  if (!isJsonObject(metadata) || !isBase64(data)) return undefined;
  const entries = Object.entries(metadata);
  if (!entries.every(([, value]) => isBase64(value))) return undefined;
  return {
    metadata: Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value as string, 'base64')])),
    data: Buffer.from(data, 'base64'),
  };
}

const isBase64 = (value: unknown): value is string =>
  typeof value === 'string' && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value);

function toJson({ metadata, data }: Payload) {
  const base64 = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('base64');
  return {
    metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([key, value]) => [key, base64(value)])),
    data: base64(data),
  };
}

function isOrigin(text: string): boolean {
  try {
    return new URL(text).origin === text;
  } catch {
    return false;
  }
}

const invalid = (message: string): GateError => new GateError(FailureType.ConfigInvalid, message);
