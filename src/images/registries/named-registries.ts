import { canonicalRegistry } from '../image-reference';
import type { Registry } from './registry';

/** The registries that settings name, and all others by their hosts. */
export interface NamedRegistries {
  /** the host of a name; a host is its own */
  hostOf(name: string): string;
  /** a sentence of what was expected where a text is neither a name of the settings nor a host */
  fault(name: string): string | undefined;
  /** whether the settings name it, by its name or by its host */
  isNamed(name: string): boolean;
  /** the registry of a host */
  open(host: string): Registry;
}

/** @param hosts by name */
export function nameRegistries(hosts: ReadonlyMap<string, string>, open: (host: string) => Registry): NamedRegistries {
  const isHost = (name: string): boolean => /[.:]/.test(name) || name === 'localhost';
  return {
    hostOf: (name) => hosts.get(name) ?? canonicalRegistry(name),
    isNamed: (name) => hosts.has(name) || [...hosts.values()].includes(canonicalRegistry(name)),
    open,
    fault(name) {
      if (hosts.has(name) || isHost(name)) return undefined;
      const known = hosts.size === 0 ? 'the settings name none' : `they name ${[...hosts.keys()].join(', ')}`;
      return `expected a host such as registry.example:5000 or a registry of the settings, got "${name}"; ${known}`;
    },
  };
}
