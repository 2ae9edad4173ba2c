/** An image as people name it: `registry.example/team/app:1.2@sha256:…`. */
export interface ImageReference {
  /** host, with its port where one is named; `docker.io` where the name has none */
  registry: string;
  repository: string;
  tag?: string;
  digest?: string;
}

const DOCKER_HUB = 'docker.io';
const HUB_NAMES = new Set([DOCKER_HUB, 'index.docker.io', 'registry-1.docker.io']);

/** Docker Hub under its own name, whichever of its names a host is; any other host as it is. */
export function canonicalRegistry(host: string): string {
  return HUB_NAMES.has(host) ? DOCKER_HUB : host;
}

/**
 * A repository, or a pattern for some, as it is stored: at Docker Hub a name without a slash is in `library/`.
 *
 * @param registry as `canonicalRegistry` gives it
 */
export function storedRepository(registry: string, name: string): string {
  const isInLibrary = registry === DOCKER_HUB && name !== '' && !name.includes('/') && !name.includes('**');
  return isInLibrary ? `library/${name}` : name;
}

const LONGEST_NAME = 255;
const PATH_PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${PATH_PART}(?:/${PATH_PART})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$/;
const HOST =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;

/** Whether a text is a repository's name by the OCI distribution specification: lower case, parts between slashes. */
export function isRepositoryName(text: string): boolean {
  return text.length <= LONGEST_NAME && REPOSITORY.test(text);
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Whether a text is a digest of an algorithm that registries use, in lower case. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** Whether a text is a registry's host, as written before the first slash of a reference. */
export function isRegistryHost(text: string): boolean {
  return HOST.test(text);
}

/**
 * Reads a reference as Docker does: the part before the first slash is a host if it holds a dot or a colon or is `localhost`;
 * a name without one is Docker Hub's, and one without a slash there is in `library/`. Neither tag nor digest is made up.
 *
 * @returns a sentence of what was expected where the text is no reference
 */
export function parseImageReference(text: string): ImageReference | string {
  const [named, digest, ...more] = text.split('@');
  if (named === undefined || more.length > 0) return 'expected at most one @ in an image reference';
  if (digest !== undefined && !isDigest(digest)) return `expected a digest such as sha256:… after @, got "${digest}"`;
  const slash = named.indexOf('/');
  const first = slash === -1 ? '' : named.slice(0, slash);
  const hasHost = first === 'localhost' || /[.:]/.test(first);
  if (hasHost && !isRegistryHost(first)) return `expected a registry's host before the first slash, got "${first}"`;
  const path = hasHost ? named.slice(slash + 1) : named;
  const colon = path.indexOf(':');
  const tag = colon === -1 ? undefined : path.slice(colon + 1);
  const name = colon === -1 ? path : path.slice(0, colon);
  if (tag !== undefined && !isTag(tag)) return `expected a tag after the colon, got "${tag}"`;
  const registry = hasHost ? canonicalRegistry(first) : DOCKER_HUB;
  const repository = storedRepository(registry, name);
  if (!isRepositoryName(repository)) return `expected a repository in lower case such as team/app, got "${name}"`;
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** The reference as one text, which `parseImageReference` reads as the same. */
export function formatImageReference({ registry, repository, tag, digest }: ImageReference): string {
  const named = `${registry}/${repository}`;
  return `${named}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** The host that is spoken to: Docker Hub's API has another name than Docker Hub. */
export function apiHostOf(registry: string): string {
  return registry === DOCKER_HUB ? 'registry-1.docker.io' : registry;
}

/** The key of the registry's credentials in Docker's configuration file. */
export function credentialKeyOf(registry: string): string {
  return registry === DOCKER_HUB ? 'https://index.docker.io/v1/' : registry;
}
