import { createProxyDispatcher } from '../../platform/http/http-client';
import { createDockerCredentials } from './docker-credentials';
import { HttpRegistry } from './http-registry';
import type { Registry } from './registry';

export interface OpenRegistriesOptions {
  /** Docker's configuration and the proxies are taken from it */
  env: Readonly<Record<string, string | undefined>>;
  /** hosts that are reached without TLS */
  plainHttp: readonly string[];
}

/** The registries of one process: one client for each host, so that its limits, tokens and circuit breaker are shared. */
export interface Registries {
  open(host: string): Registry;
  close(): Promise<void>;
}

/** Registries over HTTP, with the credentials of `docker login` and the proxies of the environment. Opening does no I/O. */
export function openRegistries({ env, plainHttp }: OpenRegistriesOptions): Registries {
  const dispatcher = createProxyDispatcher(env);
  const findCredentials = createDockerCredentials({ env });
  const opened = new Map<string, Registry>();
  return {
    open(host) {
      const known = opened.get(host);
      if (known !== undefined) return known;
      const options = { registry: host, plainHttp: plainHttp.includes(host), dispatcher, findCredentials };
      const registry = new HttpRegistry(options);
      opened.set(host, registry);
      return registry;
    },
    close: () => dispatcher.close(),
  };
}
