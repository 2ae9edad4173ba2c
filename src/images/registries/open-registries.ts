import { createProxyDispatcher } from '../../platform/http/http-client';
import { createDockerCredentials } from './docker-credentials';
import { HttpRegistry } from './http-registry';
import type { Registry } from './registry';

export interface OpenRegistriesOptions {
  /** Docker's configuration and the proxies are taken from it */
  env: Readonly<Record<string, string | undefined>>;
  /** hosts that are reached without TLS */
  plainHttp: readonly string[];
  /** requests at once, by host @default 8 each */
  concurrency?: ReadonlyMap<string, number>;
  /** called when a registry that failed too often is left alone, and when it is asked again */
  onCircuit?(host: string, isOpen: boolean): void;
}

/** The registries of one process: one client for each host, so that its limits, tokens and circuit breaker are shared. */
export interface Registries {
  open(host: string): Registry;
  close(): Promise<void>;
}

/** Registries over HTTP, with the credentials of `docker login` and the proxies of the environment. Opening does no I/O. */
export function openRegistries({ env, plainHttp, concurrency, onCircuit }: OpenRegistriesOptions): Registries {
  const dispatcher = createProxyDispatcher(env);
  const findCredentials = createDockerCredentials({ env });
  const opened = new Map<string, Registry>();
  return {
    open(host) {
      const known = opened.get(host);
      if (known !== undefined) return known;
      const own = concurrency?.get(host);
      const registry = new HttpRegistry({
        registry: host,
        plainHttp: plainHttp.includes(host),
        ...(own === undefined ? {} : { concurrency: own }),
        dispatcher,
        findCredentials,
        onCircuit: (isOpen) => onCircuit?.(host, isOpen),
      });
      opened.set(host, registry);
      return registry;
    },
    // What hangs is not waited for: who closes has ended its work.
    close: () => dispatcher.destroy(),
  };
}
