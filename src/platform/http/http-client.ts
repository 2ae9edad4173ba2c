import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  Agent,
  EnvHttpProxyAgent,
  fetch,
  Pool,
  type buildConnector,
  type Dispatcher,
  type RequestInit,
  type Response,
} from 'undici';
import { allReadOrFaults } from '../../kernel/all-or-faults';
import { FailureType, GateError } from '../../kernel/failures';
import { tellingProxy } from './proxy-failure';
import { createRecyclingConnector } from './recycled-reads';

/** Files for a server whose certificate a private authority signed, or that wants a certificate of its client (PEM). */
export interface TlsFiles {
  caFile?: string;
  certFile?: string;
  keyFile?: string;
}

/** `fetch` with the proxies and certificates that were configured. Throws as `fetch` does, and GateError for a TLS file. */
export type HttpFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

export interface HttpClientOptions {
  /** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are taken from it, in capitals or small letters */
  env: Readonly<Record<string, string | undefined>>;
  tls?: TlsFiles;
  /** what relative TLS files are relative to */
  folder: string;
  /** the type of the error for a TLS file that cannot be read @default ConfigInvalid */
  failure?: FailureType;
}

/** What a body is read into is used again once it was written to another connection: see `createRecyclingConnector`. */
export interface TransferOptions {
  /** @default false */
  recycles?: boolean;
}

/**
 * The one way to speak HTTP to sources, receivers and servers of others. TLS files are read again for each request, as
 * secrets are, so that a renewed certificate is taken up; connections are kept while they stay the same.
 */
export function createHttpFetch(options: HttpClientOptions): HttpFetch {
  const { env, tls } = options;
  if (tls === undefined) {
    const proxies = proxiesOf(env);
    const dispatcher = proxies === undefined ? PLAIN : createDispatcher(proxies, {});
    return (url, init) => fetch(url, { ...init, dispatcher });
  }
  const connections = createConnections({ ...options, tls });
  return async (url, init) => fetch(url, { ...init, dispatcher: await connections.current() });
}

/** Connections by proxies and TLS files, for clients that speak HTTP by themselves. */
export interface Connections {
  /**
   * With the TLS files as they are now.
   *
   * @throws GateError for a TLS file that cannot be read
   */
  current(): Promise<Dispatcher>;
  /** ends requests under way */
  destroy(): Promise<void>;
}

export function createConnections(options: HttpClientOptions & TransferOptions & { tls: TlsFiles }): Connections {
  const proxies = proxiesOf(options.env);
  let kept: { contents: string; dispatcher: Dispatcher } | undefined;
  return {
    async current() {
      const files = await readTlsFiles(options.tls, options);
      const contents = JSON.stringify(files);
      if (kept?.contents !== contents) {
        const before = kept?.dispatcher;
        kept = { contents, dispatcher: createDispatcher(proxies, files, options) };
        // requests under way end before it closes
        void before?.close();
      }
      return kept.dispatcher;
    },
    destroy: async () => kept?.dispatcher.destroy(),
  };
}

/** Connections by the proxies of the environment, for clients that speak HTTP by themselves. The caller closes it. */
export function createProxyDispatcher(env: HttpClientOptions['env'], options: TransferOptions = {}): Dispatcher {
  return createDispatcher(proxiesOf(env), {}, options);
}

const PLAIN = new Agent();

interface Proxies {
  httpProxy: string;
  httpsProxy: string;
  noProxy: string;
}

/**
 * undefined where the environment names none. An empty variable counts as none.
 *
 * @throws Error for one that is no address; it does not repeat the value, which may hold a password
 */
function proxiesOf(env: HttpClientOptions['env']): Proxies | undefined {
  const named = (name: string): string => env[name.toLowerCase()] || env[name] || '';
  const address = (name: string): string => {
    const value = named(name);
    if (value === '' || PROXY_PROTOCOLS.includes(URL.canParse(value) ? new URL(value).protocol : '')) return value;
    const variable = env[name.toLowerCase()] ? name.toLowerCase() : name;
    if (/^socks/i.test(value))
      throw new Error(`expected ${variable} to be an HTTP proxy such as http://proxy.example:3128, got a SOCKS proxy`);
    throw new Error(`expected ${variable} to be an address such as http://proxy.example:3128`);
  };
  const proxies = { httpProxy: address('HTTP_PROXY'), httpsProxy: address('HTTPS_PROXY'), noProxy: named('NO_PROXY') };
  return proxies.httpProxy === '' && proxies.httpsProxy === '' ? undefined : proxies;
}

/** undici's SOCKS is experimental, and says so on standard error. */
const PROXY_PROTOCOLS = ['http:', 'https:'];

type TlsContents = { ca?: string; cert?: string; key?: string };

function createDispatcher(
  proxies: Proxies | undefined,
  tls: TlsContents,
  { recycles = false }: TransferOptions = {},
): Dispatcher {
  const connect = recycles ? createRecyclingConnector(tls) : tls;
  // `connect` is for servers reached without the proxy, `requestTls` for those reached through it
  if (proxies === undefined) return new Agent({ connect });
  return new EnvHttpProxyAgent({
    // all three are given: undici looks into the process's own environment for one that is undefined
    ...proxies,
    connect,
    ...(Object.values(tls).some((file) => file !== undefined) ? { requestTls: tls } : {}),
    // a plain request is handed to the proxy as it is: few proxies open a tunnel to port 80
    proxyTunnel: false,
    clientFactory: toProxy,
    // It makes the connections to servers, too, and those of plain requests to the proxy.
    factory: (origin, options) => (isOneOf(proxies, origin) ? toProxy(origin, options) : new Pool(origin, options)),
  });
}

/** @param options of undici, with the `connect` to be used */
function toProxy(proxy: string | URL, options: object): Dispatcher {
  const { connect } = options as { connect?: unknown };
  if (typeof connect !== 'function') return new Pool(proxy, options);
  return new Pool(proxy, { ...options, connect: tellingProxy(connect as buildConnector.connector, new URL(proxy)) });
}

function isOneOf({ httpProxy, httpsProxy }: Proxies, origin: string | URL): boolean {
  const { href } = new URL(origin);
  return [httpProxy, httpsProxy].some((proxy) => proxy !== '' && new URL(proxy).href === href);
}

async function readTlsFiles(tls: TlsFiles, { folder, failure }: HttpClientOptions): Promise<TlsContents> {
  const read = async (name: keyof TlsFiles): Promise<string | undefined> => {
    const file = tls[name];
    if (file === undefined) return undefined;
    try {
      return await readFile(resolve(folder, file), 'utf8');
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
      const type = failure ?? FailureType.ConfigInvalid;
      throw new GateError(type, `Expected a PEM file at ${file} (tls.${name}), but it could not be read (${code})`);
    }
  };
  const [ca, cert, key] = await allReadOrFaults(read('caFile'), read('certFile'), read('keyFile'));
  return { ca, cert, key };
}
