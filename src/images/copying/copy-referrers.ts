import type { Descriptor } from '../registries/descriptor';
import { cosignTags, referrersTag } from '../registries/referrers-tag';
import { digestLike } from '../registries/content-check';
import type { CopyOptions } from '../copy-options';
import { RegistryError } from '../registries/registry-error';
import { copyImage } from './copy-image';
import type { Place } from '../registries/registry';

export interface ReferrersResult {
  /** digests of signatures, SBOMs and other content that was copied now */
  copied: readonly string[];
  /** digests that the target had */
  present: readonly string[];
  /** digests that the source lists or names, and lacks; empty unless `incomplete` is `copy` */
  absent: readonly string[];
}

export interface CopyReferrersOptions extends Pick<CopyOptions, 'incomplete'> {
  /** called before each that the target lacks is copied */
  beforeCopy?(): Promise<void>;
  /** false for a manifest that the source is known to have no tag of referrers for, which saves a request each @default true */
  mayHaveTag?(digest: string): boolean;
}

const INDEX = 'application/vnd.oci.image.index.v1+json';
/** A signature may itself be signed; more levels than that are a mistake. */
const MOST_LEVELS = 3;

/**
 * Copies what refers to some manifests: by the referrers API, by its fallback tag, and by cosign's tags. If the
 * target has no such API, the index under its fallback tag is merged with the source's, never replaced.
 *
 * @param subjects digests of manifests that the target holds
 * @throws RegistryError `refused` for one of which the source lacks a part
 */
export async function copyReferrers(
  source: Place,
  target: Place,
  subjects: readonly string[],
  { incomplete = 'refuse', beforeCopy, mayHaveTag = () => true }: CopyReferrersOptions = {},
): Promise<ReferrersResult> {
  const copied: string[] = [];
  const present: string[] = [];
  const absent: string[] = [];

  /** @returns whether the target has it now */
  async function bring(digest: string, tag?: string): Promise<boolean> {
    const held = await target.registry.headManifest(target.repository, tag ?? digest);
    if (held?.digest === digest) {
      present.push(digest);
      return true;
    }
    await beforeCopy?.();
    try {
      const done = await copyImage({ source, target, digest, incomplete, ...(tag === undefined ? {} : { tag }) });
      copied.push(digest);
      absent.push(...done.absent);
      return true;
    } catch (error) {
      // The list under a tag may name what has been deleted since.
      if (!(error instanceof RegistryError) || error.failure !== 'missing') throw error;
      const message = `${source.registry.name}/${source.repository} lacks ${digest}, which it lists as a referrer`;
      if (incomplete === 'refuse') throw new RegistryError('refused', message);
      absent.push(digest);
      return false;
    }
  }

  async function follow(subject: string, level: number): Promise<void> {
    const isTagged = mayHaveTag(subject);
    const tags = isTagged ? cosignTags(subject) : [];
    const [{ referrers }, ...heads] = await Promise.all([
      source.registry.listReferrers(source.repository, subject, isTagged),
      ...tags.map((tag) => source.registry.headManifest(source.repository, tag)),
    ]);
    for (const [at, found] of heads.entries()) if (found !== undefined) await bring(found.digest, tags[at]);
    if (referrers.length === 0) return;
    const brought: Descriptor[] = [];
    for (const referrer of referrers) if (await bring(referrer.digest)) brought.push(referrer);
    await list(target, subject, brought);
    if (level === MOST_LEVELS) return;
    for (const { digest } of brought) await follow(digest, level + 1);
  }

  for (const subject of subjects) await follow(subject, 1);
  return { copied, present, absent };
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
