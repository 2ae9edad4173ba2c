import { canonicalRegistry, isRegistryHost, storedRepository } from '../image-reference';
import { compileRepositoryPattern, type FitsRepository } from './repository-pattern';
import { readTargetTemplate, type TargetTemplate } from './target-template';

/** Images of a registry that go to a target if no policy replicates them. */
export interface MappingEntry {
  registry: string;
  /** as written */
  repositories: string;
  fitsRepository: FitsRepository;
  target: { registry: string; repository: TargetTemplate };
}

/**
 * One line of the mapping: a source such as `docker.example/team/*`, and a target such as `mirror.example/{repository}`.
 *
 * @param hosts by the names that the settings give registries
 * @returns a sentence of what was expected if one of them is invalid
 */
export function readMappingEntry(
  source: string,
  target: string,
  hosts: ReadonlyMap<string, string> = new Map(),
): MappingEntry | string {
  const [from, to] = [splitHost(source), splitHost(target)];
  if (from === undefined) return `expected a registry and a pattern such as docker.example/team/*, got "${source}"`;
  if (to === undefined) return `expected a registry and a name such as mirror.example/{repository}, got "${target}"`;
  const repositories = storedRepository(hosts.get(from.host) ?? from.host, from.rest);
  const fitsRepository = compileRepositoryPattern(repositories);
  if (typeof fitsRepository === 'string') return fitsRepository;
  const repository = readTargetTemplate(to.rest, 'repository');
  if (typeof repository === 'string') return repository;
  return { registry: from.host, repositories, fitsRepository, target: { registry: to.host, repository } };
}

function splitHost(text: string): { host: string; rest: string } | undefined {
  const slash = text.indexOf('/');
  const [host, rest] = [text.slice(0, Math.max(0, slash)), text.slice(slash + 1)];
  return isRegistryHost(host) && rest !== '' ? { host: canonicalRegistry(host), rest } : undefined;
}
