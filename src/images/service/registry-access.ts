import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { faultsToError, type Fault } from '../../kernel/failures';
import { whyUnread } from '../../kernel/why-unread';
import { faultAt } from '../../platform/documents/validate';
import type { LoadedSettings } from '../../settings/load-settings';
import { readEcrHost } from '../registries/ecr-host';
import { canonicalRegistry, isRegistryHost } from '../image-reference';
import type { RegistryAccess } from '../registries/open-registries';

/**
 * How each registry of the settings is spoken to, by host.
 *
 * @param fault called for a host that is none, and for a host that two names say different things of
 */
export function registryAccess(
  { settings, baseDir }: LoadedSettings,
  fault: (pointer: string, sentence: string) => void,
): ReadonlyMap<string, RegistryAccess> {
  const byHost = new Map<string, { name: string; access: RegistryAccess }>();
  for (const [name, { host: written = name, caFile, ...rest }] of Object.entries(settings.registries)) {
    if (!isRegistryHost(written)) {
      const sentence = `registries.${name}: expected a host such as registry.example:5000, got ${JSON.stringify(written)}`;
      fault('/registries', sentence);
      continue;
    }
    const host = canonicalRegistry(written);
    const access = { ...rest, ...(caFile === undefined ? {} : { caFile: resolve(baseDir, caFile) }) };
    if (access.plainHttp && access.caFile !== undefined)
      fault('/registries', `registries.${name}: expected no caFile with plainHttp, which uses no certificates`);
    if (
      access.createRepositories !== undefined &&
      access.createRepositories.region === undefined &&
      readEcrHost(host) === undefined
    ) {
      const sentence = `registries.${name}.createRepositories: expected a region, as ${host} is no host of a private registry of ECR (ACCOUNT.dkr.ecr.REGION.amazonaws.com)`;
      fault('/registries', sentence);
    }
    const other = byHost.get(host);
    if (other !== undefined && JSON.stringify(other.access) !== JSON.stringify(access)) {
      const sentence = `registries.${name}: expected the same settings as registries.${other.name}, as both name ${host}`;
      fault('/registries', sentence);
    }
    byHost.set(host, { name, access });
  }
  return new Map([...byHost].map(([host, { access }]) => [host, access]));
}

/** @throws GateError ConfigInvalid with every fault, files of certificates included */
export async function checkedRegistryAccess(loaded: LoadedSettings): Promise<ReadonlyMap<string, RegistryAccess>> {
  const faults: Fault[] = [];
  const access = registryAccess(loaded, (pointer, sentence) => {
    faults.push(faultAt(loaded.place ?? { file: 'the settings' }, pointer, sentence));
  });
  if (faults.length > 0) throw faultsToError(faults);
  await checkCaFiles(loaded);
  return access;
}

const CERTIFICATE = '-----BEGIN CERTIFICATE-----';

/** @throws GateError ConfigInvalid with every CA file that cannot be read or holds no certificate */
export async function checkCaFiles({ settings, baseDir, place }: LoadedSettings): Promise<void> {
  const faults: Fault[] = [];
  for (const [name, { caFile }] of Object.entries(settings.registries)) {
    if (caFile === undefined) continue;
    const path = resolve(baseDir, caFile);
    const found = await readFile(path, 'utf8').then(
      (text) => (text.includes(CERTIFICATE) ? undefined : 'it holds no certificate'),
      (error: unknown) => whyUnread(error),
    );
    if (found === undefined) continue;
    const sentence = `registries.${name}.caFile: expected certificates in PEM at ${path}, but ${found}`;
    faults.push(faultAt(place ?? { file: 'the settings' }, '/registries', sentence));
  }
  if (faults.length > 0) throw faultsToError(faults);
}
