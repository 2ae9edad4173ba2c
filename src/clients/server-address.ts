import { findHolder } from '../platform/database/lock';
import { readToken } from '../platform/database/owner-files';
import { storeFolder } from '../platform/database/store-folder';
import type { LoadedSettings } from '../settings/load-settings';

/** Where `gate server` answers, and what a client shows it. */
export interface ServerAddress {
  /** without a slash at its end */
  baseUrl: string;
  token?: string;
}

/**
 * The server that the settings name. Its token is that of `GATE_SERVER_TOKEN`; without one, the token of the embedded store,
 * where a process of this machine holds it.
 *
 * @param server its URL, in place of the one that follows from the settings
 */
export async function serverAddress(
  { settings, baseDir }: LoadedSettings,
  env: NodeJS.ProcessEnv,
  server = env.GATE_SERVER,
): Promise<ServerAddress> {
  const { host, port, tls } = settings.server;
  const bare = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  const name = bare.includes(':') ? `[${bare}]` : bare;
  const url = server ?? `${tls === undefined ? 'http' : 'https'}://${name}:${port}`;
  const token = env.GATE_SERVER_TOKEN ?? (server === undefined ? await ownerToken(settings, baseDir, env) : undefined);
  return { baseUrl: url.replace(/\/+$/, ''), ...(token === undefined ? {} : { token }) };
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
