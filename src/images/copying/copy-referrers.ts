import type { Descriptor } from '../registries/descriptor';
import { referrersTag } from '../registries/referrers-tag';
import { digestLike } from '../registries/content-check';
import { copyImage } from './copy-image';
import type { Place } from '../registries/registry';

export interface ReferrersResult {
  /** digests of signatures, SBOMs and other content that was copied now */
  copied: readonly string[];
  /** digests that the target had */
  present: readonly string[];
}

const INDEX = 'application/vnd.oci.image.index.v1+json';
/** Of the tags, made of an image's digest, under which cosign stores what belongs to it in older registries. */
const COSIGN_SUFFIXES = ['sig', 'att', 'sbom'];
/** A signature may itself be signed; more levels than that are a mistake. */
const MOST_LEVELS = 3;

/**
 * Copies what refers to some manifests: by the referrers API, by its fallback tag, and by cosign's tags. If the
 * target has no such API, the index under its fallback tag is merged with the source's, never replaced.
 *
 * @param subjects digests of manifests that the target holds
 * @param beforeCopy called before each that the target lacks is copied
 * @throws RegistryError
 */
export async function copyReferrers(
  source: Place,
  target: Place,
  subjects: readonly string[],
  beforeCopy?: () => Promise<void>,
): Promise<ReferrersResult> {
  const copied: string[] = [];
  const present: string[] = [];

  async function bring(digest: string, tag?: string): Promise<void> {
    const held = await target.registry.headManifest(target.repository, tag ?? digest);
    if (held?.digest === digest) {
      present.push(digest);
      return;
    }
    await beforeCopy?.();
    await copyImage({ source, target, digest, ...(tag === undefined ? {} : { tag }) });
    copied.push(digest);
  }

  async function follow(subject: string, level: number): Promise<void> {
    for (const suffix of COSIGN_SUFFIXES) {
      const tag = `${subject.replace(':', '-')}.${suffix}`;
      const found = await source.registry.headManifest(source.repository, tag);
      if (found !== undefined) await bring(found.digest, tag);
    }
    const { referrers } = await source.registry.listReferrers(source.repository, subject);
    if (referrers.length === 0) return;
    for (const { digest } of referrers) await bring(digest);
    await list(target, subject, referrers);
    if (level === MOST_LEVELS) return;
    for (const { digest } of referrers) await follow(digest, level + 1);
  }

  for (const subject of subjects) await follow(subject, 1);
  return { copied, present };
}

/** Adds them to the target's fallback index; a registry with the API lists them by itself. */
async function list({ registry, repository }: Place, subject: string, referrers: readonly Descriptor[]): Promise<void> {
  const held = await registry.listReferrers(repository, subject);
  const missing = referrers.filter(({ digest }) => held.referrers.every((one) => one.digest !== digest));
  if (held.by === 'api' || missing.length === 0) return;
  const manifests = [...held.referrers, ...missing];
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }));
  await registry.putManifest(repository, referrersTag(subject), {
    digest: digestLike('sha256:', bytes),
    mediaType: INDEX,
    bytes,
  });
}
