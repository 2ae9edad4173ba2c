import { Code, ConnectError, createClient, type Client } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { CommonFailure, FailureType, GateError, type Fault } from '../../kernel/failures';
import { toReason } from '../../api/rules/errors';
import { BadRequestSchema, ErrorInfoSchema } from '../../proto/google/rpc/error_details_pb';
import { PolicyService } from '../../proto/planning_engine/rules/v1/policy_service_pb';
import type { LoadedSettings } from '../../settings/load-settings';
import { serverAddress } from '../server-address';

export type PolicyClient = Client<typeof PolicyService>;

/** Of one call. */
const TIMEOUT_MS = 30_000;

/**
 * A client of the server that the settings name. It shows the token of `GATE_SERVER_TOKEN`; without one, the token of the embedded
 * store, where a process of this machine holds it.
 *
 * @param server its URL, in place of the one that follows from the settings
 */
export async function openPolicyClient(
  loaded: LoadedSettings,
  env: NodeJS.ProcessEnv,
  server?: string,
): Promise<PolicyClient> {
  const { baseUrl, token } = await serverAddress(loaded, env, server);
  const client = createClient(
    PolicyService,
    createConnectTransport({
      baseUrl,
      httpVersion: '1.1',
      defaultTimeoutMs: TIMEOUT_MS,
      interceptors: [
        (next) => (request) => {
          if (token !== undefined) request.header.set('authorization', `Bearer ${token}`);
          return next(request);
        },
      ],
    }),
  );
  // Every method is a call with one answer. Thrown inside of an interceptor, an error of ours would be wrapped.
  const calls = Object.entries(client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>);
  return Object.fromEntries(
    calls.map(([method, call]) => [
      method,
      (...args: unknown[]) =>
        call(...args).catch((error: unknown) => {
          throw toGateError(ConnectError.from(error), baseUrl);
        }),
    ]),
  ) as unknown as PolicyClient;
}

/** What is not the server's own word, or no more than that it failed. The first that fits counts. */
const ODD: readonly Code[] = [Code.Internal, Code.Unknown, Code.Unimplemented, Code.Aborted, Code.DataLoss];
const HINTS: readonly { codes: readonly Code[]; says?: string; message(text: string): string }[] = [
  {
    codes: [Code.Unavailable, Code.DeadlineExceeded],
    message: (text) => `does not answer (${text}); gate server starts one`,
  },
  {
    codes: ODD,
    says: 'certificate',
    message: (text) => `is not trusted (${text}); NODE_EXTRA_CA_CERTS names the file of its authority`,
  },
  { codes: ODD, message: (text) => `does not answer as one (${text})` },
];

/** The failure that the server met, as it would be thrown here. */
function toGateError(error: ConnectError, baseUrl: string): unknown {
  const reason = error.findDetails(ErrorInfoSchema)[0]?.reason;
  const type = Object.values(FailureType).find((known) => toReason(known) === reason);
  const text = error.rawMessage;
  if (type === undefined) {
    if (error.code === Code.PermissionDenied || error.code === Code.Unauthenticated) {
      return new GateError(FailureType.AccessDenied, text);
    }
    const hint = HINTS.find(({ codes, says = '' }) => codes.includes(error.code) && text.includes(says));
    if (hint === undefined) return error;
    const message = `The server of rule policies at ${baseUrl} ${hint.message(text)}`;
    return new GateError(FailureType.StoreUnavailable, message, undefined, { cause: error });
  }
  const violations = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  const faults: Fault[] = violations.map(({ field, description }) => ({
    type: CommonFailure.ConfigInvalid,
    message: description,
    ...(field === '' ? {} : { where: field }),
  }));
  return faults.length === 0 ? new GateError(type, text) : new GateError(type, text, faults);
}
