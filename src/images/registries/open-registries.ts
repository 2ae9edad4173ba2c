import { createConnections, createProxyDispatcher, type Connections } from '../../platform/http/http-client';
import { createEcrRepositories } from './ecr-repositories';
import { createDockerCredentials } from './docker-credentials';
import { HttpRegistry } from './http-registry';
import type { Registry } from './registry';
import type { RegistryHttpOptions } from './registry-http';

/** How one registry is spoken to. */
export interface RegistryAccess extends Pick<
  RegistryHttpOptions,
  'plainHttp' | 'concurrency' | 'requestsPerSecond' | 'bytesPerSecond'
> {
  /** certificates in PEM that it is trusted by, an absolute path @default those of Node.js */
  caFile?: string;
  /** creates repositories that it lacks and a copy goes to @default never */
  createRepositories?: { provider: 'ecr'; region?: string };
}

export interface OpenRegistriesOptions {
  /** Docker's configuration and the proxies are taken from it */
  env: Readonly<Record<string, string | undefined>>;
  /** by host; all others with TLS and the defaults */
  access?: ReadonlyMap<string, RegistryAccess>;
  /** called when a registry that failed too often is left alone, and when it is asked again */
  onCircuit?(host: string, isOpen: boolean): void;
}

/** The registries of one process: one client for each host, so that its limits, tokens and circuit breaker are shared. */
export interface Registries {
  open(host: string): Registry;
  close(): Promise<void>;
}

/** Registries over HTTP, with the credentials of `docker login` and the proxies of the environment. Opening does no I/O. */
export function openRegistries({ env, access, onCircuit }: OpenRegistriesOptions): Registries {
  const shared = createProxyDispatcher(env, { recycles: true });
  const own: Connections[] = [];
  const findCredentials = createDockerCredentials({ env });
  const opened = new Map<string, Registry>();
  const dispatcherOf = (caFile: string | undefined): RegistryHttpOptions['dispatcher'] => {
    if (caFile === undefined) return shared;
    const connections = createConnections({ env, tls: { caFile }, folder: '/', recycles: true });
    own.push(connections);
    return () => connections.current();
  };
  return {
    open(host) {
      const known = opened.get(host);
      if (known !== undefined) return known;
      const { caFile, createRepositories, ...options } = access?.get(host) ?? {};
      const registry = new HttpRegistry({
        ...options,
        registry: host,
        dispatcher: dispatcherOf(caFile),
        findCredentials,
        ...(createRepositories === undefined
          ? {}
          : { repositories: createEcrRepositories({ host, ...createRepositories }) }),
        onCircuit: (isOpen) => onCircuit?.(host, isOpen),
      });
      opened.set(host, registry);
      return registry;
    },
    // What hangs is not waited for: who closes has ended its work.
    close: async () => {
      await Promise.all([shared, ...own].map((one) => one.destroy()));
    },
  };
}

/** Hosts that are reached without TLS, as commands name them. */
export function withoutTls(hosts: readonly string[]): ReadonlyMap<string, RegistryAccess> {
  return new Map(hosts.map((host) => [host, { plainHttp: true }]));
}
