import { FailureType, GateError } from '../kernel/failures';
import { EXPECTED_OF_HTTP_URL, isInTheClear, readHttpUrl } from '../kernel/http-url';
import { findHolder } from '../platform/database/lock';
import { readToken } from '../platform/database/owner-files';
import { storeFolder } from '../platform/database/store-folder';
import type { LoadedSettings } from '../settings/load-settings';

/** Where `gate server` answers, and what a client shows it. */
export interface ServerAddress {
  /** without a slash at its end */
  baseUrl: string;
  token?: string;
  /** the token as it is now: that of an embedded store is a new one with each start of the server. Absent: it stays the same */
  currentToken?(): Promise<string | undefined>;
}

/**
 * The server that the settings name. Its token is that of `GATE_SERVER_TOKEN`; without one, the token of the embedded store,
 * where a process of this machine holds it.
 *
 * @param server its URL, in place of the one that follows from the settings
 * @throws GateError ConfigInvalid for a server that is no URL, for a token that no header can carry, and for one that would leave
 * this machine without TLS
 */
export async function serverAddress(
  { settings, baseDir }: LoadedSettings,
  env: NodeJS.ProcessEnv,
  server = env.GATE_SERVER,
): Promise<ServerAddress> {
  const { host, port, tls } = settings.server;
  const bare = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  const name = bare.includes(':') ? `[${bare}]` : bare;
  const given = server === undefined ? undefined : readHttpUrl(server);
  if (typeof given === 'string') throw invalid(`Expected the server ${EXPECTED_OF_HTTP_URL[given]}`);
  const url = server ?? `${tls === undefined ? 'http' : 'https'}://${name}:${port}`;
  const ofStore = (): Promise<string | undefined> => ownerToken(settings, baseDir, env);
  const asksStore = env.GATE_SERVER_TOKEN === undefined && server === undefined;
  const token = asksStore ? await ofStore() : env.GATE_SERVER_TOKEN;
  if (token !== undefined && !SENDABLE.test(token)) {
    const found = token === '' ? 'an empty text' : 'others (a line break at its end?)';
    throw invalid(`Expected GATE_SERVER_TOKEN to be a token of visible ASCII characters without spaces, got ${found}`);
  }
  if (token !== undefined && isInTheClear(url)) {
    throw invalid(
      `Expected the server to be an https:// URL, since a token would be sent to it over plain http, got ${url}`,
    );
  }
  return {
    baseUrl: url.replace(/\/+$/, ''),
    ...(token === undefined ? {} : { token }),
    ...(asksStore && token !== undefined ? { currentToken: ofStore } : {}),
  };
}

/** What a header `Authorization` can carry. */
const SENDABLE = /^[\x21-\x7e]+$/;

function invalid(message: string): GateError {
  return new GateError(FailureType.ConfigInvalid, message);
}

async function ownerToken(
  { audit }: LoadedSettings['settings'],
  baseDir: string,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const { type, url, folder } = audit.store;
  if (type !== 'postgres' || url !== undefined) return undefined;
  const place = storeFolder(folder, baseDir, env);
  const holder = await findHolder(place).catch(() => undefined);
  return holder === undefined ? undefined : readToken(place);
}
