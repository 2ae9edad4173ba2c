import { apiHostOf, isRegistryHost, parseImageReference, type ImageReference } from './image-reference';

/** A reference whose parts behind the registry may hold templates, in single or double braces. */
export interface ReferenceTemplate {
  /** as written: a host, or a name of the settings */
  registry: string;
  repository: string;
  tag?: string;
  digest?: string;
}

/** Behind the registry, what separates parts is never part of a template. */
const TEMPLATE = /\{+[^{}]*\}+/g;

/**
 * `REGISTRY/REPOSITORY[:TAG][@DIGEST]`, split where it is written, so that no value of a template can begin another part.
 *
 * @returns a sentence of what was expected
 */
export function splitReference(text: string): ReferenceTemplate | string {
  const fixed = text.replace(TEMPLATE, (template) => 'x'.repeat(template.length));
  const slash = fixed.indexOf('/');
  const registry = text.slice(0, Math.max(0, slash));
  if (registry !== fixed.slice(0, Math.max(0, slash)))
    return `expected a registry without templates before the first slash, got "${registry}"`;
  if (slash < 1 || !isRegistryHost(registry))
    return `expected REGISTRY/REPOSITORY:TAG such as registry.example/team/app:1.2, got "${text}"`;
  const at = fixed.indexOf('@', slash);
  const named = at === -1 ? text.length : at;
  const colon = fixed.slice(0, named).indexOf(':', slash);
  return {
    registry,
    repository: text.slice(slash + 1, colon === -1 ? named : colon),
    ...(colon === -1 ? {} : { tag: text.slice(colon + 1, named) }),
    ...(at === -1 ? {} : { digest: text.slice(at + 1) }),
  };
}

/**
 * The reference that a filled template comes to.
 *
 * @param host of its registry
 * @returns a sentence of what was expected where a part is not valid
 */
export function joinReference({ repository, tag, digest }: ReferenceTemplate, host: string): ImageReference | string {
  // A host without a dot or a port is one by what the settings say.
  const isWritten = /[.:]/.test(host) || host === 'localhost';
  const named = `${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
  const read = parseImageReference(`${isWritten ? host : 'registry.invalid'}/${named}`);
  if (typeof read === 'string') return read;
  // A value that holds a separator would have begun another part.
  const isSplit = read.tag !== tag || read.digest !== digest;
  if (isSplit) return `expected a repository, a tag and a digest that keep to their places, got "${named}"`;
  return isWritten ? read : { ...read, registry: host };
}

/** Whether two references are to one image, or to one tag: they name one host, repository and tag. */
export function isSamePlace(one: ImageReference, other: ImageReference): boolean {
  return (
    apiHostOf(one.registry) === apiHostOf(other.registry) &&
    one.repository === other.repository &&
    one.tag === other.tag
  );
}
