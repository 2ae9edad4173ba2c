import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Registry } from 'prom-client';
import { allReadOrFaults } from '../../kernel/all-or-faults';
import { FailureType, faultsToError, type Fault } from '../../kernel/failures';
import type { ProgramLogger } from '../../platform/observability/program-logger';
import type { RuleService } from '../../rules/service/rule-service';
import type { LoadedSettings } from '../../settings/load-settings';
import { isLoopback } from '../access';
import { createCallers } from '../rpc/callers';
import type { HttpSurface } from '../rpc/http-surface';
import type { TlsKeys } from '../rpc/one-port';
import type { Refusal } from '../rpc/refusals';
import { startRpcServer, type RpcServer } from '../rpc/rpc-server';
import { createSignedTokens } from '../rpc/signed-tokens';
import { servePolicies, type StartExecution } from './policy-service';

export interface PolicyServerParts {
  rules: RuleService;
  /** absent: executions are refused by name */
  startExecution?: StartExecution;
  /** what answers plain HTTP on the same port */
  surfaces?: readonly HttpSurface[];
  /** of an embedded store: what this user's commands on this machine show */
  ownerToken?: string;
  registry: Registry;
  logger: ProgramLogger;
  /** told of every call that the quota of requests refused */
  onOverQuota?(): void;
  /** whether the store answers */
  isServing(): Promise<boolean>;
}

/**
 * Serves `PolicyService` as the settings say. Closing it leaves the use cases open.
 *
 * @throws GateError ConfigInvalid: beyond loopback without tokens or without TLS, a file that cannot be read, a port that is taken
 */
export async function startPolicyServer(
  { settings, baseDir }: LoadedSettings,
  parts: PolicyServerParts,
): Promise<RpcServer> {
  const { server, access } = settings;
  const loopback = isLoopback(server.host);
  requireServerAccess(settings);
  const { rules, logger } = parts;
  const records = new Set<Promise<void>>();
  const started = await startRpcServer({
    host: server.host,
    port: server.port,
    ...(server.tls === undefined ? {} : { tls: await readTls(server.tls, baseDir) }),
    openProbes: server.openProbes,
    callers: createCallers({
      tokens: access.tokens,
      loopback,
      ...(parts.ownerToken === undefined ? {} : { ownerToken: parts.ownerToken }),
      ...(access.jwt === undefined ? {} : { verifySigned: createSignedTokens(access.jwt) }),
    }),
    services: [servePolicies(rules, parts.startExecution)],
    ...(parts.surfaces === undefined ? {} : { surfaces: parts.surfaces }),
    requestsPerSecond: server.quotas.requestsPerSecond,
    maxRequestBytes: server.maxRequestBytes,
    registry: parts.registry,
    isServing: parts.isServing,
    onRefused: (refusal) => {
      const record = rules
        .refused({ actor: refusal.actor }, toRefusedCall(refusal))
        .catch((error: unknown) => logger.warn({ error, call: refusal.method }, 'A refused call could not be recorded'))
        .finally(() => records.delete(record));
      records.add(record);
    },
    ...(parts.onOverQuota === undefined ? {} : { onOverQuota: parts.onOverQuota }),
    onUnexpected: (error) => logger.error({ error }, 'a call failed unexpectedly'),
  });
  return {
    ...started,
    close: async (graceMs) => {
      await started.close(graceMs);
      await Promise.all(records);
    },
  };
}

function toRefusedCall({ method, policy, reason, message, unsaid }: Refusal) {
  const more = unsaid === 0 ? '' : ` (and ${unsaid} more like it since the record before)`;
  const type = reason === 'quota' ? FailureType.QuotaExceeded : FailureType.AccessDenied;
  return { call: method, ...(policy === undefined ? {} : { policy }), fault: { type, message: message + more } };
}

/**
 * What does not need a store to be said.
 *
 * @throws GateError ConfigInvalid: beyond loopback without tokens or without TLS
 */
export function requireServerAccess({ server, access }: LoadedSettings['settings']): void {
  if (isLoopback(server.host)) return;
  const because = `because server.host ${server.host} is not a loopback address`;
  const faults: Fault[] = [];
  const say = (where: string, message: string) => faults.push({ type: FailureType.ConfigInvalid, where, message });
  if (access.tokens.length === 0 && access.jwt === undefined) {
    say('access.tokens', `Expected access.tokens or access.jwt, ${because}`);
  }
  if (server.tls === undefined)
    say('server.tls', `Expected server.tls, ${because} and tokens must not be read on the way`);
  if (faults.length > 0) throw faultsToError(faults);
}

async function readTls(
  { certFile, keyFile, caFile }: NonNullable<LoadedSettings['settings']['server']['tls']>,
  baseDir: string,
): Promise<TlsKeys> {
  const read = async (setting: string, file: string): Promise<string> => {
    try {
      return await readFile(resolve(baseDir, file), 'utf8');
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
      const message = `Expected server.tls.${setting} to be a file that can be read, got ${file} (${why})`;
      throw faultsToError([{ type: FailureType.ConfigInvalid, where: `server.tls.${setting}`, message }]);
    }
  };
  const [cert, key, ca] = await allReadOrFaults(
    read('certFile', certFile),
    read('keyFile', keyFile),
    caFile === undefined ? Promise.resolve(undefined) : read('caFile', caFile),
  );
  return { cert, key, ...(ca === undefined ? {} : { ca }) };
}
