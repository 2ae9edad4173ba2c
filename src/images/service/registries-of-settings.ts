import type { LoadedSettings } from '../../settings/load-settings';
import { canonicalRegistry } from '../image-reference';
import { nameRegistries, type NamedRegistries } from '../registries/named-registries';
import { openRegistries, withoutTls } from '../registries/open-registries';
import { registryAccess } from './registry-access';

type Env = Readonly<Record<string, string | undefined>>;

/** The hosts of the registries that settings name, by name. */
export function hostsOfSettings({ settings }: LoadedSettings): ReadonlyMap<string, string> {
  const named = Object.entries(settings.registries);
  return new Map(named.map(([name, { host }]) => [name, canonicalRegistry(host ?? name)]));
}

/** The registries of settings for a command that asks few of them, or none. What is wrong with them a worker says. */
export function registriesOfSettings(loaded: LoadedSettings, env: Env): NamedRegistries {
  const registries = openRegistries({ env, access: registryAccess(loaded, () => undefined) });
  return nameRegistries(hostsOfSettings(loaded), (host) => registries.open(host));
}

const LOOPBACK = /^(?:localhost|127(?:\.[0-9]+){3}|\[::1\])(?::[0-9]+)?$/;

/** Every registry by its host, where no settings are at hand: those on this machine without TLS. Any name is taken. */
export function registriesWithoutSettings(env: Env): NamedRegistries {
  const open = (host: string) =>
    openRegistries({ env, access: withoutTls(LOOPBACK.test(host) ? [host] : []) }).open(host);
  return { ...nameRegistries(new Map(), open), fault: () => undefined };
}
