/** Under which referrers of an image are stored: they follow their image, and are not images of their own. */
const REFERRERS_TAG = /^sha(256|512)-[0-9a-f]{64}/;

/** Whether a tag is the fallback tag of referrers, or one of cosign's such as `sha256-….sig`. */
export function isReferrersTag(tag: string): boolean {
  return REFERRERS_TAG.test(tag);
}

/** The tag under which referrers are stored if a registry has no API for them (OCI distribution specification 1.1). */
export function referrersTag(digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`;
}
