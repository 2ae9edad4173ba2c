/** Under which referrers of an image are stored: they follow their image, and are not images of their own. */
const REFERRERS_TAG = /^sha(256|512)-[0-9a-f]{64}/;

/** Whether a tag is the fallback tag of referrers, or one of cosign's such as `sha256-….sig`. */
export function isReferrersTag(tag: string): boolean {
  return REFERRERS_TAG.test(tag);
}

/** Of the tags, made of an image's digest, under which cosign stores what belongs to it in older registries. */
const COSIGN_SUFFIXES = ['sig', 'att', 'sbom'];

/** Cosign's tags for what belongs to an image. */
export function cosignTags(digest: string): string[] {
  return COSIGN_SUFFIXES.map((suffix) => `${digest.replace(':', '-')}.${suffix}`);
}

/** Every tag under which referrers of an image may be stored. */
export function referrersTagsOf(digest: string): string[] {
  return [referrersTag(digest), ...cosignTags(digest)];
}

/** The tag under which referrers are stored if a registry has no API for them (OCI distribution specification 1.1). */
export function referrersTag(digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`;
}
