import { connect } from 'node:net';

/** Nobody answered at the address of Temporal, or not as Temporal does. */
export class TemporalUnreachable extends Error {
  override readonly name = 'TemporalUnreachable';
  constructor(
    readonly address: string,
    /** why, as the end of a sentence */
    readonly reason: string,
    options?: { cause?: unknown },
  ) {
    super(`Temporal at ${address} cannot be reached: ${reason}`, options);
  }
}

/** What tells of a connection that was never made; whatever else goes wrong is told as it is. */
const UNANSWERED =
  /Failed to connect before the deadline|tonic::transport|transport error|Failed to call GetSystemInfo/i;
/** Through a proxy it is not this machine that connects to the address. */
const PROXIES = ['grpc_proxy', 'https_proxy', 'http_proxy', 'HTTPS_PROXY', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'];
const REFUSALS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'its name could not be looked up',
  EHOSTUNREACH: 'no route leads to the host',
  ENETUNREACH: 'no route leads to its network',
};

/** How long a host is waited for that neither takes nor refuses a connection, before the client itself is asked. */
const PROBE_MS = 1_000;

/**
 * Opens a connection, unless the address refuses one: clients try again until their time is over, and then tell neither the
 * address nor the reason.
 *
 * @param address `host:port`; of any other form, or where a proxy is configured, the client alone is asked
 * @param open with a time-out of its own
 * @throws TemporalUnreachable, or whatever `open` throws of a server that did answer
 */
export async function reachTemporal<T>(
  address: string,
  env: Readonly<Record<string, string | undefined>>,
  open: () => Promise<T>,
): Promise<T> {
  const startedMs = performance.now();
  const reason = PROXIES.some((name) => (env[name] ?? '') !== '') ? undefined : await findRefusal(address);
  if (reason !== undefined) throw new TemporalUnreachable(address, reason);
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof Error) || !UNANSWERED.test(textOf(error))) throw error;
    const waited = Math.max(1, Math.round((performance.now() - startedMs) / 1000));
    throw new TemporalUnreachable(address, `there was no answer within ${waited} s`, { cause: error });
  }
}

/** Why no connection can be made to `host:port`; undefined where one can, or where that is not known. */
function findRefusal(address: string): Promise<string | undefined> {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:/]+)):(\d{1,5})$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: PROBE_MS });
    const end = (reason?: string): void => {
      socket.destroy();
      resolve(reason);
    };
    socket.once('connect', () => end()).once('timeout', () => end());
    socket.on('error', (error) => end(REFUSALS[codeOf(error) ?? '']));
  });
}

/** Of a name with several addresses each has failed: the first one tells. */
function codeOf(error: NodeJS.ErrnoException & { errors?: readonly NodeJS.ErrnoException[] }): string | undefined {
  return error.code ?? error.errors?.[0]?.code;
}

function textOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message} ${textOf(error.cause)}` : error.message;
}
